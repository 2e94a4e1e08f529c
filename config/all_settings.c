#include "config/all_settings.h"

#include <stdbool.h>

#include "config/config.h"

#define AT(what, member) offsetof(struct what, member)

/* Each list is in the order of its enum. */
static const char *const type_words[] = { "statsd", "graphite", NULL };
static const char *const flavor_words[] = { "plain", "dogstatsd", NULL };
static const char *const counters_words[] = { "counter", "gauge", "both", NULL };
static const char *const path_words[] = { "ids", "names", NULL };
static const char *const level_words[] = { "error", "warn", "info", NULL };
static const char *const crash_words[] = { "lose", "repeat", NULL };
static const char *const receiver_words[] = { "overwrite", "append", NULL };
static const char *const tls_words[] = { "off", "required", "verify", NULL };

const struct ob_setting ob_top_settings[] = {
        { "prefix", OB_SET_PREFIX, AT(ob_config, prefix), .text = "otter" },
        { "state_dir", OB_SET_PATH, AT(ob_config, state_dir), .text = "./state" },
        { "state", OB_SET_GROUP },
        { "log_file", OB_SET_PATH, AT(ob_config, log_file) },
        { "log_level", OB_SET_CHOICE, AT(ob_config, log_level), .number = OB_LOG_INFO, .choices = level_words },
        { "drain", OB_SET_INT, AT(ob_config, drain), 0, 60, .number = 10 },
        { "include_dir", OB_SET_GROUP }, /* config/load.c reads it before all others */
        { "managers", OB_SET_GROUP },
        { "sources", OB_SET_GROUP },
        { "health", OB_SET_GROUP },
        { "names", OB_SET_GROUP },
        { "queue", OB_SET_GROUP },
        { "status", OB_SET_GROUP },
        { "sinks", OB_SET_GROUP },
        { NULL },
};

const struct ob_setting ob_state_settings[] = {
        { "mysql", OB_SET_GROUP },
        { "lease", OB_SET_INT, AT(ob_state_settings, lease), 3, 3600, .number = 10 },
        { "agent", OB_SET_PREFIX, AT(ob_state_settings, agent) },
        { NULL },
};

const struct ob_setting ob_state_mysql_settings[] = {
        { "hosts", OB_SET_GROUP },
        { "port", OB_SET_INT, AT(ob_mysql_settings, port), 1, 65535, .number = 3306 },
        { "user", OB_SET_TEXT, AT(ob_mysql_settings, user), .text = "otterbeat_agent" },
        { "password", OB_SET_SECRET, AT(ob_mysql_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_mysql_settings, password_file),
                .secret = AT(ob_mysql_settings, password) },
        { "database", OB_SET_TEXT, AT(ob_mysql_settings, database), .text = "otterbeat" },
        { "tls", OB_SET_CHOICE, AT(ob_mysql_settings, tls), .number = OB_TLS_OFF, .choices = tls_words },
        { "ca", OB_SET_INPUT, AT(ob_mysql_settings, ca) },
        { "cert", OB_SET_INPUT, AT(ob_mysql_settings, cert) },
        { "key", OB_SET_INPUT, AT(ob_mysql_settings, key) },
        { NULL },
};

const struct ob_setting ob_manager_settings[] = {
        { "name", OB_SET_PREFIX, AT(ob_manager, name) },
        { "mysql", OB_SET_GROUP },
        { "page", OB_SET_GROUP },
        { NULL },
};

const struct ob_setting ob_mysql_settings[] = {
        { "host", OB_SET_TEXT, AT(ob_mysql_settings, host), .text = "127.0.0.1" },
        { "port", OB_SET_INT, AT(ob_mysql_settings, port), 1, 65535, .number = 3306 },
        { "socket", OB_SET_PATH, AT(ob_mysql_settings, socket) },
        { "user", OB_SET_TEXT, AT(ob_mysql_settings, user), .text = "otterbeat" },
        { "password", OB_SET_SECRET, AT(ob_mysql_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_mysql_settings, password_file),
                .secret = AT(ob_mysql_settings, password) },
        { "database", OB_SET_TEXT, AT(ob_mysql_settings, database), .text = "otter" },
        { "connect_timeout", OB_SET_INT, AT(ob_mysql_settings, connect_timeout), 1, 3600, .number = 5 },
        { "query_timeout", OB_SET_INT, AT(ob_mysql_settings, query_timeout), 1, 3600, .number = 10 },
        { "tls", OB_SET_CHOICE, AT(ob_mysql_settings, tls), .number = OB_TLS_OFF, .choices = tls_words },
        { "ca", OB_SET_INPUT, AT(ob_mysql_settings, ca) },
        { "cert", OB_SET_INPUT, AT(ob_mysql_settings, cert) },
        { "key", OB_SET_INPUT, AT(ob_mysql_settings, key) },
        { NULL },
};

