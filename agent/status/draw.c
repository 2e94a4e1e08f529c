/*
 * The status for programs: JSON, Prometheus' text format 0.0.4 (base units, and what `promtool check metrics` asks
 * for), and one word for probes. The page for people is status_html.c.
 */
#include "agent/status/draw.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

/* The key of each number in JSON. */
static const char *const number_words[OB_NUMBERS] = {
        [OB_NUMBER_AGE_MS] = "age_ms",
        [OB_NUMBER_LIMIT_MS] = "limit_ms",
        [OB_NUMBER_POLL_MS] = "poll_ms",
        [OB_NUMBER_ROWS] = "rows",
        [OB_NUMBER_LATE_ROWS] = "late_rows",
        [OB_NUMBER_ERRORS] = "errors",
        [OB_NUMBER_FAILING_MS] = "failing_ms",
        [OB_NUMBER_BEHIND] = "behind",
        [OB_NUMBER_POINTS] = "points",
        [OB_NUMBER_SENT] = "sent",
        [OB_NUMBER_FOLDED] = "folded",
        [OB_NUMBER_LATE] = "late",
        [OB_NUMBER_LOST] = "lost",
        [OB_NUMBER_UNCERTAIN] = "uncertain",
        [OB_NUMBER_RECONNECTS] = "reconnects",
};

static void put_number(json_t *object, const char *key, int64_t number)
{
        json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void put_text(json_t *object, const char *key, const char *text)
{
        json_object_set_new(object, key, json_string(text));
}

static json_t *one(const struct ob_view_one *o, enum ob_number first, enum ob_number last)
{
        json_t *object = json_object(), *done = json_array(), *failures = json_array();

        put_text(object, "name", o->name);
        put_text(object, "health", ob_wellness_word(o->well));
        put_text(object, "why", o->why);
        put_number(object, number_words[OB_NUMBER_LIMIT_MS], o->numbers[OB_NUMBER_LIMIT_MS]);
        for (int i = (int)first; i <= (int)last; i++)
                put_number(object, number_words[i], o->numbers[i]);
        put_text(object, "last_error", o->story.error);
        put_number(object, "last_error_at", o->story.error_at);
        for (int i = 0; i < OB_HEALTH_MINUTES; i++) {
                json_array_append_new(done, json_integer((json_int_t)o->story.minutes[i].done));
                json_array_append_new(failures, json_integer((json_int_t)o->story.minutes[i].failures));
        }
        json_object_set_new(object, "done_by_minute", done);
        json_object_set_new(object, "failures_by_minute", failures);
        return object;
}

static json_t *all(const struct ob_view_one *from, size_t n, enum ob_number first, enum ob_number last)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, one(&from[i], first, last));
        return list;
}

static json_t *pipelines(const struct ob_view *v)
{
        json_t *list = json_array();

        for (size_t i = 0; i < v->n_managers; i++)
                for (size_t k = 0; k < v->managers[i].n; k++) {
                        const struct ob_pipeline *p = &v->managers[i].pipelines[k];
                        json_t *object = json_object();

                        put_text(object, "manager", v->managers[i].name);
                        put_text(object, "pipeline", p->id);
                        put_text(object, "state", ob_state_word(p->state));
                        put_text(object, "why", p->why);
                        put_number(object, "for_ms", v->clock - p->since);
                        json_array_append_new(list, object);
                }
        return list;
}

static json_t *headlines(const struct ob_view *v)
{
        static const char *const words[OB_HEADLINES] = {
                [OB_HEADLINE_AGENT] = "otterbeat", [OB_HEADLINE_OTTER] = "otter"
        };
        struct ob_headline lines[OB_HEADLINES];
        json_t *list = json_array();

        ob_headlines(v, lines);
        for (size_t i = 0; i < OB_HEADLINES; i++) {
                json_t *object = json_object();

                put_text(object, "of", words[lines[i].of]);
                put_text(object, "health", lines[i].is_known ? ob_wellness_word(lines[i].well) : "unknown");
                put_text(object, "text", lines[i].text);
                json_array_append_new(list, object);
        }
        return list;
}

/* The managers of a shared state, and who owns them. */
static json_t *leases(const struct ob_view *v)
{
        json_t *object = json_object(), *list = json_array();

        for (size_t i = 0; i < v->n_leases; i++) {
                const struct ob_lease_story *l = &v->leases[i];
                bool is_ours = l->state != OB_LEASE_WAITS;
                json_t *one = json_object();

                put_text(one, "manager", l->manager);
                put_text(one, "owner", is_ours ? v->of->config->state.agent : l->owner);
                put_number(one, "generation", l->generation);
                put_number(one, "age_ms", l->age_ms);
                json_array_append_new(list, one);
        }
        put_text(object, "agent", v->of->config->state.agent);
        put_number(object, "managers", (int64_t)v->membership.managers);
        put_number(object, "unowned", (int64_t)v->membership.unowned);
        json_object_set_new(object, "leases", list);
        return object;
}

