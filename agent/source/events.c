#include "agent/source/events.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"
#include "agent/source/decode.h"
#include "agent/source/dedup.h"
#include "agent/source/series_cache.h"
#include "agent/source/task.h"
#include "proto/dogstatsd.h"
#include "proto/memory.h"
#include "proto/utf8.h"

#define PART_MAX      80    /* bytes of a part, with its NUL */
#define MINUTE        60    /* seconds: of rows with equal signatures one becomes an event in this time */
#define OLD_SECONDS   86400 /* seconds: an older row becomes no event */
#define SIGNATURE_MAX 2048
#define OTHER         "other"

struct ob_events {
        int text; /* the column */
        struct ob_dedup dedup;
        bool is_loaded;
        bool is_told[OB_COLUMNS_MAX]; /* whether the log has the line that the tag of this column has too many
                                         values */
        const char *cells[OB_COLUMNS_MAX];
        char parts[OB_COLUMNS_MAX][PART_MAX];
};

struct ob_events *ob_events_new(const struct ob_task *f)
{
        int text = ob_source_find(f->source, OB_EVENT);
        struct ob_events *ev;

        if (text < 0)
                return NULL;
        ev = ob_alloc(1, sizeof(*ev));
        ev->text = text;
        return ev;
}

void ob_events_free(struct ob_events *ev)
{
        if (!ev)
                return;
        ob_dedup_free(&ev->dedup);
        free(ev);
}

void ob_events_reset(struct ob_events *ev)
{
        if (!ev)
                return;
        ob_dedup_free(&ev->dedup);
        ev->is_loaded = false;
}

int ob_events_load(struct ob_task *f, struct ob_err *err)
{
        struct ob_events *ev = f->events;

        if (!ev || ev->is_loaded)
                return 0;
        if (ob_dedup_load(&ev->dedup, f->outbox.store, f->name, err))
                return -1;
        ev->is_loaded = true;
        return 0;
}

int ob_events_stage(struct ob_task *f, struct ob_err *err)
{
        return f->events ? ob_dedup_put(&f->events->dedup, f->outbox.store, f->name, err) : 0;
}

void ob_events_staged(struct ob_events *ev)
{
        if (ev)
                ob_dedup_settle(&ev->dedup);
}

/* Returns a column's part of the text; NULL when the text does not have it. */
static const char *read_part(struct ob_events *ev, const struct ob_column *c, unsigned i, const char *text)
{
        struct ob_text part = ob_text_over(ev->parts[i], PART_MAX - 1);

        if (!text || !c->part(text, &part) || part.too_long)
                return NULL;
        ev->parts[i][part.length] = '\0';
        return ev->parts[i];
}

/* The first `limit` values of a tag have their own series; all others share one, so the number of series is
 * bounded. */
static const char *admit(struct ob_task *f, const struct ob_column *c, unsigned i, const char *value)
{
        struct ob_events *ev = f->events;

        if (!value || !strcmp(value, "-1") || ob_dedup_admit(&ev->dedup, c->name, value, (size_t)f->source->limit))
                return value;
        if (!ev->is_told[i])
                ob_log(OB_LOG_WARN,
                        "source=%s event=tag_limit tag=%s limit=%d why=\"it has more values than that: the others are %s\"",
                        f->name, c->name, f->source->limit, "\"" OTHER "\"");
        ev->is_told[i] = true;
        return OTHER;
}

const char *const *ob_events_parts(struct ob_task *f, const char *const *row)
{
        struct ob_events *ev = f->events;

        if (!ev)
                return row;
        for (unsigned i = 0; i < f->source->n_columns; i++) {
                const struct ob_column *c = &f->source->columns[i];

                ev->cells[i] = row[i];
                if (c->part && c->role != OB_EVENT)
                        ev->cells[i] = read_part(ev, c, i, row[ev->text]);
                if (c->is_open)
                        ev->cells[i] = admit(f, c, i, ev->cells[i]);
        }
        return ev->cells;
}

/* Writes all tags of a row. Rows with the same tags become one event. */
static void write_signature(const struct ob_task *f, const char *const *row, struct ob_text *out)
{
        for (unsigned i = 0; i < f->source->n_columns; i++) {
                const struct ob_column *c = &f->source->columns[i];

                if (!ob_roles[c->role].is_tag || !row[i])
                        continue;
                ob_text_add_string(out, c->name);
                ob_text_add_char(out, '=');
                ob_text_add_string(out, row[i]);
                ob_text_add_char(out, ' ');
        }
}

/* Writes only the letters and spaces of the first line of a text. */
static void write_shape(const char *text, struct ob_text *out)
{
        for (; text && *text && *text != '\n' && !out->too_long; text++)
                if (isalpha((unsigned char)*text) || *text == ' ')
                        ob_text_add_char(out, *text);
}

/* A signature that is too long is cut: signatures with the same beginning are then equal. */
static const char *end_text(struct ob_text *t)
{
        t->data[t->length] = '\0';
        return t->data;
}

