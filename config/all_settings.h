/*
 * All settings of the config file, one row each, in the order of config/otterbeat.cfg.example. A new setting is a
 * row here, a field in config.h (or source.h), and a line in otterbeat.cfg.example. Constants.
 *
 * The settings "table", "address", "heading", "rows" and "columns" of a source are read by sources.c, "words" of a
 * page and "hosts" of the state by managers.c, and "tags" of a sink by sinks.c.
 */
#ifndef OB_CONFIG_ALL_SETTINGS_H
#define OB_CONFIG_ALL_SETTINGS_H

#include "config/setting.h"

extern const struct ob_setting ob_top_settings[];         /* of struct ob_config */
extern const struct ob_setting ob_state_settings[];       /* of struct ob_state_settings */
extern const struct ob_setting ob_state_mysql_settings[]; /* of struct ob_mysql_settings, of `state` */
extern const struct ob_setting ob_manager_settings[];     /* of struct ob_manager */
extern const struct ob_setting ob_mysql_settings[];       /* of struct ob_mysql_settings */
extern const struct ob_setting ob_page_settings[];        /* of struct ob_page_settings */
extern const struct ob_setting ob_source_settings[];      /* of struct ob_source */
extern const struct ob_setting ob_health_settings[];      /* of struct ob_health_settings */
extern const struct ob_setting ob_names_settings[];       /* of struct ob_config */
extern const struct ob_setting ob_queue_settings[];       /* of struct ob_config */
extern const struct ob_setting ob_status_settings[];      /* of struct ob_status_settings */
extern const struct ob_setting ob_statsd_settings[];      /* of struct ob_sink_settings, type = "statsd" */
extern const struct ob_setting ob_graphite_settings[];    /* of struct ob_sink_settings, type = "graphite" */

#endif
