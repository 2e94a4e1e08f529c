/* Whether a name has an address, and somebody answers there: what comes before any login. Waits at most as long as
 * told. */
#ifndef OB_OPS_REACH_H
#define OB_OPS_REACH_H

#include <stdbool.h>

#include "agent/ops/report.h"

/* Says how far it came. False: not there, and that is said. */
bool ob_reach(struct ob_report *r, const char *name, const char *host, int port, int seconds);

#endif
