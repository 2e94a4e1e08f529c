/*
 * otterbeat grafana: writes the files by which Grafana is provisioned. They are JSON, a subset of YAML. Their names
 * end in .yaml where Grafana reads no other files (its config_reader.go, of datasources and of dashboards).
 */
#ifndef OB_DASHBOARDS_GRAFANA_H
#define OB_DASHBOARDS_GRAFANA_H

#include "agent/process/command.h"

extern const struct ob_command ob_grafana_command;

#endif
