/*
 * The whole config as one value. ob_config_load() makes it from a file and checks it; from then on it is const, and
 * any thread may read it. The config owns every text in it. No text is NULL unless its comment says so; a text that
 * is not set is "".
 */
#ifndef OB_CONFIG_CONFIG_H
#define OB_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "config/page.h"
#include "config/source.h"
#include "config/texts.h"
#include "proto/metric.h"

enum ob_level { OB_LOG_ERROR, OB_LOG_WARN, OB_LOG_INFO }; /* of lines in the log */
enum ob_tls { OB_TLS_OFF, OB_TLS_REQUIRED, OB_TLS_VERIFY };
enum ob_sink_type { OB_SINK_STATSD, OB_SINK_GRAPHITE, OB_SINK_EVENTS, OB_SINK_TYPES };
enum ob_flavor { OB_FLAVOR_PLAIN, OB_FLAVOR_DOGSTATSD };
enum ob_counters_as { OB_COUNTERS_COUNTER, OB_COUNTERS_GAUGE, OB_COUNTERS_BOTH, OB_COUNTERS_NONE };
enum ob_path { OB_PATH_IDS, OB_PATH_NAMES };
enum ob_after_crash { OB_AFTER_CRASH_LOSE, OB_AFTER_CRASH_REPEAT };
enum ob_receiver { OB_RECEIVER_OVERWRITE, OB_RECEIVER_APPEND };

struct ob_mysql_settings {
        const char *host, *socket, *user, *password, *database;
        const char *password_file;   /* the file that `password` was read from; it is read again at each log-in */
        const char *ca, *cert, *key; /* paths of files */
        int port;
        int connect_timeout, query_timeout; /* seconds */
        int tls;                            /* enum ob_tls */
};

#define OB_PAGE_WORDS_MAX 48

struct ob_page_settings {
        const char *url, *user, *password;
        const char *password_file; /* the file that `password` was read from; it is read again at each log-in */
        const char *zone; /* time zone of the dates on the pages: an IANA name, or "auto": found from the tables */
        const char *proxy;
        const char *ca, *cert, *key; /* of https: paths of files */
        int timeout;                 /* seconds to wait for one answer */
        int budget;                  /* seconds that one source may spend on fetching in one crawl */

        /* Words that this manager's pages have in the place of Otter's own words. */
        struct ob_page_word {
                const char *ours, *theirs;
        } words[OB_PAGE_WORDS_MAX];
        unsigned n_words;
};

struct ob_manager {
        const char *name; /* "" is possible only when there is one manager */
        struct ob_mysql_settings mysql;
        struct ob_page_settings page;
};

/*
 * The bytes that a Datadog Agent reads at once. The Agent cuts a longer datagram, and closes a stream with a longer
 * payload.
 */
#define OB_PAYLOAD_MAX 8192

struct ob_sink_settings {
        int type;         /* enum ob_sink_type */
        const char *name; /* no two sinks share a name: it identifies the sink in the store and in agent.* */
        const char *host;
        int port;
        int path;              /* enum ob_path: whether dotted names contain ids or names */
        int flavor;            /* statsd: enum ob_flavor */
        const char *socket;    /* statsd: the path of a unix socket; "" for UDP */
        int payload;           /* statsd: bytes in a datagram */
        int backlog;           /* dogstatsd: seconds; older points are sent with their time. 0: no point is */
        const char *container; /* dogstatsd: our container's id, or "auto": found; "": not sent */
        struct ob_tag
                tags[OB_TAGS_MORE_MAX]; /* sent with every point, by sinks that send tags. value NULL: no value */
        unsigned n_tags;
        int counters;       /* enum ob_counters_as; NONE, which no config says: neither amounts nor totals */
        int after_crash;    /* statsd, and graphite that appends: enum ob_after_crash */
        int receiver;       /* graphite: enum ob_receiver: what becomes of a second value of one step */
        int hold;           /* graphite that appends: seconds after the end of a step until the step is closed */
        int step;           /* graphite: seconds of carbon's finest retention */
        bool tagged;        /* graphite */
        int horizon;        /* graphite: seconds after which each step is sent once more */
        int creates;        /* graphite: carbon's MAX_CREATES_PER_MINUTE; 0: carbon has no limit */
        int64_t max_age;    /* graphite: seconds; older points are dropped and counted. 0: no point is too old */
        const char *events; /* graphite: the address of graphite-web; "": no events are sent. See `url` */
        const char *url;    /* events: the same address, of the sink that posts the events; NULL in other sinks */
};

