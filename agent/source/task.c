#include "agent/source/task.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"

static const struct {
        const char *event;
        bool is_error; /* something could not be counted correctly */
} row_faults[OB_ROW_FAULTS] = {
        [OB_FAULT_CELL] = { "bad_cell", true },
        [OB_FAULT_RESET] = { "reset", false },
        [OB_FAULT_BEHIND] = { "behind", false },
        [OB_FAULT_DUPLICATE] = { "duplicate_key", false },
        [OB_FAULT_CHANGED] = { "row_changed", true },
        [OB_FAULT_CLAMPED] = { "clamped", true },
};

void ob_task_log_once(
        struct ob_task *f, enum ob_row_fault what, const char *column, const char *id, const char *why)
{
        int64_t n = ob_log_once(&f->logged[what], 1);

        f->counters->errors += row_faults[what].is_error;
        if (n)
                ob_log(OB_LOG_WARN, "source=%s event=%s table=%s column=%s id=%.40s times=%lld why=\"%s\"", f->name,
                        row_faults[what].event, f->source->table, column, id, (long long)n, why);
}

bool ob_task_has_begun(const struct ob_task *f)
{
        return f->checkpoint.known && !strcmp(f->checkpoint.identity, f->reader->identity);
}

/* Whether the page has all rows from its first one to the end of the table, and reaches the cursor. */
static bool is_whole(const struct ob_task *f, const struct ob_rows *rows)
{
        const struct ob_reading *at = &f->ahead.at;

        return rows->n && !rows->has_more && !rows->is_skipped && at->has_rows &&
               at->max_id >= f->checkpoint.cursor;
}

/* Reads the first page with the clock. 1: the clock must be asked for in a query of its own. */
static int read_ahead(struct ob_task *f, struct ob_err *err)
{
        struct ob_page_ahead *ahead = &f->ahead;
        bool is_useful = ahead->is_useful && ob_task_has_begun(f);
        int got;

        ahead->is_useful = ahead->is_read = false;
        ahead->is_first = f->delta->find_first && f->reader->ops->read_with_clock;
        if (!is_useful || !ahead->is_first)
                return 1;
        if (f->delta->find_first(f, f->now, &ahead->from, err))
                return -1;
        got = f->reader->ops->read_with_clock(
                f->reader, ahead->from, (unsigned)f->source->batch, &ahead->at, &ahead->rows, err);
        if (got)
                return got;
        ahead->is_read = is_whole(f, &ahead->rows);
        return !ahead->is_read;
}

int ob_task_read_clock(struct ob_task *f, struct ob_reading *at, struct ob_err *err)
{
        int got = read_ahead(f, err);

        if (got > 0)
                got = f->reader->ops->read_clock(f->reader, &f->ahead.at, err);
        *at = f->ahead.at;
        return got;
}

int ob_task_read(struct ob_task *f, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct ob_page_ahead *ahead = &f->ahead;
        bool is_read = ahead->is_read && ahead->from == from;
        int got = 0;

        if (is_read)
                *rows = ahead->rows;
        else
                got = f->reader->ops->read(f->reader, from, limit, rows, err);
        if (ahead->is_first)
                ahead->is_useful = !got && is_whole(f, rows);
        ahead->is_first = ahead->is_read = false;
        ob_names_release(f->snapshot);
        f->snapshot = ob_names_take(f->names); /* after the rows were read: see names.h */
        return got;
}

void ob_task_key(const struct ob_task *f, const char *const *row, struct ob_bytes *key)
{
        ob_bytes_add(key, "", 1);
        for (unsigned i = 0; i < f->source->n_columns; i++) {
                if (f->source->columns[i].role != OB_KEY && f->source->columns[i].role != OB_ENUM)
                        continue;
                ob_bytes_add(key, row[i] ? "=" : "", 1);
                if (row[i])
                        ob_bytes_add(key, row[i], strlen(row[i]) + 1);
        }
}

bool ob_task_is_doubtful(const struct ob_task *f)
{
        int64_t changed = f->checkpoint.changed;

        return changed && llabs(f->now - changed) <= f->source->overlap;
}
