/* The HTML page: the problems first, then each source, the queue, each sink, and the pipelines. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/status/draw.h"
#include "proto/date.h"
#include "proto/quantity.h"

#define BAR_WIDTH      3 /* of one minute in a sparkline, in the sparkline's units */
#define BAR_HEIGHT     24
#define FAILURE_HEIGHT 4
#define PIPELINES_MAX  200 /* pipelines that are shown, the worst first */
#define LISTED_MAX     5   /* pipelines of a manager that stand below the headline */

static void add(struct ob_bytes *out, const char *piece)
{
        ob_bytes_add(out, piece, strlen(piece));
}

static void add_escaped(struct ob_bytes *out, const char *text)
{
        static const struct {
                char c;
                const char *as;
        } escapes[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };

        for (; *text; text++) {
                size_t i = 0;

                while (i < sizeof(escapes) / sizeof(*escapes) && escapes[i].c != *text)
                        i++;
                if (i < sizeof(escapes) / sizeof(*escapes))
                        add(out, escapes[i].as);
                else
                        ob_bytes_add(out, text, 1);
        }
}

static void add_number(struct ob_bytes *out, long long number)
{
        char text[24];

        snprintf(text, sizeof(text), "%lld", number);
        add(out, text);
}

void ob_markup(struct ob_bytes *out, const char *format, ...)
{
        const char *at;
        va_list args;

        va_start(args, format);
        for (; (at = strchr(format, '%')); format = at) {
                ob_bytes_add(out, format, (size_t)(at - format));
                if (!strncmp(at, "%s", 2)) {
                        add_escaped(out, va_arg(args, const char *));
                        at += 2;
                } else if (!strncmp(at, "%lld", 4)) {
                        add_number(out, va_arg(args, long long));
                        at += 4;
                } else {
                        assert(!strncmp(at, "%%", 2));
                        add(out, "%");
                        at += 2;
                }
        }
        va_end(args);
        add(out, format);
}

/* A bar for each minute; a minute with failures has a mark at the foot. */
static void put_sparkline(struct ob_bytes *out, const struct ob_health_story *s, const char *what)
{
        int64_t most = 0, total = 0, failures = 0;
        char number[OB_QUANTITY_MAX];

        for (int i = 0; i < OB_HEALTH_MINUTES; i++) {
                most = s->minutes[i].done > most ? s->minutes[i].done : most;
                total += s->minutes[i].done;
                failures += s->minutes[i].failures;
        }
        ob_markup(out, "<svg class=\"spark\" viewBox=\"0 0 %lld %lld\" role=\"img\" preserveAspectRatio=\"none\">",
                (long long)OB_HEALTH_MINUTES * BAR_WIDTH, (long long)BAR_HEIGHT);
        ob_markup(out, "<title>%s ", ob_quantity_count(number, total));
        ob_markup(out, "%s in the last hour, at most %s a minute; %lld failures</title><path d=\"", what,
                ob_quantity_count(number, most), (long long)failures);
        for (int i = 0; i < OB_HEALTH_MINUTES; i++) {
                int64_t height = most ? (s->minutes[i].done * BAR_HEIGHT + most - 1) / most : 0;

                if (height)
                        ob_markup(out, "M%lld %lldv-%lldh2v%lldz", (long long)i * BAR_WIDTH, (long long)BAR_HEIGHT,
                                (long long)height, (long long)height);
        }
        ob_markup(out, "\"/><path class=\"failures\" d=\"");
        for (int i = 0; i < OB_HEALTH_MINUTES; i++)
                if (s->minutes[i].failures)
                        ob_markup(out, "M%lld %lldv-%lldh%lldv%lldz", (long long)i * BAR_WIDTH,
                                (long long)BAR_HEIGHT, (long long)FAILURE_HEIGHT, (long long)BAR_WIDTH,
                                (long long)FAILURE_HEIGHT);
        ob_markup(out, "\"/></svg>");
}

static void put_error(struct ob_bytes *out, const struct ob_view *v, const struct ob_view_one *o)
{
        char ago[OB_QUANTITY_MAX], at[OB_DATE_MAX];

        ob_markup(out, "<td class=\"error\">");
        if (o->story.error_at)
                ob_markup(out, "<time title=\"%s UTC\">%s ago</time> %s",
                        ob_date_format(at, o->story.error_at, ' '),
                        ob_quantity_time(ago, (v->now - o->story.error_at) * 1000), o->story.error);
        ob_markup(out, "</td></tr>");
}

static void put_name(struct ob_bytes *out, const struct ob_view_one *o)
{
        ob_markup(out, "<tr><th scope=\"row\">%s</th><td><span class=\"mark %s\">%s</span></td>", o->name,
                ob_wellness_word(o->well), ob_wellness_word(o->well));
}

