/* Replaces ${VAR} and ${VAR:-default} in the texts of the config. */
#ifndef OB_CONFIG_EXPAND_H
#define OB_CONFIG_EXPAND_H

#include "proto/error.h"

/*
 * A copy of `text` with the values of the environment's variables in it; the caller frees the copy. NULL when a
 * variable is not set and has no default, or when a brace is not closed: `err` says what is wrong.
 */
char *ob_expand(const char *text, struct ob_err *err);

#endif
