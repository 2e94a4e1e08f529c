/* Reads a config file. One thread at a time, and no other thread may change the environment meanwhile. */
#ifndef OB_CONFIG_LOAD_H
#define OB_CONFIG_LOAD_H

#include "config/config.h"
#include "proto/error.h"

/*
 * Reads and checks a config file, all that this file includes, and the files in its include_dir in the order of
 * their names. Each setting at the top level may be set in only one of these files. The result is the caller's, for
 * ob_config_free(). NULL when anything in a file is wrong; `err` then says `FILE:LINE: …`.
 */
struct ob_config *ob_config_load(const char *file, struct ob_err *err);

#endif
