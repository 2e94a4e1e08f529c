/*
 * otterbeat grafana: files that Grafana provisions itself with. They are JSON, which YAML contains; their names end
 * in .yaml where Grafana reads no others (its config_reader.go, of datasources and of dashboards).
 */
#ifndef OB_DASHBOARDS_GRAFANA_H
#define OB_DASHBOARDS_GRAFANA_H

#include "config/config.h"

/* The words behind the options of the program: grafana --out DIR … Returns the exit code. */
int ob_grafana(const struct ob_config *config, int argc, char **argv);

#endif
