#include "agent/top/figures.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/terminal.h"
#include "proto/date.h"
#include "proto/memory.h"
#include "proto/quantity.h"
#include "proto/utf8.h"

#define TEXT_MAX 2000 /* bytes of a text in the JSON that are shown */

static const char *const colours[OB_WELLNESSES] = {
        [OB_WELL] = "",
        [OB_TROUBLED] = OB_TERMINAL_YELLOW,
        [OB_ILL] = OB_TERMINAL_RED,
        [OB_STUCK] = OB_TERMINAL_RED,
};

/* A text of the JSON as a terminal may have it, "" when there is none; the caller's to free. */
static char *text_of(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return ob_utf8_show_copy(text ? text : "", TEXT_MAX);
}

static int64_t number_of(const json_t *object, const char *key)
{
        return json_integer_value(json_object_get(object, key));
}

/* A word that this version does not know is a problem, so that nothing bad looks well. */
static enum ob_wellness wellness_of(const char *word)
{
        int w = 0;

        while (w < OB_WELLNESSES && strcmp(word, ob_wellness_word((enum ob_wellness)w)) != 0)
                w++;
        return w < OB_WELLNESSES ? (enum ob_wellness)w : OB_ILL;
}

static int state_of(const char *word)
{
        int state = 0;

        while (state < OB_STATES - 1 && strcmp(word, ob_state_word((enum ob_state)state)) != 0)
                state++;
        return state;
}

/* Returns the count of the last whole minute. */
static long long per_minute(const json_t *one)
{
        const json_t *minutes = json_object_get(one, "done_by_minute");
        size_t n = json_array_size(minutes);

        return n < 2 ? 0 : (long long)json_integer_value(json_array_get(minutes, n - 2));
}

static char *say_source(const json_t *one)
{
        char rows[OB_QUANTITY_MAX], rate[OB_QUANTITY_MAX], age[OB_QUANTITY_MAX], errors[OB_QUANTITY_MAX];

        return ob_format("read %s ago, %s rows, %s/min, %s errors", ob_quantity_time(age, number_of(one, "age_ms")),
                ob_quantity_count(rows, number_of(one, "rows")), ob_quantity_count(rate, per_minute(one)),
                ob_quantity_count(errors, number_of(one, "errors")));
}

static char *say_sink(const json_t *one)
{
        char behind[OB_QUANTITY_MAX], lost[OB_QUANTITY_MAX], sent[OB_QUANTITY_MAX], rate[OB_QUANTITY_MAX];

        return ob_format("%s behind, %s lost, %s sent, %s/min", ob_quantity_count(behind, number_of(one, "behind")),
                ob_quantity_count(lost, number_of(one, "lost")), ob_quantity_count(sent, number_of(one, "sent")),
                ob_quantity_count(rate, per_minute(one)));
}

/* The row of a source or sink: why it is not well, then its figures, then its last error. */
static struct ob_figures_row read_one(const json_t *one, const char *kind, char *figures, int64_t now)
{
        ob_cleanup(ob_free_at) char *name = text_of(one, "name"), *why = text_of(one, "why"),
                                    *error = text_of(one, "last_error"), *said = figures;
        struct ob_figures_row row = { .state = OB_STATES, .health = text_of(one, "health") };
        char ago[OB_QUANTITY_MAX];

        row.well = wellness_of(row.health);
        row.name = ob_format("%s %s", kind, name);
        row.text = ob_format("%s%s%s", why, *why ? "; " : "", said);
        if (!*why && *error)
                ob_append(&row.text, "; ", "last error %s ago: %s",
                        ob_quantity_time(ago, (now - number_of(one, "last_error_at")) * 1000), error);
        return row;
}

static struct ob_figures_row read_pipeline(const json_t *one)
{
        ob_cleanup(ob_free_at) char *manager = text_of(one, "manager"), *id = text_of(one, "pipeline"),
                                    *why = text_of(one, "why");
        struct ob_figures_row row = { .health = text_of(one, "state") };
        char lasting[OB_QUANTITY_MAX];

