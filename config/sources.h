/* Reads the group `sources`: settings of the built-in sources, and the sources and pages that the user defines.
 * Used by load.c only, by one thread. */
#ifndef OB_CONFIG_SOURCES_H
#define OB_CONFIG_SOURCES_H

#include <libconfig.h>

#include "config/config.h"
#include "proto/error.h"

/* `root` is the whole file. Returns -1 and `err` when anything in it is wrong. */
int ob_config_read_sources(const config_setting_t *root, struct ob_config *c, struct ob_err *err);

#endif
