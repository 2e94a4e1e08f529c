#include "agent/source/series_cache.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/task.h"
#include "proto/memory.h"

#define ROWS_MAX 12288 /* rows in the cache */

/* Series have the words of an enumeration in lower case. */
static const char *lower(const char *text, char room[OB_ENUM_MAX])
{
        size_t length = strlen(text);

        if (length >= OB_ENUM_MAX)
                return text;
        for (size_t i = 0; i <= length; i++)
                room[i] = (char)tolower((unsigned char)text[i]);
        return room;
}

static bool is_nothing(const char *text)
{
        return !text || !strcmp(text, "-1");
}

/* Puts the identity first, then the labels. `words` owns the changed texts. */
static void name_series(
        const struct ob_task *f, const char *const *row, struct ob_series *s, char words[OB_TAGS_MAX][OB_ENUM_MAX])
{
        const struct ob_source *source = f->source;

        *s = (struct ob_series) { .n_tags = 0 };
        if (*f->manager)
                s->tags[s->n_tags++] = (struct ob_tag) { "manager", f->manager };
        for (unsigned i = 0; i < source->n_columns; i++) {
                const struct ob_column *c = &source->columns[i];

                if (c->role != OB_KEY && c->role != OB_ENUM)
                        continue;
                s->tags[s->n_tags] = (struct ob_tag) { c->name, is_nothing(row[i]) ? "none" : row[i] };
                if (c->role == OB_ENUM)
                        s->tags[s->n_tags].value = lower(s->tags[s->n_tags].value, words[s->n_tags]);
                s->n_tags++;
        }
        s->n_identity = s->n_tags;
        for (unsigned i = 0; i < source->n_columns; i++)
                if (source->columns[i].role == OB_LABEL && !is_nothing(row[i]))
                        s->tags[s->n_tags++] = (struct ob_tag) { source->columns[i].name, row[i] };
}

int64_t ob_row_name(const struct ob_task *f, const char *const *row, int64_t time, struct ob_row_series *n)
{
        name_series(f, row, &n->series, n->words);
        return ob_names_add(f->snapshot, &n->series, time);
}

struct ob_series_cache *ob_series_cache_new(const struct ob_source *source)
{
        struct ob_series_cache *c = ob_alloc(1, sizeof(*c));

        for (unsigned i = 0; i < source->n_columns; i++)
                if (ob_roles[source->columns[i].role].is_tag)
                        c->tags[c->n_tags++] = i;
        return c;
}

static void empty(struct ob_series_cache *c)
{
        OB_HASH_FREE_ALL(c->rows, free);
        c->found = NULL;
}

void ob_series_cache_free(struct ob_series_cache *c)
{
        if (!c)
                return;
        empty(c);
        free(c->old);
        free(c->facts);
        ob_bytes_free(&c->key);
        free(c);
}

/* A NULL differs from an empty text. */
static void make_key(struct ob_series_cache *c, const char *const *row)
{
        c->key.length = 0;
        ob_bytes_add(&c->key, "", 1); /* a source may have no tags, but a key is never empty */
        for (unsigned i = 0; i < c->n_tags; i++) {
                const char *text = row[c->tags[i]];

                ob_bytes_add(&c->key, text ? "=" : "", 1);
                if (text)
                        ob_bytes_add(&c->key, text, strlen(text) + 1);
        }
}

/* Whether `known` has the key of the row. */
static bool has_key(const struct ob_series_cache *c, const struct ob_cached_row *known, const char *const *row)
{
        const char *at = known->key + 1;

        for (unsigned i = 0; i < c->n_tags; i++) {
                const char *text = row[c->tags[i]];

                if (*at++ != (text ? '=' : '\0'))
                        return false;
                while (text && *text && *text == *at) {
                        text++;
                        at++;
                }
                if (text && *text != *at++)
                        return false;
        }
        return true;
}

static struct ob_cached_row *make_row(const struct ob_task *f, const struct ob_bytes *key)
{
        size_t columns = f->source->n_columns * sizeof(struct ob_cached_column);
        struct ob_cached_row *made = ob_alloc(1, sizeof(*made) + columns + key->length + 1);

        made->columns = (struct ob_cached_column *)(made + 1);
        made->key = (char *)made->columns + columns;
        if (key->length)
                memcpy(made->key, key->data, key->length);
        return made;
}