        row.state = state_of(row.health);
        row.well = ob_headline_wellness((enum ob_state)row.state);
        row.name = ob_format("pipeline %s%s%s", manager, *manager ? "/" : "", id);
        row.text = ob_format("for %s: %s", ob_quantity_time(lasting, number_of(one, "for_ms")), why);
        return row;
}

/* The worst row comes first. Among equally ill rows, sources and sinks come before pipelines, because a failed
 * source may be the cause of a pipeline's state. */
static int compare(const void *a, const void *b)
{
        const struct ob_figures_row *x = a, *y = b;

        if (x->well != y->well)
                return x->well > y->well ? -1 : 1;
        if (x->state != y->state)
                return x->state > y->state ? -1 : 1;
        return x->number < y->number ? -1 : 1;
}

static void read_rows(struct ob_figures *f, const json_t *top)
{
        const json_t *sources = json_object_get(top, "sources"), *sinks = json_object_get(top, "sinks"),
                     *pipelines = json_object_get(top, "pipelines"), *one;
        int64_t now = number_of(top, "now");
        size_t i, n = 0;

        f->n_rows = json_array_size(sources) + json_array_size(sinks) + json_array_size(pipelines);
        f->rows = ob_alloc(f->n_rows, sizeof(*f->rows));
        json_array_foreach(sources, i, one) f->rows[n++] = read_one(one, "source", say_source(one), now);
        json_array_foreach(sinks, i, one) f->rows[n++] = read_one(one, "sink", say_sink(one), now);
        json_array_foreach(pipelines, i, one) f->rows[n++] = read_pipeline(one);
        for (i = 0; i < n; i++)
                f->rows[i].number = i;
        if (n)
                qsort(f->rows, n, sizeof(*f->rows), compare);
}

static void read_headlines(struct ob_figures *f, const json_t *top)
{
        const json_t *one;
        size_t i;

        json_array_foreach(json_object_get(top, "headlines"), i, one)
        {
                struct ob_figures_row *row = &f->headlines[f->n_headlines];

                if (f->n_headlines == OB_HEADLINES)
                        return;
                row->health = text_of(one, "health");
                row->well = strcmp(row->health, "unknown") != 0 ? wellness_of(row->health) : OB_WELL;
                row->text = text_of(one, "text");
                f->n_headlines++;
        }
}

static void read_title(struct ob_figures *f, const json_t *top)
{
        ob_cleanup(ob_free_at) char *version = text_of(top, "version"), *host = text_of(top, "host");
        const json_t *queue = json_object_get(top, "queue");
        int64_t now = number_of(top, "now");
        char date[OB_DATE_MAX], lasting[OB_QUANTITY_MAX], points[OB_QUANTITY_MAX], bytes[OB_QUANTITY_MAX],
                room[OB_QUANTITY_MAX];

        f->title = ob_format("otterbeat %s on %s, %s UTC, running for %s", version, host,
                ob_date_format(date, now, ' '),
                ob_quantity_time(lasting, (now - number_of(top, "started")) * 1000));
        f->queue = ob_format("Queue: %s points, %s of %s", ob_quantity_count(points, number_of(queue, "points")),
                ob_quantity_bytes(bytes, number_of(queue, "bytes")),
                ob_quantity_bytes(room, number_of(queue, "limit_bytes")));
}

int ob_figures_read(struct ob_figures *f, const char *json, size_t length, struct ob_err *err)
{
        json_t *top = json_loadb(json, length, 0, NULL);

        if (!json_is_string(json_object_get(top, "version")) || !json_is_array(json_object_get(top, "sources"))) {
                json_decref(top);
                return ob_fail(err, "the answer is not the status of an otterbeat");
        }
        ob_figures_free(f);
        read_title(f, top);
        read_headlines(f, top);
        read_rows(f, top);
        json_decref(top);
        return 0;
}

static void free_row(struct ob_figures_row *row)
{
        free(row->health);
        free(row->name);
        free(row->text);
}

