/* otterbeat datadog: writes monitors and a dashboard as JSON, in the form of Datadog's API (v1/monitor,
 * v1/dashboard). */
#ifndef OB_DASHBOARDS_DATADOG_H
#define OB_DASHBOARDS_DATADOG_H

#include "config/config.h"

/* Runs the command with its words, `datadog --out DIR …`. Returns the exit code. */
int ob_datadog(const struct ob_config *config, int argc, char **argv);

#endif
