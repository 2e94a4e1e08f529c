#include "agent/source/decode.h"

#include <ctype.h>
#include <string.h>

#include "proto/number.h"

#define SLOW_MS 30000

const char *ob_row_id(const struct ob_task *f, const char *const *row)
{
        int cursor = ob_source_find(f->source, OB_CURSOR);

        return cursor >= 0 && row[cursor] ? row[cursor] : "";
}

bool ob_row_cursor(struct ob_task *f, const char *const *row, int64_t *id)
{
        const char *text = ob_row_id(f, row);

        if (ob_number_parse_int(text, strlen(text), id))
                return true;
        ob_task_log_once(f, OB_FAULT_CELL, f->source->columns[ob_source_find(f->source, OB_CURSOR)].column, text,
                "no id, or one that is too large");
        return false;
}

bool ob_row_time(const struct ob_task *f, const char *const *row, enum ob_role role, int64_t *time)
{
        int column = ob_source_find(f->source, role);
        const char *text = column >= 0 ? row[column] : NULL;

        return text && ob_number_parse_time(text, strlen(text), time);
}

/* Amounts must be whole. False: the number has a fraction. A double without a fraction does not fit 64 bits. */
static bool make_whole(struct ob_metric_value *value, bool *is_clamped)
{
        int64_t whole = ob_number_whole(*value);

        if (!value->is_real)
                return true;
        if (whole != INT64_MIN && whole != INT64_MAX)
                return false;
        *value = ob_whole(whole);
        *is_clamped = true;
        return true;
}

/* Logs that a number does not fit 64 bits: the nearest number that fits is counted. Always true. */
static bool note_clamped(struct ob_task *f, const char *const *row, const struct ob_column *c, bool is_clamped)
{
        if (is_clamped)
                ob_task_log_once(f, OB_FAULT_CLAMPED, c->column, ob_row_id(f, row),
                        "the number needs more than 64 bits; the nearest one that 64 bits hold is used");
        return true;
}

static bool read_amount(struct ob_task *f, const char *const *row, unsigned i, struct ob_metric_value *value)
{
        const struct ob_column *c = &f->source->columns[i];
        enum ob_role role = c->role;
        bool is_clamped;
        const char *why;

        if (!row[i] && f->source->has_gaps)
                return false;
        if (!row[i])
                why = "NULL";
        else if (!ob_number_parse(row[i], strlen(row[i]), value, &is_clamped))
                why = "no number";
        else if ((role == OB_INCREMENT || role == OB_TOTAL) && !make_whole(value, &is_clamped))
                why = "no whole number";
        else
                return note_clamped(f, row, c, is_clamped);
        ob_task_log_once(f, OB_FAULT_CELL, c->column, ob_row_id(f, row), why);
        return false;
}

void ob_row_amounts(struct ob_task *f, const char *const *row, struct ob_amounts *a)
{
        memset(a->has, 0, sizeof(a->has)); /* a missing column has no value */
        for (unsigned i = 0; i < f->source->n_columns; i++) {
                enum ob_role role = f->source->columns[i].role;

                if ((!ob_roles[role].is_metric && role != OB_FACT) || !f->reader->has[i])
                        continue;
                a->value[i] = ob_whole(1);
                a->has[i] = role == OB_COUNT || read_amount(f, row, i, &a->value[i]);
        }
}

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

void ob_row_name(const struct ob_task *f, const char *const *row, int64_t time, struct ob_row_series *n)
{
        name_series(f, row, &n->series, n->words);
        ob_names_add(f->snapshot, &n->series, time);
}

static const enum ob_kind kinds[OB_ROLES] = {
        [OB_VALUE] = OB_GAUGE,
        [OB_PEAK] = OB_GAUGE_MAX,
        [OB_AGE] = OB_GAUGE,
        [OB_INCREMENT] = OB_COUNTER,
        [OB_TOTAL] = OB_COUNTER,
        [OB_COUNT] = OB_COUNTER,
};

/* Notes a cell as a fact about its pipeline, valid for three polls plus a few seconds for a slow poll. */
static void note_fact(const struct ob_task *f, unsigned i, const struct ob_series *series, int64_t time,
        struct ob_metric_value value)
{
        ob_pipeline_health_note(f->states, f->fact_sources[i], series,
                &(struct ob_sighting) { .time = time,
                        .clock = f->now,
                        .now = f->page_at,
                        .valid = 3000LL * f->source->every + SLOW_MS,
                        .value = ob_number_whole(value) });
}

void ob_row_emit(struct ob_task *f, const char *const *row, int64_t time, const struct ob_amounts *a)
{
        struct ob_series *series;
        struct ob_row_series named;

        ob_row_name(f, row, time, &named);
        series = &named.series;
        for (unsigned i = 0; i < f->source->n_columns; i++) {
                if (!a->has[i])
                        continue;
                if (f->fact_sources[i])
                        note_fact(f, i, series, time, a->value[i]);
                if (!ob_roles[f->source->columns[i].role].is_metric)
                        continue;
                series->name = f->source->columns[i].name;
                series->deliver_to = f->deliver_to;
                series->kind = kinds[f->source->columns[i].role];
                ob_outbox_add(&f->outbox, &(struct ob_metric) { series, time, a->value[i] });
        }
}