void ob_figures_free(struct ob_figures *f)
{
        for (size_t i = 0; i < f->n_headlines; i++)
                free_row(&f->headlines[i]);
        for (size_t i = 0; i < f->n_rows; i++)
                free_row(&f->rows[i]);
        free(f->rows);
        free(f->title);
        free(f->queue);
        *f = (struct ob_figures) { .title = NULL };
}

/* Returns how many columns a terminal needs for `text`, which must be safe for a terminal. */
static size_t columns_of(const char *text)
{
        size_t columns = 0;

        for (size_t n; *text; text += n) {
                n = ob_utf8_length(text);
                columns += ob_utf8_columns(ob_utf8_code(text, n));
        }
        return columns;
}

/* The frame that is being drawn. */
struct drawing {
        const struct ob_figures_frame *frame;
        struct ob_bytes *out;
        size_t lines; /* drawn so far */
};

static void add(struct drawing *d, const char *text)
{
        ob_bytes_add(d->out, text, strlen(text));
}

static bool has_room(const struct drawing *d, size_t lines)
{
        return !d->frame->lines || d->lines + lines <= d->frame->lines;
}

/* Draws one line, cut to the width. Without room for the line nothing is drawn. */
static void draw_line(struct drawing *d, enum ob_wellness well, const char *text)
{
        const char *colour = d->frame->has_colours ? colours[well] : "";
        size_t most = d->frame->columns, used = 0, length = 0;

        if (!has_room(d, 1))
                return;
        if (d->lines++)
                add(d, d->frame->line_end);
        for (size_t n; text[length]; length += n) {
                n = ob_utf8_length(text + length);
                used += ob_utf8_columns(ob_utf8_code(text + length, n));
                if (most && used > most)
                        break;
        }
        add(d, colour);
        ob_bytes_add(d->out, text, length);
        add(d, *colour ? OB_TERMINAL_PLAIN : "");
}

/* Adds blanks up to the column where the next cell begins. */
static void pad(char **line, const char *cell, size_t width)
{
        ob_append(line, "", "%s%*s", cell, (int)(width - columns_of(cell)) + 2, "");
}

static void draw_rows(struct drawing *d, const struct ob_figures *f)
{
        const struct ob_figures_row head = { .health = "HEALTH", .name = "WHAT", .text = "FIGURES" };
        size_t health = strlen(head.health), name = strlen(head.name), bad = 0;

        for (size_t i = 0; i < f->n_rows; i++) {
                size_t h = columns_of(f->rows[i].health), n = columns_of(f->rows[i].name);

                health = h > health ? h : health;
                name = n > name ? n : name;
        }
        for (size_t i = 0; i <= f->n_rows; i++) {
                const struct ob_figures_row *row = i ? &f->rows[i - 1] : &head;
                ob_cleanup(ob_free_at) char *line = NULL;

                if (i &&
                        !has_room(d, i < f->n_rows ? 2 : 1)) { /* the last line is for the rows that are left out */
                        for (size_t k = i - 1; k < f->n_rows; k++)
                                bad += f->rows[k].well != OB_WELL;
                        line = ob_format("and %zu more, %zu of them not well", f->n_rows - i + 1, bad);
                        draw_line(d, bad ? OB_TROUBLED : OB_WELL, line);
                        return;
                }
                pad(&line, row->health, health);
                pad(&line, row->name, name);
                ob_append(&line, "", "%s", row->text);
                draw_line(d, row->well, line);
        }
}

void ob_figures_draw(const struct ob_figures *f, const struct ob_figures_frame *frame, struct ob_bytes *out)
{
        struct drawing d = { .frame = frame, .out = out };

        draw_line(&d, OB_WELL, f->title);
        if (*frame->note)
                draw_line(&d, OB_ILL, frame->note);
        for (size_t i = 0; i < f->n_headlines; i++)
                draw_line(&d, f->headlines[i].well, f->headlines[i].text);
        draw_line(&d, OB_WELL, f->queue);
        draw_line(&d, OB_WELL, "");
        draw_rows(&d, f);
}
