/* otterbeat --check: what would go wrong, said before it does, and what to do about it. */
#ifndef OB_OPS_CHECK_H
#define OB_OPS_CHECK_H

#include <stdbool.h>

#include "config/config.h"

/*
 * Looks at this machine, each manager and each sink; says each thing in a line on standard output (ok, warn, BAD),
 * or all of it as JSON. Sends nothing that counts. Returns the exit code.
 */
int ob_check(const struct ob_config *config, bool is_json);

/* The same for a config that is none, which `err` tells why. */
int ob_check_config_failed(const char *file, const struct ob_err *err, bool is_json);

#endif
