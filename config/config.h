/*
 * The whole config, as one value: read from a file, checked, const from then on. Any thread may read
 * it. The texts in it belong to it.
 */
#ifndef OB_CONFIG_CONFIG_H
#define OB_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "config/page.h"
#include "config/setting.h"
#include "config/source.h"
#include "proto/metric.h"

enum ob_level { OB_LOG_ERROR, OB_LOG_WARN, OB_LOG_INFO }; /* of lines in the log */
enum ob_tls { OB_TLS_OFF, OB_TLS_REQUIRED, OB_TLS_VERIFY };
enum ob_sink_type { OB_SINK_STATSD, OB_SINK_GRAPHITE, OB_SINK_EVENTS, OB_SINK_TYPES };
enum ob_flavor { OB_FLAVOR_PLAIN, OB_FLAVOR_DOGSTATSD };
enum ob_counters_as { OB_COUNTERS_COUNTER, OB_COUNTERS_GAUGE, OB_COUNTERS_BOTH };
enum ob_path { OB_PATH_IDS, OB_PATH_NAMES };
enum ob_after_crash { OB_AFTER_CRASH_LOSE, OB_AFTER_CRASH_REPEAT };

struct ob_mysql_settings {
        const char *host, *socket, *user, *password, *database;
        const char *password_file;   /* that `password` was read from, and is read from again; "" */
        const char *ca, *cert, *key; /* files; "" */
        int port;
        int connect_timeout, query_timeout; /* seconds */
        int tls;                            /* enum ob_tls */
};

#define OB_PAGE_WORDS_MAX 48

struct ob_page_settings {
        const char *url, *user, *password;
        const char *password_file;   /* that `password` was read from, and is read from again; "" */
        const char *zone;            /* of the dates on it: an IANA name, or "auto": found by comparing */
        const char *proxy;           /* "": none */
        const char *ca, *cert, *key; /* of https; "" */
        int timeout;                 /* seconds an answer */
        int budget;                  /* seconds that a source may fetch in one round */

        /* What a manager's pages say where Otter's own say something else. */
        struct ob_page_word {
                const char *ours, *theirs;
        } words[OB_PAGE_WORDS_MAX];
        unsigned n_words;
};

extern const struct ob_page_settings ob_page_defaults; /* what holds where the config says nothing */

struct ob_manager {
        const char *name; /* "" when it is the only one and has none */
        struct ob_mysql_settings mysql;
        struct ob_page_settings page;
};

#define OB_PAYLOAD_MAX 8192 /* what a Datadog Agent reads at once: it cuts, or hangs up on, what is longer */

struct ob_sink_settings {
        int type;         /* enum ob_sink_type */
        const char *name; /* tells sinks apart, in the store and in agent.*; default: its type */
        const char *host;
        int port;
        int path;                             /* enum ob_path: what stands in dotted names */
        int flavor;                           /* statsd: enum ob_flavor */
        const char *socket;                   /* statsd: path of a unix socket, "" for UDP */
        int payload;                          /* statsd: bytes in a datagram */
        int backlog;                          /* dogstatsd: seconds; older points carry their time. 0: none does */
        const char *container;                /* dogstatsd: the id of ours; "auto": to be found; "": not told */
        struct ob_tag tags[OB_TAGS_MORE_MAX]; /* of everything, where there are tags; value NULL: it has none */
        unsigned n_tags;
        int counters;       /* statsd: enum ob_counters_as */
        int after_crash;    /* statsd: enum ob_after_crash */
        int step;           /* graphite: seconds of carbon's finest retention */
        bool tagged;        /* graphite */
        int horizon;        /* graphite: seconds after which each step is sent once more */
        int creates;        /* graphite: carbon's MAX_CREATES_PER_MINUTE; 0: it has no limit */
        int64_t max_age;    /* graphite: seconds; older points are refused. 0: none is too old */
        const char *events; /* graphite: where graphite-web is; "": it is not told. A sink of its own does that: */
        const char *url;    /* events: the same */
};

/* When a pipeline is called what, see agent/source/health_rules.h. Seconds. */
struct ob_health_settings {
        int lag;        /* of delay, or behind in the binlog: lagging */
        int idle;       /* without rows, but alive: idle */
        int stall;      /* in which nothing moved: stalled, or hung */
        int skew;       /* that a date is in the future: skewed */
        int hold;       /* that a new state must last until it is told */
        bool heartbeat; /* sources without rows have a heartbeat: one that is silent hangs */
};

