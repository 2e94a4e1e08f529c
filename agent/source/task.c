#include "agent/source/task.h"

#include <stdlib.h>

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

int ob_task_read(struct ob_task *f, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        int got = f->reader->ops->read(f->reader, from, limit, rows, err);

        ob_names_release(f->snapshot);
        f->snapshot = ob_names_take(f->names); /* after the rows were read: see names.h */
        return got;
}

bool ob_task_is_doubtful(const struct ob_task *f)
{
        int64_t changed = f->checkpoint.changed;

        return changed && llabs(f->now - changed) <= f->source->overlap;
}
