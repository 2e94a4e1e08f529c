/* Prometheus' text format, version 0.0.4: base units, and what `promtool check metrics` asks for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/ops/status_draw.h"
#include "proto/memory.h"

enum subject { OF_SOURCE, OF_SINK };

/* What is told of each source or sink. */
static const struct {
        enum subject of;
        const char *name;
        bool is_counter, is_ms; /* ms: told in seconds */
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

/* A label's text, with what would end it escaped; names of managers, sources and sinks have nothing of it. */
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

static const char *const words[] = { [OF_SOURCE] = "source", [OF_SINK] = "sink" };

static void put_numbers(const struct ob_view *v, struct ob_bytes *out)
{
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                size_t n;
                const struct ob_view_one *all = all_of(v, numbers[i].of, &n);

                head(out, numbers[i].name, numbers[i].is_counter ? "counter" : "gauge", numbers[i].help);
                for (size_t k = 0; k < n; k++) {
                        int64_t number = all[k].numbers[numbers[i].number];

                        add(out, ob_format("%s{", numbers[i].name));
                        label(out, words[numbers[i].of], all[k].name);
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
                label(out, words[of], all[i].name);
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

void ob_status_metrics(const struct ob_view *v, struct ob_bytes *out)
{
        head(out, "otterbeat_build_info", "gauge", "The version; always 1.");
        add(out, ob_copy("otterbeat_build_info{version=\"" OB_VERSION "\"} 1\n"));
        put_one(out, "otterbeat_start_time_seconds", "When it started, or read its config, in seconds since 1970.",
                v->of->counters->started);
        put_one(out, "otterbeat_healthy", "What /healthz says: 1 or 0.",
                !v->is_stopping && !ob_view_count(v, OB_ILL));
        put_wellness(v, OF_SOURCE, "otterbeat_source_healthy", out);
        put_wellness(v, OF_SINK, "otterbeat_sink_healthy", out);
        put_numbers(v, out);
        put_one(out, "otterbeat_queue_points", "Points that wait for some sink.", v->queue_points);
        put_one(out, "otterbeat_queue_bytes", "Bytes of the queue.", v->queue_bytes);
        put_one(out, "otterbeat_queue_limit_bytes", "Bytes that the queue may have.",
                v->of->config->queue_max_bytes);
        put_pipelines(v, out);
}

void ob_status_health(const struct ob_view *v, struct ob_bytes *out)
{
        const char *word = v->is_stopping ? "stopping\n" : ob_view_count(v, OB_ILL) ? "ill\n" : "ok\n";

        ob_bytes_add(out, word, strlen(word));
        ob_view_tell(v, out);
}
