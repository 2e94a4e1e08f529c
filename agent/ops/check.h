/* otterbeat --check: finds what would go wrong, before it does, and says what to do about it. */
#ifndef OB_OPS_CHECK_H
#define OB_OPS_CHECK_H

#include <stdbool.h>

#include "config/config.h"

/*
 * Checks this machine, each manager and each sink. Prints a line for each finding (ok, warn, BAD) on standard
 * output, or all findings as JSON. Sends nothing that a sink would count. Returns the exit code.
 */
int ob_check(const struct ob_config *config, bool is_json);

/* The same for a config that could not be read; `err` says why. */
int ob_check_config_failed(const char *file, const struct ob_err *err, bool is_json);

#endif
