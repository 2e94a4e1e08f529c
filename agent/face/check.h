/* otterbeat --check: what would go wrong, said before it does. */
#ifndef OB_FACE_CHECK_H
#define OB_FACE_CHECK_H

#include <stdbool.h>

#include "config/config.h"

/* Looks at each table and each sink, a line each on standard output. Sends nothing. False: something is wrong. */
bool ob_check(const struct ob_config *config);

#endif
