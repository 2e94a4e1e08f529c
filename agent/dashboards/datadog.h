/* otterbeat datadog: writes monitors and a dashboard as JSON, in the form of Datadog's API (v1/monitor,
 * v1/dashboard). */
#ifndef OB_DASHBOARDS_DATADOG_H
#define OB_DASHBOARDS_DATADOG_H

#include "agent/process/command.h"

extern const struct ob_command ob_datadog_command;

#endif
