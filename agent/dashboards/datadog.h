/* otterbeat datadog: monitors and a dashboard as JSON, as Datadog's API takes them (v1/monitor, v1/dashboard). */
#ifndef OB_DASHBOARDS_DATADOG_H
#define OB_DASHBOARDS_DATADOG_H

#include "config/config.h"

/* The words behind the options of the program: datadog --out DIR … Returns the exit code. */
int ob_datadog(const struct ob_config *config, int argc, char **argv);

#endif
