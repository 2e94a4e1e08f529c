#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ops/headline.h"
#include "agent/ops/status_draw.h"
#include "proto/memory.h"

/* In the order of enum ob_number; which of them a source or a sink has. */
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

void ob_status_json(const struct ob_view *v, struct ob_bytes *out)
{
        json_t *top = json_object(), *queue = json_object();
        char *text;

        put_text(top, "version", OB_VERSION);
        put_text(top, "host", v->of->counters->host);
        put_number(top, "now", v->now);
        put_number(top, "started", v->of->counters->started);
        put_text(top, "health", v->is_stopping ? "stopping" : ob_view_count(v, OB_ILL) ? "ill" : "ok");
        json_object_set_new(top, "headlines", headlines(v));
        put_number(queue, "points", v->queue_points);
        put_number(queue, "bytes", v->queue_bytes);
        put_number(queue, "limit_bytes", v->of->config->queue_max_bytes);
        json_object_set_new(top, "queue", queue);
        json_object_set_new(top, "sources", all(v->sources, v->n_sources, OB_NUMBER_AGE_MS, OB_NUMBER_ERRORS));
        json_object_set_new(top, "sinks", all(v->sinks, v->n_sinks, OB_NUMBER_FAILING_MS, OB_NUMBER_RECONNECTS));
        json_object_set_new(top, "pipelines", pipelines(v));
        text = json_dumps(top, JSON_COMPACT);
        ob_bytes_add(out, text, strlen(text));
        ob_bytes_add(out, "\n", 1);
        free(text);
        json_decref(top);
}