/* The page that shows how the agent gets on. */
struct ob_status_settings {
        const char *listen;          /* "": nowhere */
        const char *user, *password; /* ""; both or none */
        const char *password_file;   /* that `password` was read from, and is read from again; "" */
        int patience;                /* seconds that a source or sink may be late until it is called ill */
        struct ob_status_address {
                struct sockaddr_storage at;
                socklen_t length;
                bool is_local; /* only this machine reaches it */
        } address;             /* of `listen` */
};

struct ob_config {
        const char *file; /* this config's own path */
        const char *prefix, *state_dir, *log_file;
        int log_level; /* enum ob_level */
        int drain;     /* seconds */
        int64_t queue_max_bytes;
        struct {
                bool enabled; /* whether names are looked up at all */
                int every;    /* seconds */
        } names;
        struct ob_health_settings health;
        struct ob_status_settings status;
        struct ob_manager *managers; /* ours */
        size_t n_managers;
        struct ob_source *sources; /* ours: the built-in ones, then the user's; also disabled ones */
        size_t n_sources;
        struct ob_page *pages; /* ours: the built-in ones, then those of the user's sources */
        size_t n_pages;
        struct ob_sink_settings *sinks; /* ours */
        size_t n_sinks;
        struct ob_texts texts;
};

/* Whether a sink sends the tags, and so labels, of a series; else it sends dotted names. */
bool ob_config_has_tags(const struct ob_sink_settings *s);

/* Reads `file`. NULL, and `err` says `FILE:LINE: …`, when anything in it is wrong. */
struct ob_config *ob_config_load(const char *file, struct ob_err *err);
void ob_config_free(struct ob_config *config);

/* How many descriptors an agent with this config may have open at once: files of the store, sessions, sockets. */
int64_t ob_config_descriptors(const struct ob_config *c);

/*
 * What everybody on this machine may do that only the owner should: read a file that holds a secret, write to one
 * or to the config, replace what is in state_dir. (That others may list state_dir shows them nothing: its files are
 * the owner's alone.)
 */
struct ob_exposed {
        const char *file; /* borrowed of the config */
        const char *why, *fix;
};

/* The next one from `*i` on, which begins at 0. False: there is none. */
bool ob_config_exposed(const struct ob_config *c, size_t *i, struct ob_exposed *e);

/*
 * The file behind "defining a source of one's own": reads `table` and `columns` of a group into a
 * source that has its name and default settings; of one with an `address`, also its page. In define.c.
 */
int ob_config_define(const config_setting_t *group, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err);

/* Whether a group defines a source that is read off a page. */
bool ob_config_is_page(const config_setting_t *group);

/* `address`, `heading` and `rows` of such a group; one column of it. In define_page.c. */
int ob_config_define_page(
        const config_setting_t *group, struct ob_page *page, struct ob_texts *texts, struct ob_err *err);
int ob_config_define_cell(const config_setting_t *at, const struct ob_column *c, struct ob_page_column *cell,
        struct ob_texts *texts, struct ob_err *err);

/* Reads one more manager. In manager.c. */
int ob_config_read_manager(const config_setting_t *at, struct ob_config *c, struct ob_err *err);

/* Reads the group `status`. In status.c. */
int ob_config_read_status(const config_setting_t *root, struct ob_config *c, struct ob_err *err);

/* What the tables of settings can't say of a sink. In sink.c. */
int ob_config_check_sink(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err);

/* Adds a tag, "key:value" or "key", to those of a sink, unless there is one with its key. */
int ob_config_add_tag(struct ob_sink_settings *s, const char *tag, struct ob_texts *texts, struct ob_err *err);

/* What Datadog's clients take from the environment, for what a sink's group does not set itself. In datadog.c. */
int ob_config_take_datadog(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err);

/* What the tables of settings can't say of a manager's `page`: its url, its zone and its words. In define_page.c.
 */
int ob_config_check_page(
        const config_setting_t *manager, struct ob_page_settings *page, struct ob_texts *texts, struct ob_err *err);

#endif