void ob_status_json(const struct ob_view *v, struct ob_bytes *out)
{
        json_t *top = json_object(), *queue = json_object();
        char *text;

        put_text(top, "version", OB_VERSION);
        put_text(top, "host", v->of->counters[0]->host);
        put_number(top, "now", v->now);
        put_number(top, "started", v->of->counters[0]->started);
        put_text(top, "health", v->is_stopping ? "stopping" : ob_view_count(v, OB_ILL) ? "ill" : "ok");
        json_object_set_new(top, "headlines", headlines(v));
        put_number(queue, "points", v->queue_points);
        put_number(queue, "bytes", v->queue_bytes);
        put_number(queue, "limit_bytes", v->of->config->queue_max_bytes);
        json_object_set_new(top, "queue", queue);
        if (v->membership.is_open)
                json_object_set_new(top, "cluster", leases(v));
        json_object_set_new(top, "sources", all(v->sources, v->n_sources, OB_NUMBER_AGE_MS, OB_NUMBER_ERRORS));
        json_object_set_new(top, "sinks", all(v->sinks, v->n_sinks, OB_NUMBER_FAILING_MS, OB_NUMBER_RECONNECTS));
        json_object_set_new(top, "pipelines", pipelines(v));
        text = json_dumps(top, JSON_COMPACT);
        ob_bytes_add(out, text, strlen(text));
        ob_bytes_add(out, "\n", 1);
        free(text);
        json_decref(top);
}

enum subject { OF_SOURCE, OF_SINK };

/* The metrics of each source or sink. */
static const struct {
        enum subject of;
        const char *name;
        bool is_counter, is_ms; /* is_ms: milliseconds, which are written as seconds */
        enum ob_number number;
        const char *help;
} numbers[] = {
        { OF_SOURCE, "otterbeat_source_age_seconds", false, true, OB_NUMBER_AGE_MS,
                "Since it was last read whole." },
        { OF_SOURCE, "otterbeat_source_limit_seconds", false, true, OB_NUMBER_LIMIT_MS,
                "The age from which on it is ill." },
        { OF_SOURCE, "otterbeat_source_poll_seconds", false, true, OB_NUMBER_POLL_MS,
                "How long reading it took the last time." },
        { OF_SOURCE, "otterbeat_source_rows_total", true, false, OB_NUMBER_ROWS, "Rows that were counted." },
        { OF_SOURCE, "otterbeat_source_late_rows_total", true, false, OB_NUMBER_LATE_ROWS,
                "Rows that became visible after a newer one had been counted." },
        { OF_SOURCE, "otterbeat_source_errors_total", true, false, OB_NUMBER_ERRORS,
                "Failed polls, and cells that could not be read." },
        { OF_SINK, "otterbeat_sink_failing_seconds", false, true, OB_NUMBER_FAILING_MS,
                "Since it does not deliver; 0 when it does." },
        { OF_SINK, "otterbeat_sink_behind_points", false, false, OB_NUMBER_BEHIND, "Points not delivered yet." },
        { OF_SINK, "otterbeat_sink_points_total", true, false, OB_NUMBER_POINTS, "Points that came in." },
        { OF_SINK, "otterbeat_sink_sent_points_total", true, false, OB_NUMBER_SENT, "Points delivered." },
        { OF_SINK, "otterbeat_sink_folded_points_total", true, false, OB_NUMBER_FOLDED,
                "Points delivered as a part of another one." },
        { OF_SINK, "otterbeat_sink_late_points_total", true, false, OB_NUMBER_LATE,
                "Points that were too late for their step." },
        { OF_SINK, "otterbeat_sink_lost_points_total", true, false, OB_NUMBER_LOST,
                "Points given up; the log says why." },
        { OF_SINK, "otterbeat_sink_uncertain_points_total", true, false, OB_NUMBER_UNCERTAIN,
                "Points that a crash left in doubt." },
        { OF_SINK, "otterbeat_sink_reconnects_total", true, false, OB_NUMBER_RECONNECTS,
                "Connections that were given up." },
};

static void add(struct ob_bytes *out, char *line)
{
        ob_bytes_add(out, line, strlen(line));
        ob_free_at(&line);
}