/* The limits by which agent/source/health_rules.h evaluates the state of a pipeline. Seconds. */
struct ob_health_settings {
        int lag;        /* a larger delay or distance in the binlog: lagging */
        int idle;       /* without rows, while the position moves: idle */
        int stall;      /* without any movement: stalled, or hung */
        int skew;       /* by which a date is in the future: skewed */
        int hold;       /* that a new state must last before the change is reported */
        bool heartbeat; /* a database with nothing to copy has a heartbeat, so a silent pipeline hangs */
};

#define OB_STATE_HOSTS_MAX 9
#define OB_STATE_AGENT_MAX 200 /* bytes */

/* The database in which several agents keep their state. */
struct ob_state_settings {
        const char *hosts[OB_STATE_HOSTS_MAX]; /* tried in turn */
        size_t n_hosts;                        /* 0: there is no such database, and the state is in state_dir */
        struct ob_mysql_settings mysql;        /* with the first host, and the time-outs that fit the lease */
        int lease;         /* seconds for which an agent owns the state without renewing the lease */
        const char *agent; /* the name of this agent, which no other living agent has */
};

/* The page that shows how the agent works. */
struct ob_status_settings {
        const char *listen;          /* "": there is no page */
        const char *user, *password; /* both are set, or both are "" */
        const char *password_file;   /* the file that `password` was read from; it is read again at each request */
        int patience;                /* seconds that a source or sink may be late before it is called ill */
        struct ob_status_address {
                struct sockaddr_storage at;
                socklen_t length;
                bool is_local; /* only this machine reaches the address */
        } address;             /* of `listen` */
};

struct ob_config {
        const char *file; /* the path of this config */
        const char *prefix, *log_file;
        const char *state_dir;          /* "": the state is in the database of `state`; without one, in memory */
        struct ob_state_settings state; /* see n_hosts there */
        int log_level;                  /* enum ob_level */
        int drain;                      /* seconds */
        int64_t queue_max_bytes;
        struct {
                bool enabled; /* whether names are looked up at all */
                int every;    /* seconds */
        } names;
        struct ob_health_settings health;
        struct ob_status_settings status;
        struct ob_manager *managers; /* owned */
        size_t n_managers;
        struct ob_source *sources; /* owned: the built-in sources, then the user's; also those that are disabled */
        size_t n_sources;
        struct ob_page *pages; /* owned: the built-in pages, then those of the user's sources */
        size_t n_pages;
        struct ob_sink_settings *sinks; /* owned */
        size_t n_sinks;
        struct ob_texts texts; /* owned: the texts that all pointers above point to */
};

/* Also takes NULL. */
void ob_config_free(struct ob_config *config);

/* Whether a sink sends the tags and labels of a series; another sink sends dotted names. */
bool ob_config_has_tags(const struct ob_sink_settings *s);

/*
 * How many file descriptors an agent with this config may have open at once: files of the store, sessions, sockets.
 */
int64_t ob_config_descriptors(const struct ob_config *c);

/*
 * A file that every user of this machine may use in a way that only its owner should: read a secret in the file,
 * write to the file, or replace the files in state_dir or include_dir. (Others may list state_dir: only the owner
 * can read its files.)
 */
struct ob_exposed {
        const char *file; /* borrowed from the config */
        const char *why, *fix;
};

/* Finds the next exposed file. `*i` begins at 0 and is moved on. False when there is no further exposed file. */
bool ob_config_exposed(const struct ob_config *c, size_t *i, struct ob_exposed *e);

/* The least common multiple of the steps of all Graphite sinks, in seconds; 0: there is no Graphite sink. */
int64_t ob_steps_multiple(const struct ob_config *c);

/*
 * A gauge that says nothing new is sent once in each step of this length in seconds, since sending costs a commit
 * and wakes every sink. The length is the greatest common divisor of OB_REPEAT_SECONDS and the steps of all
 * Graphite sinks, so that each of their steps gets a value.
 */
#define OB_REPEAT_SECONDS 10 /* StatsD servers and the Datadog Agent aggregate over ten seconds */
int64_t ob_steps_repeat(const struct ob_config *c);

/* Whether a gauge that was sent at `sent` is sent again at `now`: both in seconds. A step of 0: always. */
static inline bool ob_repeat_is_due(int64_t step, int64_t sent, int64_t now)
{
        return !step || now / step != sent / step;
}

#endif
