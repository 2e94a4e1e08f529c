/*
 * From a row's texts to numbers, times and metrics. What can't be read is told of with its column and id,
 * never with its content, and left out.
 */
#ifndef OB_SOURCE_DECODE_H
#define OB_SOURCE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/source/task.h"

/* The numbers of a row's metrics, by column. */
struct ob_amounts {
        bool has[OB_COLUMNS_MAX];
        struct ob_metric_value value[OB_COLUMNS_MAX]; /* of an increment, a total or a count: whole */
};

/* The row's id as text, for telling; "" without a cursor. */
const char *ob_row_id(const struct ob_task *f, const char *const *row);

/* The id as a number. False: it has none that could be read, which is told. */
bool ob_row_cursor(struct ob_task *f, const char *const *row, int64_t *id);

/* The time in the column of a role, in seconds. False: there is none, or it is the zero date. */
bool ob_row_time(const struct ob_task *f, const char *const *row, enum ob_role role, int64_t *time);

/* Reads all cells that make metrics. */
void ob_row_amounts(struct ob_task *f, const char *const *row, struct ob_amounts *amounts);

/* How a row's series are called, all but the name; texts of the row's, or its own. */
#define OB_ENUM_MAX 64 /* bytes of a word; a longer one stays as it is */
struct ob_row_series {
        struct ob_series series;
        char words[OB_TAGS_MAX][OB_ENUM_MAX];
};
void ob_row_name(const struct ob_task *f, const char *const *row, int64_t time, struct ob_row_series *n);

/* Puts a metric for each amount into the feed's outbox. */
void ob_row_emit(struct ob_task *f, const char *const *row, int64_t time, const struct ob_amounts *amounts);

#endif