const struct ob_setting ob_page_settings[] = {
        { "url", OB_SET_TEXT, AT(ob_page_settings, url), .text = "http://127.0.0.1:8080" },
        { "user", OB_SET_TEXT, AT(ob_page_settings, user) },
        { "password", OB_SET_SECRET, AT(ob_page_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_page_settings, password_file),
                .secret = AT(ob_page_settings, password) },
        { "zone", OB_SET_TEXT, AT(ob_page_settings, zone), .text = "Asia/Shanghai" },
        { "timeout", OB_SET_INT, AT(ob_page_settings, timeout), 1, 3600, .number = 5 },
        { "budget", OB_SET_INT, AT(ob_page_settings, budget), 1, 3600, .number = 20 },
        { "proxy", OB_SET_TEXT, AT(ob_page_settings, proxy) },
        { "ca", OB_SET_INPUT, AT(ob_page_settings, ca) },
        { "cert", OB_SET_INPUT, AT(ob_page_settings, cert) },
        { "key", OB_SET_INPUT, AT(ob_page_settings, key) },
        { "words", OB_SET_GROUP },
        { NULL },
};

/* The defaults are of a user's own table; built-in sources and pages have theirs in builtin.c. */
const struct ob_setting ob_source_settings[] = {
        { "enabled", OB_SET_BOOL, AT(ob_source, enabled), .number = true },
        { "every", OB_SET_INT, AT(ob_source, every), 1, 86400, .number = 15 },
        { "start", OB_SET_START, AT(ob_source, start), .text = "now" },
        { "overlap", OB_SET_INT, AT(ob_source, overlap), 0, 86400, .number = 600 },
        { "settle", OB_SET_INT, AT(ob_source, settle), 0, 3600, .number = 2 },
        { "batch", OB_SET_INT, AT(ob_source, batch), 1, 100000, .number = 1000 },
        { "limit", OB_SET_INT, AT(ob_source, limit), 1, 10000, .number = 100 },
        { "merge", OB_SET_INT, AT(ob_source, merge), 0, 3600, .number = 0 },
        { "table", OB_SET_GROUP },
        { "address", OB_SET_GROUP },
        { "heading", OB_SET_GROUP },
        { "rows", OB_SET_GROUP },
        { "columns", OB_SET_GROUP },
        { NULL },
};

const struct ob_setting ob_health_settings[] = {
        { "lag", OB_SET_INT, AT(ob_health_settings, lag), 1, 86400, .number = 60 },
        { "idle", OB_SET_INT, AT(ob_health_settings, idle), 1, 86400, .number = 180 },
        { "stall", OB_SET_INT, AT(ob_health_settings, stall), 1, 86400, .number = 300 },
        { "skew", OB_SET_INT, AT(ob_health_settings, skew), 1, 86400, .number = 60 },
        { "hold", OB_SET_INT, AT(ob_health_settings, hold), 0, 86400, .number = 30 },
        { "heartbeat", OB_SET_BOOL, AT(ob_health_settings, heartbeat), .number = true },
        { NULL },
};

const struct ob_setting ob_names_settings[] = {
        { "enabled", OB_SET_BOOL, AT(ob_config, names.enabled), .number = true },
        { "every", OB_SET_INT, AT(ob_config, names.every), 1, 86400, .number = 300 },
        { NULL },
};

const struct ob_setting ob_queue_settings[] = {
        { "max_bytes", OB_SET_LONG, AT(ob_config, queue_max_bytes), 65536, INT64_C(1) << 40, .number = 67108864 },
        { NULL },
};

