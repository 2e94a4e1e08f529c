/*
 * The tables of panels and alerts. The files for Grafana and for Datadog are both made from them, and so say the
 * same. config/builtin.c says what the numbers of each series mean.
 */
#include "agent/dashboards/board.h"

#include <string.h>

#include "config/own_series.h"
#include "proto/memory.h"
#include "proto/pipeline_state.h"

#define POLLS_MISSED 5 /* after so many missed polls a source counts as not read */

const struct ob_board_facts ob_boards[OB_BOARDS] = {
        [OB_BOARD_OVERVIEW] = { "overview", "Otter: all pipelines" },
        [OB_BOARD_PIPELINE] = { "pipeline", "Otter: one pipeline", "pipeline" },
        [OB_BOARD_AGENT] = { "agent", "otterbeat itself" },
};

static const struct ob_word_of states[] = { { OB_STATE_OK, "ok", "green" }, { OB_STATE_IDLE, "idle", "blue" },
        { OB_STATE_PAUSED, "paused", "purple" }, { OB_STATE_STOPPED, "stopped", "dark-purple" },
        { OB_STATE_LOCATING, "locating", "yellow" }, { OB_STATE_LAGGING, "lagging", "orange" },
        { OB_STATE_SKEWED, "skewed clock", "dark-yellow" }, { OB_STATE_STALLED, "stalled", "red" },
        { OB_STATE_HUNG, "hung", "dark-red" }, { 0 } };
static const struct ob_word_of mainstems[] = { { 0, "not working", "red" }, { 1, "locating", "yellow" },
        { 2, "working", "green" }, { 0 } };
static const struct ob_word_of channels[] = { { 0, "stopped", "red" }, { 1, "paused", "purple" },
        { 2, "running", "green" }, { 0 } };
static const struct ob_word_of ups[] = { { 0, "down", "red" }, { 1, "up", "green" }, { 0 } };

#define MINUTE 60