static void put_sources(struct ob_bytes *out, const struct ob_view *v)
{
        char text[OB_QUANTITY_MAX];

        ob_markup(out,
                "<section><h2>Sources</h2><div class=\"wide\"><table><thead><tr><th>source</th><th></th>"
                "<th class=\"n\">read</th><th class=\"n\">took</th><th>rows, last hour</th>"
                "<th class=\"n\">rows</th><th class=\"n\">errors</th><th>last error</th></tr></thead><tbody>");
        for (size_t i = 0; i < v->n_sources; i++) {
                const struct ob_view_one *o = &v->sources[i];

                put_name(out, o);
                ob_markup(out, "<td class=\"n\">%s ago</td>", ob_quantity_time(text, o->numbers[OB_NUMBER_AGE_MS]));
                ob_markup(out, "<td class=\"n\">%s ms</td><td>",
                        ob_quantity_count(text, o->numbers[OB_NUMBER_POLL_MS]));
                put_sparkline(out, &o->story, "rows");
                ob_markup(out, "</td><td class=\"n\">%s</td>", ob_quantity_count(text, o->numbers[OB_NUMBER_ROWS]));
                ob_markup(out, "<td class=\"n\">%s</td>", ob_quantity_count(text, o->numbers[OB_NUMBER_ERRORS]));
                put_error(out, v, o);
        }
        ob_markup(out, "</tbody></table></div></section>");
}

static void put_sinks(struct ob_bytes *out, const struct ob_view *v)
{
        char text[OB_QUANTITY_MAX];

        ob_markup(out,
                "<section><h2>Sinks</h2><div class=\"wide\"><table><thead><tr><th>sink</th><th></th>"
                "<th class=\"n\">behind</th><th class=\"n\">lost</th><th>points, last hour</th>"
                "<th class=\"n\">sent</th><th class=\"n\">reconnects</th><th>last error</th></tr></thead><tbody>");
        for (size_t i = 0; i < v->n_sinks; i++) {
                const struct ob_view_one *o = &v->sinks[i];

                put_name(out, o);
                ob_markup(out, "<td class=\"n\">%s</td>", ob_quantity_count(text, o->numbers[OB_NUMBER_BEHIND]));
                ob_markup(out, "<td class=\"n\">%s</td><td>", ob_quantity_count(text, o->numbers[OB_NUMBER_LOST]));
                put_sparkline(out, &o->story, "points");
                ob_markup(out, "</td><td class=\"n\">%s</td>", ob_quantity_count(text, o->numbers[OB_NUMBER_SENT]));
                ob_markup(
                        out, "<td class=\"n\">%s</td>", ob_quantity_count(text, o->numbers[OB_NUMBER_RECONNECTS]));
                put_error(out, v, o);
        }
        ob_markup(out, "</tbody></table></div></section>");
}

static void put_queue(struct ob_bytes *out, const struct ob_view *v)
{
        int64_t most = v->of->config->queue_max_bytes;
        char points[OB_QUANTITY_MAX], bytes[OB_QUANTITY_MAX], room[OB_QUANTITY_MAX];

        ob_markup(out,
                "<section><h2>Queue</h2><p><meter min=\"0\" max=\"%lld\" high=\"%lld\" value=\"%lld\"></meter> ",
                (long long)most, (long long)most / 10 * 8, (long long)v->queue_bytes);
        ob_markup(out, "%s points, in %s of %s; kept until no sink needs them any more</p></section>",
                ob_quantity_count(points, v->queue_points), ob_quantity_bytes(bytes, v->queue_bytes),
                ob_quantity_bytes(room, most));
}

static void put_manager(struct ob_bytes *out, const struct ob_view *v, const struct ob_view_manager *m)
{
        char text[OB_QUANTITY_MAX];

        ob_markup(out, "<p>");
        if (*m->name)
                ob_markup(out, "<b>%s</b> ", m->name);
        for (int state = OB_STATES - 1; state >= 0; state--)
                if (m->by_state[state])
                        ob_markup(out, "<span class=\"chip %s\">%lld %s</span> ",
                                ob_wellness_word(ob_headline_wellness((enum ob_state)state)),
                                (long long)m->by_state[state], ob_state_word((enum ob_state)state));
        ob_markup(out,
                "</p><div class=\"wide\"><table><thead><tr><th>pipeline</th><th></th><th class=\"n\">for</th>"
                "<th>why</th></tr></thead><tbody>");
        for (size_t i = 0; i < m->n && i < PIPELINES_MAX; i++)
                ob_markup(out,
                        "<tr><th scope=\"row\">%s</th><td><span class=\"mark %s\">%s</span></td>"
                        "<td class=\"n\">%s</td><td>%s</td></tr>",
                        m->pipelines[i].id, ob_wellness_word(ob_headline_wellness(m->pipelines[i].state)),
                        ob_state_word(m->pipelines[i].state),
                        ob_quantity_time(text, v->clock - m->pipelines[i].since), m->pipelines[i].why);
        ob_markup(out, "</tbody></table></div>");
        if (m->n > PIPELINES_MAX)
                ob_markup(out, "<p class=\"quiet\">and %lld more, which are better off</p>",
                        (long long)(m->n - PIPELINES_MAX));
}