const struct ob_setting ob_status_settings[] = {
        { "listen", OB_SET_TEXT, AT(ob_status_settings, listen) },
        { "user", OB_SET_TEXT, AT(ob_status_settings, user) },
        { "password", OB_SET_SECRET, AT(ob_status_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_status_settings, password_file),
                .secret = AT(ob_status_settings, password) },
        { "patience", OB_SET_INT, AT(ob_status_settings, patience), 1, 86400, .number = 60 },
        { NULL },
};

const struct ob_setting ob_statsd_settings[] = {
        { "type", OB_SET_CHOICE, AT(ob_sink_settings, type), .number = OB_SINK_STATSD, .choices = type_words },
        { "name", OB_SET_PREFIX, AT(ob_sink_settings, name), .text = "statsd" },
        { "host", OB_SET_TEXT, AT(ob_sink_settings, host), .text = "127.0.0.1" },
        { "port", OB_SET_INT, AT(ob_sink_settings, port), 1, 65535, .number = 8125 },
        { "path", OB_SET_CHOICE, AT(ob_sink_settings, path), .number = OB_PATH_IDS, .choices = path_words },
        { "flavor", OB_SET_CHOICE, AT(ob_sink_settings, flavor), .number = OB_FLAVOR_PLAIN,
                .choices = flavor_words },
        { "socket", OB_SET_PATH, AT(ob_sink_settings, socket) },
        { "payload", OB_SET_INT, AT(ob_sink_settings, payload), 64, OB_PAYLOAD_MAX, .number = 1432 },
        { "tags", OB_SET_GROUP },
        { "backlog", OB_SET_INT, AT(ob_sink_settings, backlog), 0, 86400, .number = 120 },
        { "container", OB_SET_TEXT, AT(ob_sink_settings, container), .text = "auto" },
        { "after_crash", OB_SET_CHOICE, AT(ob_sink_settings, after_crash), .number = OB_AFTER_CRASH_LOSE,
                .choices = crash_words },
        { "counters", OB_SET_CHOICE, AT(ob_sink_settings, counters), .number = OB_COUNTERS_COUNTER,
                .choices = counters_words },
        { NULL },
};

const struct ob_setting ob_graphite_settings[] = {
        { "type", OB_SET_CHOICE, AT(ob_sink_settings, type), .number = OB_SINK_GRAPHITE, .choices = type_words },
        { "name", OB_SET_PREFIX, AT(ob_sink_settings, name), .text = "graphite" },
        { "host", OB_SET_TEXT, AT(ob_sink_settings, host), .text = "127.0.0.1" },
        { "port", OB_SET_INT, AT(ob_sink_settings, port), 1, 65535, .number = 2003 },
        { "path", OB_SET_CHOICE, AT(ob_sink_settings, path), .number = OB_PATH_IDS, .choices = path_words },
        { "receiver", OB_SET_CHOICE, AT(ob_sink_settings, receiver), .number = OB_RECEIVER_OVERWRITE,
                .choices = receiver_words },
        { "step", OB_SET_INT, AT(ob_sink_settings, step), 1, 86400, .number = 60 },
        { "hold", OB_SET_INT, AT(ob_sink_settings, hold), 1, 86400, .number = 60 },
        { "after_crash", OB_SET_CHOICE, AT(ob_sink_settings, after_crash), .number = OB_AFTER_CRASH_LOSE,
                .choices = crash_words },
        { "counters", OB_SET_CHOICE, AT(ob_sink_settings, counters), .number = OB_COUNTERS_COUNTER,
                .choices = counters_words },
        { "tagged", OB_SET_BOOL, AT(ob_sink_settings, tagged), .number = false },
        { "horizon", OB_SET_INT, AT(ob_sink_settings, horizon), 0, 86400, .number = 300 },
        { "creates", OB_SET_INT, AT(ob_sink_settings, creates), 0, 1000000, .number = 50 },
        { "max_age", OB_SET_LONG, AT(ob_sink_settings, max_age), 0, INT64_C(10000000000), .number = 0 },
        { "tags", OB_SET_GROUP },
        { "events", OB_SET_TEXT, AT(ob_sink_settings, events) },
        { NULL },
};
