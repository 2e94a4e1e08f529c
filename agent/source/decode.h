/*
 * From the texts of a row to numbers, times and metrics. An unreadable cell is left out, and logged with its
 * column and id, never with its content.
 */
#ifndef OB_SOURCE_DECODE_H
#define OB_SOURCE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/source/task.h"

/* The numbers of a row's metrics, by column; only the columns in f->amounts are set. */
struct ob_amounts {
        bool has[OB_COLUMNS_MAX];
        struct ob_metric_value value[OB_COLUMNS_MAX]; /* whole numbers for increments, totals and counts */
};

/* The row's id as text, for the log; "" without a cursor. */
const char *ob_row_id(const struct ob_task *f, const char *const *row);

/* The id as a number. False: the id can't be read, which is logged. */
bool ob_row_cursor(struct ob_task *f, const char *const *row, int64_t *id);

/* Seconds since 1970 from the column of a role. False: the column is missing or NULL, or has the zero date. */
bool ob_row_time(struct ob_task *f, const char *const *row, enum ob_role role, int64_t *time);

/* Reads all cells that become metrics. */
void ob_row_amounts(struct ob_task *f, const char *const *row, struct ob_amounts *amounts);

/* Notes the facts of a row about its pipeline. Makes no metric. */
void ob_row_note(struct ob_task *f, const char *const *row, int64_t time, const struct ob_amounts *amounts);

/* Notes these facts, and puts a metric for each amount into the task's outbox. */
void ob_row_emit(struct ob_task *f, const char *const *row, int64_t time, const struct ob_amounts *amounts);

#endif