static void head(struct ob_bytes *out, const char *name, const char *type, const char *help)
{
        add(out, ob_format("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type));
}

/* Adds a label. Escapes the characters that would end its text; our names of managers, sources and sinks have none.
 */
static void label(struct ob_bytes *out, const char *key, const char *text)
{
        add(out, ob_format("%s=\"", key));
        for (; *text; text++) {
                if (*text == '\\' || *text == '"')
                        ob_bytes_add(out, "\\", 1);
                ob_bytes_add(out, text, 1);
        }
        ob_bytes_add(out, "\"", 1);
}

static const struct ob_view_one *all_of(const struct ob_view *v, enum subject of, size_t *n)
{
        *n = of == OF_SOURCE ? v->n_sources : v->n_sinks;
        return of == OF_SOURCE ? v->sources : v->sinks;
}

static const char *const subject_words[] = { [OF_SOURCE] = "source", [OF_SINK] = "sink" };

static void put_numbers(const struct ob_view *v, struct ob_bytes *out)
{
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                size_t n;
                const struct ob_view_one *all = all_of(v, numbers[i].of, &n);

                head(out, numbers[i].name, numbers[i].is_counter ? "counter" : "gauge", numbers[i].help);
                for (size_t k = 0; k < n; k++) {
                        int64_t number = all[k].numbers[numbers[i].number];

                        add(out, ob_format("%s{", numbers[i].name));
                        label(out, subject_words[numbers[i].of], all[k].name);
                        if (numbers[i].is_ms)
                                add(out, ob_format("} %" PRId64 ".%03d\n", number / 1000, (int)(number % 1000)));
                        else
                                add(out, ob_format("} %" PRId64 "\n", number));
                }
        }
}

static void put_wellness(const struct ob_view *v, enum subject of, const char *name, struct ob_bytes *out)
{
        size_t n;
        const struct ob_view_one *all = all_of(v, of, &n);

        head(out, name, "gauge", "1 when it is within its deadline, 0 when it is not.");
        for (size_t i = 0; i < n; i++) {
                add(out, ob_format("%s{", name));
                label(out, subject_words[of], all[i].name);
                add(out, ob_format("} %d\n", all[i].well < OB_ILL));
        }
}

static void put_one(struct ob_bytes *out, const char *name, const char *help, int64_t number)
{
        head(out, name, "gauge", help);
        add(out, ob_format("%s %" PRId64 "\n", name, number));
}

static void put_pipelines(const struct ob_view *v, struct ob_bytes *out)
{
        head(out, "otterbeat_pipelines", "gauge", "Pipelines by manager and state.");
        for (size_t i = 0; i < v->n_managers; i++)
                for (int state = 0; state < OB_STATES; state++) {
                        add(out, ob_copy("otterbeat_pipelines{"));
                        label(out, "manager", v->managers[i].name);
                        ob_bytes_add(out, ",", 1);
                        label(out, "state", ob_state_word((enum ob_state)state));
                        add(out, ob_format("} %zu\n", v->managers[i].by_state[state]));
                }
}

static void put_membership(const struct ob_view *v, struct ob_bytes *out)
{
        if (!v->membership.is_open)
                return;
        put_one(out, "otterbeat_lease",
                "1 while this agent reaches the database of the state and may work, else 0.",
                v->membership.is_reached && v->membership.may_work);
        put_one(out, "otterbeat_managers", "Managers that this agent owns.", (int64_t)v->membership.managers);
        put_one(out, "otterbeat_managers_unowned", "Managers that no agent has owned for longer than a lease.",
                (int64_t)v->membership.unowned);
        put_one(out, "otterbeat_lease_age_seconds",
                "Seconds since a lease of this agent was renewed, the oldest one.", v->membership.oldest_ms / 1000);
}

void ob_status_metrics(const struct ob_view *v, struct ob_bytes *out)
{
        head(out, "otterbeat_build_info", "gauge", "The version; always 1.");
        add(out, ob_copy("otterbeat_build_info{version=\"" OB_VERSION "\"} 1\n"));
        put_one(out, "otterbeat_start_time_seconds", "When it started, or read its config, in seconds since 1970.",
                v->of->counters[0]->started);
        put_one(out, "otterbeat_healthy", "What /healthz says: 1 or 0.",
                !v->is_stopping && !ob_view_count(v, OB_ILL));
        put_wellness(v, OF_SOURCE, "otterbeat_source_healthy", out);
        put_wellness(v, OF_SINK, "otterbeat_sink_healthy", out);
        put_numbers(v, out);
        put_one(out, "otterbeat_queue_points", "Points that wait for some sink.", v->queue_points);
        put_one(out, "otterbeat_queue_bytes", "Bytes of the queue.", v->queue_bytes);
        put_one(out, "otterbeat_queue_limit_bytes", "Bytes that the queue may have.",
                v->of->config->queue_max_bytes);
        put_membership(v, out);
        put_pipelines(v, out);
}

void ob_status_health(const struct ob_view *v, struct ob_bytes *out)
{
        const char *word = v->is_stopping             ? "stopping\n"
                           : ob_view_count(v, OB_ILL) ? "ill\n"
                           : ob_view_is_standby(v)    ? "standby\n"
                                                      : "ok\n";

        ob_bytes_add(out, word, strlen(word));
        ob_view_add_problems(v, out);
}