/* The section is left out when no pipeline has a state. */
static void put_pipelines(struct ob_bytes *out, const struct ob_view *v)
{
        size_t known = 0;

        for (size_t i = 0; i < v->n_managers; i++)
                known += v->managers[i].n;
        if (!known)
                return;
        ob_markup(out, "<section><h2>Pipelines</h2>");
        for (size_t i = 0; i < v->n_managers; i++)
                if (v->managers[i].n)
                        put_manager(out, v, &v->managers[i]);
        ob_markup(out, "</section>");
}

static void put_troubles(struct ob_bytes *out, const char *what, const struct ob_view_one *all, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (all[i].well != OB_WELL)
                        ob_markup(out, "<li><span class=\"mark %s\">%s</span> %s <b>%s</b>: %s</li>",
                                ob_wellness_word(all[i].well), ob_wellness_word(all[i].well), what, all[i].name,
                                all[i].why);
}

/* The first pipelines of each manager, which are sorted with the worst first. */
static void put_bad_pipelines(struct ob_bytes *out, const struct ob_view *v)
{
        long long more = (long long)ob_headline_pipelines(v, OB_TROUBLED);

        for (size_t i = 0; i < v->n_managers; i++) {
                const struct ob_view_manager *m = &v->managers[i];

                for (size_t k = 0; k < m->n && k < LISTED_MAX && ob_state_is_bad(m->pipelines[k].state);
                        k++, more--) {
                        const struct ob_pipeline *p = &m->pipelines[k];

                        ob_markup(out, "<li><span class=\"mark %s\">%s</span> pipeline <b>%s%s%s</b>: %s</li>",
                                ob_wellness_word(ob_headline_wellness(p->state)), ob_state_word(p->state), m->name,
                                *m->name ? "/" : "", p->id, p->why);
                }
        }
        if (more)
                ob_markup(out, "<li>and %lld more</li>", more);
}

/* The worse headline stands first; its problems stand below each headline. */
static void put_headlines(struct ob_bytes *out, const struct ob_view *v)
{
        struct ob_headline lines[OB_HEADLINES];

        ob_headlines(v, lines);
        for (size_t i = 0; i < OB_HEADLINES; i++) {
                ob_markup(out, "<div class=\"headline %s\"><p>%s</p><ul>",
                        lines[i].is_known ? ob_wellness_word(lines[i].well) : "unknown", lines[i].text);
                if (lines[i].of == OB_HEADLINE_AGENT) {
                        put_troubles(out, "source", v->sources, v->n_sources);
                        put_troubles(out, "sink", v->sinks, v->n_sinks);
                } else {
                        put_bad_pipelines(out, v);
                }
                ob_markup(out, "</ul></div>");
        }
}

void ob_status_html(const struct ob_view *v, struct ob_bytes *out)
{
        size_t ill = ob_view_count(v, OB_ILL) + ob_headline_pipelines(v, OB_ILL);
        char text[OB_QUANTITY_MAX], at[OB_DATE_MAX];

        ob_markup(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
        if (ill)
                ob_markup(out, "(%lld) ", (long long)ill);
        ob_markup(out,
                "otterbeat on %s</title><meta name=\"viewport\" content=\"width=device-width\">"
                "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">"
                "<link rel=\"stylesheet\" href=\"status.css\"><script src=\"status.js\" defer></script>"
                "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript></head>"
                "<body><p id=\"silent\" hidden></p><main><h1>otterbeat <small>on %s</small></h1>",
                v->of->counters[0]->host, v->of->counters[0]->host);
        put_headlines(out, v);
        put_sources(out, v);
        put_queue(out, v);
        put_sinks(out, v);
        put_pipelines(out, v);
        ob_markup(out, "<footer>" OB_VERSION ", runs for %s; as of ",
                ob_quantity_time(text, (v->now - v->of->counters[0]->started) * 1000));
        ob_markup(out,
                "%s UTC; <a href=\"metrics\">metrics</a>, <a href=\"healthz\">healthz</a>, "
                "<a href=\"status.json\">JSON</a></footer></main></body></html>\n",
                ob_date_format(at, v->now, ' '));
}