/* An entry for a row from before a rename; valid until the next such row. */
static struct ob_cached_row *old_row(struct ob_task *f)
{
        struct ob_series_cache *c = f->series;

        ob_series_cache_end_page(f);
        free(c->old);
        c->old = make_row(f, &c->key);
        return c->old;
}

static struct ob_cached_row *look_up(struct ob_task *f, const char *const *row, int64_t time)
{
        struct ob_series_cache *c = f->series;
        struct ob_cached_row *known;
        struct ob_row_series named;

        make_key(c, row);
        HASH_FIND(hh, c->rows, c->key.data, c->key.length, known);
        if (known)
                return known;
        known = make_row(f, &c->key);
        known->since = ob_row_name(f, row, time, &named);
        HASH_ADD_KEYPTR(hh, c->rows, known->key, c->key.length, known);
        return known;
}

bool ob_series_cache_is_old(const struct ob_task *f)
{
        return f->series->forgets != ob_batch_forgets(f->outbox.batch);
}

/* Empties the cache when its series are no longer valid, or when it is full. */
static void refresh(struct ob_task *f)
{
        struct ob_series_cache *c = f->series;
        uint64_t forgets = ob_batch_forgets(f->outbox.batch), names = ob_names_version(f->snapshot);

        if (c->forgets == forgets && c->names == names && HASH_COUNT(c->rows) < ROWS_MAX)
                return;
        ob_series_cache_end_page(f);
        empty(c);
        c->forgets = forgets;
        c->names = names;
}

struct ob_cached_row *ob_series_cache_find(struct ob_task *f, const char *const *row, int64_t time)
{
        struct ob_series_cache *c = f->series;
        struct ob_cached_row *known;

        refresh(f);
        known = c->found ? c->found->behind : NULL;
        if (!known || !has_key(c, known, row))
                known = look_up(f, row, time);
        if (time < known->since)
                return old_row(f);
        if (c->found)
                c->found->behind = known;
        c->found = known;
        return known;
}

struct ob_batch_series *ob_series_cache_series(
        struct ob_task *f, struct ob_cached_row *known, unsigned i, const char *const *row, int64_t time)
{
        struct ob_cached_column *at = &known->columns[i];
        struct ob_batch_series **found = f->deliver_to == OB_TO_ALL ? &at->to_all : &at->to_idempotent;
        struct ob_row_series named;

        if (*found)
                return *found;
        ob_row_name(f, row, time, &named);
        named.series.name = f->source->columns[i].name;
        named.series.kind = ob_roles[f->source->columns[i].role].kind;
        named.series.deliver_to = f->deliver_to;
        *found = ob_batch_find(f->outbox.batch, &named.series);
        return *found;
}

static struct ob_page_fact *add_fact(struct ob_task *f, struct ob_cached_column *column, unsigned i)
{
        struct ob_series_cache *c = f->series;

        c->facts = ob_grow(c->facts, &c->room_facts, c->n_facts, sizeof(*c->facts));
        c->facts[c->n_facts++] = (struct ob_page_fact) { .column = column, .source = f->fact_sources[i] };
        column->fact = c->n_facts;
        return &c->facts[c->n_facts - 1];
}

void ob_series_cache_note(struct ob_task *f, struct ob_cached_row *known, unsigned i, const char *const *row,
        const struct ob_sighting *at)
{
        struct ob_cached_column *column = &known->columns[i];
        struct ob_row_series named;

        if (!column->subject) {
                ob_row_name(f, row, at->time, &named);
                column->subject = ob_pipeline_health_subject(f->states, f->fact_sources[i], &named.series);
        }
        if (!column->fact)
                add_fact(f, column, i)->at = *at;
        else if (!ob_sighting_is_old(at, f->series->facts[column->fact - 1].at.time))
                f->series->facts[column->fact - 1].at = *at;
}

void ob_series_cache_end_page(struct ob_task *f)
{
        struct ob_series_cache *c = f->series;

        for (size_t i = 0; i < c->n_facts; i++) {
                c->facts[i].column->fact = 0;
                ob_pipeline_health_note(
                        f->states, c->facts[i].column->subject, c->facts[i].source, &c->facts[i].at);
        }
        c->n_facts = 0;
}