bool ob_events_is_duplicate(struct ob_task *f, const char *const *row, int64_t time)
{
        struct ob_events *ev = f->events;
        char room[SIGNATURE_MAX + 1];
        struct ob_text key = ob_text_over(room, SIGNATURE_MAX);
        struct ob_dedup_item *seen;

        if (!ev || !f->source->merge || f->deliver_to != OB_TO_ALL)
                return false;
        for (unsigned i = 0; i < f->source->n_columns; i++)
                if (f->source->columns[i].is_sole && row[i] && strcmp(row[i], "-1") != 0)
                        return false;
        ob_text_add_string(&key, "twin ");
        write_signature(f, row, &key);
        write_shape(row[ev->text], &key);
        seen = ob_dedup_find(&ev->dedup, end_text(&key), time);
        if (strcmp(seen->key, key.data) != 0) /* the memory is full, and the row has no item of its own */
                return false;
        if (seen->count && time < seen->last + f->source->merge && time > seen->last - f->source->merge)
                return true;
        seen->count = 1;
        seen->last = time;
        seen->is_changed = true;
        return false;
}

const char *ob_event_title(
        char *room, size_t size, const char *word, const struct ob_series *series, const char *but)
{
        struct ob_text out = ob_text_over(room, size - 1);
        const char *between = ": ";

        ob_text_add_string(&out, word);
        for (unsigned i = 0; i < series->n_tags; i++) {
                const struct ob_tag *tag = &series->tags[i];

                if (!strcmp(tag->key, but) || !strcmp(tag->value, "none") || !*tag->value)
                        continue;
                ob_text_add_string(&out, between);
                ob_text_add_string(&out, tag->key);
                ob_text_add_char(&out, ' ');
                ob_text_add_string(&out, tag->value);
                between = ", ";
        }
        return end_text(&out);
}

/* Returns the value of the row's enumeration, or the name of the source. */
static const char *title_word(const struct ob_task *f, const struct ob_series *series, const char *key)
{
        for (unsigned i = 0; i < series->n_tags; i++)
                if (!strcmp(series->tags[i].key, key))
                        return series->tags[i].value;
        return f->source->name;
}

static enum ob_event_alert read_alert(const struct ob_task *f, const char *text)
{
        const struct ob_column *c = &f->source->columns[f->events->text];
        const char *word = c->part ? read_part(f->events, c, (unsigned)f->events->text, text) : NULL;

        for (enum ob_event_alert a = 0; word && a < OB_ALERTS; a++)
                if (!strcmp(word, ob_dog_alerts[a]))
                        return a;
        return OB_ALERT_INFO;
}

/* Sends the event of one row. Its text gives the number of rows with the same signature that were only counted. */
static void tell(struct ob_task *f, const char *const *row, int64_t time, struct ob_dedup_item *item)
{
        char title[SIGNATURE_MAX + 1], signature[32];
        int column = f->first[OB_ENUM];
        const char *key = column < 0 ? "" : f->source->columns[column].name;
        const char *text = row[f->events->text] ? row[f->events->text] : "";
        ob_cleanup(ob_free_at) char *longer = NULL;
        struct ob_event e = { .time = time, .kind = f->source->name, .check = "" };
        struct ob_row_series named;

        ob_row_name(f, row, time, &named);
        if (item->count)
                longer = ob_format("%s\n(%" PRId64 " more like this in the minutes before)", text, item->count);
        snprintf(signature, sizeof(signature), "%016" PRIx64, ob_dedup_item_hash(item));
        e.title = ob_event_title(title, sizeof(title), title_word(f, &named.series, key), &named.series, key);
        e.text = longer ? longer : text;
        e.signature = signature;
        e.alert = read_alert(f, text);
        e.n_tags = named.series.n_tags;
        memcpy(e.tags, named.series.tags, e.n_tags * sizeof(*e.tags));
        ob_outbox_add_event(&f->outbox, &e);
        ob_dedup_item_keep(item, &e);
}

void ob_events_note(struct ob_task *f, const char *const *row, int64_t time)
{
        struct ob_events *ev = f->events;
        char room[SIGNATURE_MAX + 1];
        struct ob_text key = ob_text_over(room, SIGNATURE_MAX);
        struct ob_dedup_item *item;

        if (!ev || f->deliver_to != OB_TO_ALL || time < f->now - OLD_SECONDS)
                return;
        write_signature(f, row, &key);
        item = ob_dedup_find(&ev->dedup, end_text(&key), time);
        item->is_changed = true;
        if (item->is_told && time < item->since + MINUTE) {
                item->count++;
                item->last = item->last < time ? time : item->last;
                return;
        }
        tell(f, row, time, item);
        item->is_told = true;
        item->since = item->last = time;
        item->count = 0;
}

/* Sends one event for the rows that were only counted in a minute that is over, with the time of its end. */
static void sum_up(struct ob_task *f, struct ob_dedup_item *item)
{
        ob_cleanup(ob_free_at) char *text = NULL;
        struct ob_event e;

        if (ob_dedup_item_kept(item, &e)) {
                text = ob_format("%" PRId64 " more like this within the minute\n%s", item->count, e.text);
                e.text = text;
                e.time = item->since + MINUTE;
                ob_outbox_add_event(&f->outbox, &e);
        }
        item->since += MINUTE;
        item->count = 0;
        item->is_changed = true;
}

bool ob_events_sum_up(struct ob_task *f)
{
        struct ob_events *ev = f->events;
        bool did = false;

        if (!ev)
                return false;
        for (struct ob_dedup_item *a = ob_dedup_next(&ev->dedup, NULL); a; a = ob_dedup_next(&ev->dedup, a))
                if (a->is_told && a->count && f->now >= a->since + MINUTE) {
                        sum_up(f, a);
                        did = true;
                }
        ob_dedup_forget(&ev->dedup);
        return did;
}
