/* ${VAR} and ${VAR:-default} in the texts of the config. */
#ifndef OB_CONFIG_EXPAND_H
#define OB_CONFIG_EXPAND_H

#include "proto/error.h"

/*
 * A copy of `text`, the caller's to free, with the environment's values put in. NULL when a variable
 * is neither set nor has a default, or a brace is not closed: `err` says which.
 */
char *ob_expand(const char *text, struct ob_err *err);

#endif