const struct ob_panel ob_panels[] = {
        { OB_BOARD_OVERVIEW, OB_LOOK_WORDS, "State",
                "The state of each pipeline, evaluated from all tables and pages.", "none", states,
                { { "state", .by = "pipeline" } }, true },
        { OB_BOARD_OVERVIEW, OB_LOOK_LINES, "Worst delay",
                "The time from a change at the source to its arrival at the target.", "ms", NULL,
                { { "delay_ms", .by = "pipeline", .top = 10 } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_LINES, "Longest time without a report",
                "The time since each pipeline last reported a delay. This time also grows while "
                "nothing changes at the source.",
                "s", NULL, { { "delay_age_s", .by = "pipeline", .top = 10 } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_STACK, "Rows replicated", "", "cps", NULL,
                { { "throughput.count", .by = "pipeline", .only = { "type", "row" }, .per = 1 } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_STACK, "Bytes replicated", "", "Bps", NULL,
                { { "throughput.bytes", .by = "pipeline", .per = 1 } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_BARS, "Exceptions", "Exceptions in Otter's log, by pipeline.", "cpm", NULL,
                { { "log.records", .by = "pipeline", .only = { "title", "exception" }, .per = MINUTE } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_BARS, "Otter's log", "All alarms of Otter's own rules, by title.", "cpm", NULL,
                { { "log.records", .by = "title", .per = MINUTE } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_WORDS, "Channels", "", "none", channels,
                { { "channel_state", .by = "channel" } } },
        { OB_BOARD_OVERVIEW, OB_LOOK_WORDS, "Nodes", "", "none", ups, { { "node_up", .by = "node" } } },

        { OB_BOARD_PIPELINE, OB_LOOK_WORDS, "State", "", "none", states, { { "state", .legend = "state" } } },
        { OB_BOARD_PIPELINE, OB_LOOK_WORDS, "Mainstem", "The mainstem is the part of Otter that reads the binlog.",
                "none", mainstems, { { "mainstem_state", .legend = "mainstem" } } },
        { OB_BOARD_PIPELINE, OB_LOOK_LINES, "Delay", "", "ms", NULL,
                { { "delay_ms", .legend = "of rows that arrived" },
                        { "binlog_lag_ms", .legend = "behind the binlog" } } },
        { OB_BOARD_PIPELINE, OB_LOOK_LINES, "Time since the last report",
                "The time since each of these values last changed. When all lines grow, nothing arrives, or "
                "nothing changes at the source.",
                "s", NULL,
                { { "delay_age_s", .legend = "delay" }, { "throughput_age_s", .legend = "throughput" },
                        { "last_sync_age_s", .legend = "last sync" },
                        { "last_position_age_s", .legend = "position" } } },
        { OB_BOARD_PIPELINE, OB_LOOK_STACK, "Replicated", "Rows, and files if the pipeline copies files.", "cps",
                NULL, { { "throughput.count", .by = "type", .per = 1 } } },
        { OB_BOARD_PIPELINE, OB_LOOK_STACK, "Bytes", "", "Bps", NULL,
                { { "throughput.bytes", .by = "type", .per = 1 } } },
        { OB_BOARD_PIPELINE, OB_LOOK_LINES, "Stages", "The slowest batch in flight, by stage.", "ms", NULL,
                { { "stage_ms", .by = "stage" } } },
        { OB_BOARD_PIPELINE, OB_LOOK_LINES, "Batches in flight",
                "When this number reaches the parallelism, the target or the network is slow.", "none", NULL,
                { { "in_flight", .legend = "in flight" }, { "page.parallelism", .legend = "parallelism" } } },
        { OB_BOARD_PIPELINE, OB_LOOK_STACK, "Inserts", "By pair of tables.", "cps", NULL,
                { { "table.inserts", .by = "pair", .top = 10, .per = 1 } } },
        { OB_BOARD_PIPELINE, OB_LOOK_STACK, "Updates", "By pair of tables.", "cps", NULL,
                { { "table.updates", .by = "pair", .top = 10, .per = 1 } } },
        { OB_BOARD_PIPELINE, OB_LOOK_STACK, "Deletes", "By pair of tables.", "cps", NULL,
                { { "table.deletes", .by = "pair", .top = 10, .per = 1 } } },
        { OB_BOARD_PIPELINE, OB_LOOK_BARS, "Otter's log", "", "cpm", NULL,
                { { "log.records", .by = "title", .per = MINUTE } } },

        { OB_BOARD_AGENT, OB_LOOK_LINES, "Time since the last complete poll",
                "This time grows while a source cannot be read.", "s", NULL,
                { { "agent.source_age_s", .by = "source" } } },
        { OB_BOARD_AGENT, OB_LOOK_LINES, "Time of a poll", "", "ms", NULL,
                { { "agent.poll_ms", .by = "source" } } },
        { OB_BOARD_AGENT, OB_LOOK_STACK, "Rows read", "", "cps", NULL,
                { { "agent.rows", .by = "source", .per = 1 } } },
        { OB_BOARD_AGENT, OB_LOOK_BARS, "Errors",
                "Failed polls, and rows and cells that could not be read; the log says which ones and why.", "cpm",
                NULL, { { "agent.errors", .by = "source", .per = MINUTE } } },
        { OB_BOARD_AGENT, OB_LOOK_BARS, "Late rows",
                "Rows that became visible after a newer row had been counted; these rows are counted, too.", "cpm",
                NULL, { { "agent.late_rows", .by = "source", .per = MINUTE } } },
        { OB_BOARD_AGENT, OB_LOOK_STACK, "Points sent", "", "cps", NULL,
                { { "agent.sent", .by = "sink", .per = 1 } } },
        { OB_BOARD_AGENT, OB_LOOK_LINES, "Points behind",
                "Points in the queue that the sink has not delivered yet.", "none", NULL,
                { { "agent.behind", .by = "sink" } } },
        { OB_BOARD_AGENT, OB_LOOK_BARS, "Points lost", "", "cpm", NULL,
                { { "agent.lost", .by = "sink", .per = MINUTE } } },
        { OB_BOARD_AGENT, OB_LOOK_BARS, "Reconnects", "", "cpm", NULL,
                { { "agent.reconnects", .by = "sink", .per = MINUTE } } },
        { OB_BOARD_AGENT, OB_LOOK_LINES, "Points in the queue", "", "none", NULL,
                { { "agent.queue_points", .by = "agent" } } },
        { OB_BOARD_AGENT, OB_LOOK_LINES, "Bytes in the queue", "", "decbytes", NULL,
                { { "agent.queue_bytes", .by = "agent" } } },
        { OB_BOARD_AGENT, OB_LOOK_STACK, "Managers", "How many managers each agent owns.", "none", NULL,
                { { "agent.managers", .by = "agent" } } },
        { OB_BOARD_AGENT, OB_LOOK_LINES, "Managers without an owner",
                "How many managers no agent has owned for longer than a lease, as each agent sees it.", "none",
                NULL, { { "agent.managers_unowned", .by = "agent" } } },
};

const unsigned ob_n_panels = sizeof(ob_panels) / sizeof(*ob_panels);

const char *const ob_severities[OB_SEVERITIES] = {
        [OB_CRITICAL] = "critical",
        [OB_WARNING] = "warning",
        [OB_INFO] = "info",
};

#define OF_STATE                                                                                                   \
        {                                                                                                          \
                "state", .by = "pipeline"                                                                          \
        }

const struct ob_alert ob_alerts[] = {
        { "stalled", "A pipeline is stalled or hangs", OF_STATE, OB_CRITICAL, OB_REDUCE_LAST, OB_ABOVE,
                .number = OB_STATE_SKEWED, .for_seconds = 60, .window = 600,
                .means = "Nothing arrives, although there is work (7) or Otter says that the pipeline works (8).",
                .todo = "Look at the dashboard of the pipeline: which stage does not move, and what does Otter's log say? Read the node's "
                        "log; stop and start the channel. If the position does not move, look at the source: the binlog may be "
                        "purged, or canal may have no connection." },
        { "lagging", "A pipeline lags", { "delay_ms", .by = "pipeline" }, OB_WARNING, OB_REDUCE_LAST, OB_ABOVE,
                OB_LIMIT_LAG_MS, .for_seconds = 300, .window = 600,
                .means = "Rows arrive at the target with a delay longer than `lag` in the config.",
                .todo = "Compare the stages: a slow target makes load slow, a slow network makes extract slow. A burst at the source "
                        "ends by itself; a growing lag does not. More parallelism helps only when the batches in flight reach the "
                        "parallelism." },
        { "locating", "A pipeline does not find its position", OF_STATE, OB_WARNING, OB_REDUCE_LAST, OB_EQUAL,
                .number = OB_STATE_LOCATING, .for_stall = true, .window = 600,
                .means =
                        "The pipeline has been searching for its position in the binlog (定位中) for longer than `stall` in the config.",
                .todo = "Read canal's log on the node: the binlog that canal needs may be purged, or the source may be another server now." },
        { "paused", "A pipeline is paused", OF_STATE, OB_WARNING, OB_REDUCE_LAST, OB_EQUAL,
                .number = OB_STATE_PAUSED, .for_seconds = 300, .window = 600,
                .means =
                        "The channel of the pipeline is paused (挂起), by Otter because of an exception, or by a person.",
                .todo = "Read the exceptions in Otter's log, remove their cause, and release the channel." },
        { "stopped", "A pipeline is stopped", OF_STATE, OB_INFO, OB_REDUCE_LAST, OB_EQUAL,
                .number = OB_STATE_STOPPED, .for_seconds = 900, .window = 600,
                .means = "Somebody has stopped the channel of the pipeline.",
                .todo = "Start the channel, or silence this alert for the pipeline." },
        { "skewed", "A pipeline's delay is not reliable", OF_STATE, OB_WARNING, OB_REDUCE_LAST, OB_EQUAL,
                .number = OB_STATE_SKEWED, .for_seconds = 300, .window = 600,
                .means =
                        "The clocks of the source, the nodes, the manager and its database differ, so delays are wrong.",
                .todo = "Let all machines follow one time server, and set `zone` in the config to the manager's time zone." },
        { "exceptions", "Otter logs exceptions",
                { "log.records", .by = "pipeline", .only = { "title", "exception" } }, OB_WARNING, OB_REDUCE_SUM,
                OB_ABOVE, .number = 0, .window = 600, .means = "Otter logged an exception in the last ten minutes.",
                .todo = "Read the exception in the manager's log records. Otter tries again by itself, and pauses the channel when it stops trying." },
        { "node-down", "A node is down", { "node_up", .by = "node" }, OB_CRITICAL, OB_REDUCE_LAST, OB_BELOW,
                .number = 1, .for_seconds = 120, .window = 600,
                .means =
                        "The manager does not see the node: the process of the node has ended, or the node has lost its ZooKeeper.",
                .todo = "Start the node. A pipeline that has no other node for one of its stages does not move." },
        { "source-unread", "otterbeat cannot read a source", { "agent.source_age_s", .by = "source" }, OB_WARNING,
                OB_REDUCE_LAST, OB_ABOVE, OB_LIMIT_UNREAD_S, .for_seconds = 60, .window = 600,
                .means =
                        "The last complete poll was long ago. The series of this source are missing, so their alerts are silent.",
                .todo = "Run otterbeat --check: the database or the manager may be down, a grant or an index may be missing, or a page has changed." },
        { "errors", "otterbeat cannot read everything", { "agent.errors", .by = "source" }, OB_INFO, OB_REDUCE_SUM,
                OB_ABOVE, .number = 0, .window = 600,
                .means = "Polls failed, or single rows or cells could not be read. All other rows were counted.",
                .todo = "Read otterbeat's log: it says which rows or pages, and why." },
        { "behind", "A sink does not deliver its points", { "agent.behind", .by = "sink" }, OB_WARNING,
                OB_REDUCE_LAST, OB_ABOVE, .number = 10000, .for_seconds = 600, .window = 600,
                .means = "Points wait in otterbeat's queue, because the sink's server is down or slow.",
                .todo = "Look at the server of the sink. When the queue is full, otterbeat drops the oldest points." },
        { "lost", "Points are lost", { "agent.lost", .by = "sink" }, OB_WARNING, OB_REDUCE_SUM, OB_ABOVE,
                .number = 0, .window = 600,
                .means = "Points were dropped, because the queue was full, or because they could not be sent.",
                .todo = "Read otterbeat's log: it says why. otterbeat replay sends the history in the tables again to each Graphite sink that overwrites." },
        { "no-owner", "A manager has no owner", { "agent.managers_unowned", .by = "agent" }, OB_CRITICAL,
                OB_REDUCE_LAST, OB_ABOVE, .number = 0, .for_seconds = 60, .window = 300,
                .means =
                        "Agents share a state and are running, but none of them works on these managers: their rows are not read, and nothing is sent for them.",
                .todo = "Run otterbeat cluster: it shows the owner of each manager. Read the log of each agent." },
        { "silent", "otterbeat is silent", { "agent.queue_points", .by = "agent" }, OB_CRITICAL, OB_REDUCE_SILENT,
                OB_BELOW, .number = 1, .window = 21600,
                .means =
                        "No data arrives: the agent is down, or its points do not arrive. No other alert can fire now.",
                .todo = "Run ./ctl status or systemctl status otterbeat; then read otterbeat's log, and then carbon's log." },
};

const unsigned ob_n_alerts = sizeof(ob_alerts) / sizeof(*ob_alerts);

static int slowest(const struct ob_config *c)
{
        int every = 0;

        for (size_t i = 0; i < c->n_sources; i++)
                if (c->sources[i].enabled && c->sources[i].every > every)
                        every = c->sources[i].every;
        return every;
}

int64_t ob_alert_limit(const struct ob_alert *a, const struct ob_config *c)
{
        int64_t missed = (int64_t)slowest(c) * POLLS_MISSED;

        if (a->limit == OB_LIMIT_LAG_MS)
                return (int64_t)c->health.lag * 1000;
        if (a->limit == OB_LIMIT_UNREAD_S)
                return missed > c->health.stall ? missed : c->health.stall;
        return a->number;
}

int ob_alert_for(const struct ob_alert *a, const struct ob_config *c)
{
        return a->for_stall ? c->health.stall : a->for_seconds;
}

const struct ob_alert *ob_alert_above(const struct ob_query *q)
{
        for (unsigned i = 0; i < ob_n_alerts; i++)
                if (ob_alerts[i].compare == OB_ABOVE && ob_alerts[i].reduce == OB_REDUCE_LAST &&
                        !strcmp(ob_alerts[i].query.series, q->series))
                        return &ob_alerts[i];
        return NULL;
}

bool ob_board_has_managers(const struct ob_config *c)
{
        return c->n_managers && *c->managers[0].name;
}

static bool makes(const struct ob_source *s, const char *name, bool *is_counter)
{
        for (unsigned i = 0; i < s->n_columns; i++) {
                enum ob_role role = s->columns[i].role;

                if (!ob_roles[role].is_metric || strcmp(s->columns[i].name, name) != 0)
                        continue;
                *is_counter = role == OB_INCREMENT || role == OB_TOTAL || role == OB_COUNT;
                return true;
        }
        return false;
}

static void add_tag(struct ob_board_series *out, const char *tag)
{
        out->tags[out->n_tags++] = tag;
}

/* Adds the tags that row.c gives to a series of this source. */
static void add_tags(struct ob_board_series *out, const struct ob_config *c, const struct ob_source *s)
{
        if (ob_board_has_managers(c))
                add_tag(out, "manager");
        for (unsigned i = 0; i < s->n_columns; i++)
                if (s->columns[i].role == OB_KEY || s->columns[i].role == OB_ENUM)
                        add_tag(out, s->columns[i].name);
}

static bool find_own(const struct ob_config *c, const char *name, struct ob_board_series *out)
{
        for (int i = 0; i < OB_OWN_SERIES; i++) {
                const struct ob_own_series *own = &ob_own_series[i];

                if (strcmp(own->name, name) != 0 || (own->is_of_cluster && !c->state.n_hosts))
                        continue;
                out->is_counter = own->kind == OB_COUNTER;
                if (own->is_of_manager && ob_board_has_managers(c))
                        add_tag(out, "manager");
                for (unsigned t = 0; t < OB_OWN_TAGS_MAX && own->tags[t]; t++)
                        add_tag(out, own->tags[t]);
                return true;
        }
        return false;
}

bool ob_board_series(const struct ob_config *c, const char *name, struct ob_board_series *out)
{
        *out = (struct ob_board_series) { .is_counter = false };
        for (size_t i = 0; i < c->n_sources; i++)
                if (c->sources[i].enabled && makes(&c->sources[i], name, &out->is_counter)) {
                        add_tags(out, c, &c->sources[i]);
                        return true;
                }
        return find_own(c, name, out);
}

int ob_board_series_tag(const struct ob_board_series *s, const char *tag)
{
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!strcmp(s->tags[i], tag))
                        return (int)i;
        return -1;
}

unsigned ob_board_by(const struct ob_board_series *s, const struct ob_query *q, const char *by[OB_BY_MAX])
{
        static const char *const whose[] = { "manager", "agent" };
        unsigned n = 0;

        if (!q->by)
                return 0;
        for (size_t i = 0; i < sizeof(whose) / sizeof(*whose); i++)
                if (ob_board_series_tag(s, whose[i]) >= 0 && strcmp(whose[i], q->by) != 0)
                        by[n++] = whose[i];
        by[n++] = q->by;
        return n;
}

char *ob_board_name(const struct ob_config *c, const char *series)
{
        return ob_format("%s%s%s", c->prefix, *c->prefix ? "." : "", series);
}

bool ob_board_has(const struct ob_config *c, const struct ob_query *q)
{
        struct ob_board_series s;

        return ob_board_series(c, q->series, &s);
}

const struct ob_panel *ob_panel_of(const struct ob_config *c, const struct ob_query *q, int *number)
{
        int at[OB_BOARDS] = { 0 };

        for (unsigned i = 0; i < ob_n_panels; i++) {
                const struct ob_panel *p = &ob_panels[i];

                if (!ob_board_has(c, &p->queries[0]))
                        continue;
                *number = ++at[p->board];
                if (!strcmp(p->queries[0].series, q->series))
                        return p;
        }
        return NULL;
}
