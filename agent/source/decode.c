#include "agent/source/decode.h"

#include <string.h>

#include "agent/source/series_cache.h"
#include "proto/number.h"

#define SLOW_MS 30000

const char *ob_row_id(const struct ob_task *f, const char *const *row)
{
        int cursor = f->first[OB_CURSOR];

        return cursor >= 0 && row[cursor] ? row[cursor] : "";
}

bool ob_row_cursor(struct ob_task *f, const char *const *row, int64_t *id)
{
        const char *text = ob_row_id(f, row);

        if (ob_number_parse_int(text, id))
                return true;
        ob_task_log_once(f, OB_FAULT_CELL, f->source->columns[f->first[OB_CURSOR]].column, text,
                "no id, or one that is too large");
        return false;
}

static bool read_time(struct ob_task *f, const char *text, int64_t *time)
{
        size_t size;

        if (f->time_read.time && !strcmp(text, f->time_read.text)) {
                *time = f->time_read.time;
                return true;
        }
        if (!ob_number_parse_time(text, time))
                return false;
        size = strlen(text) + 1;
        if (size <= sizeof(f->time_read.text)) {
                memcpy(f->time_read.text, text, size);
                f->time_read.time = *time;
        }
        return true;
}

bool ob_row_time(struct ob_task *f, const char *const *row, enum ob_role role, int64_t *time)
{
        int column = f->first[role];
        const char *text = column >= 0 ? row[column] : NULL;

        return text && read_time(f, text, time);
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
        else if (!ob_number_parse(row[i], value, &is_clamped))
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
        for (unsigned k = 0; k < f->n_amounts; k++) {
                unsigned i = f->amounts[k];

                a->value[i] = ob_whole(1);
                a->has[i] = f->reader->has[i] && /* a missing column has no value */
                            (f->source->columns[i].role == OB_COUNT || read_amount(f, row, i, &a->value[i]));
        }
}

/* Notes a cell as a fact about its pipeline, valid for three polls plus a few seconds for a slow poll. */
static void note_fact(struct ob_task *f, struct ob_cached_row *known, unsigned i, const char *const *row,
        int64_t time, struct ob_metric_value value)
{
        ob_series_cache_note(f, known, i, row,
                &(struct ob_sighting) { .time = time,
                        .clock = f->now,
                        .now = f->page_at,
                        .valid = 3000LL * f->source->every + SLOW_MS,
                        .value = ob_number_whole(value) });
}

static bool has_amount(const struct ob_task *f, const struct ob_amounts *a)
{
        for (unsigned k = 0; k < f->n_amounts; k++)
                if (a->has[f->amounts[k]])
                        return true;
        return false;
}

void ob_row_note(struct ob_task *f, const char *const *row, int64_t time, const struct ob_amounts *a)
{
        struct ob_cached_row *known = ob_series_cache_find(f, row, time);

        for (unsigned k = 0; k < f->n_amounts; k++)
                if (a->has[f->amounts[k]] && f->fact_sources[f->amounts[k]])
                        note_fact(f, known, f->amounts[k], row, time, a->value[f->amounts[k]]);
}

void ob_row_emit(struct ob_task *f, const char *const *row, int64_t time, const struct ob_amounts *a)
{
        struct ob_cached_row *known;

        if (!has_amount(f, a)) /* as in most rows of a table whose rows change in place */
                return;
        known = ob_series_cache_find(f, row, time);
        for (unsigned k = 0; k < f->n_amounts; k++) {
                unsigned i = f->amounts[k];

                if (!a->has[i])
                        continue;
                if (ob_series_cache_is_old(
                            f)) /* the last metric has filled a batch, and the next one forgot its series */
                        known = ob_series_cache_find(f, row, time);
                if (f->fact_sources[i])
                        note_fact(f, known, i, row, time, a->value[i]);
                if (ob_roles[f->source->columns[i].role].is_metric)
                        ob_outbox_add_to(
                                &f->outbox, ob_series_cache_series(f, known, i, row, time), time, a->value[i]);
        }
}
