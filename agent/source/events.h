/*
 * The events of a task: rows with a text (OB_EVENT). Many such rows must not become many events, nor many series.
 * So of the rows with one signature (all tags are the same) one row a minute is sent in full; the other rows are
 * counted, and sent as one event when the minute is over. An open tag has a limited number of values; every further
 * value is "other". Rows that several managers write for one cause may be counted once. What is remembered of the
 * events is stored in one transaction with their rows, so no restart sends an event twice. Owned by the task, on
 * the worker's thread.
 */
#ifndef OB_SOURCE_EVENTS_H
#define OB_SOURCE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/metric.h"

struct ob_events;
struct ob_task;

/* Returns NULL for a source without a text; all functions here accept that NULL. */
struct ob_events *ob_events_new(const struct ob_task *f);
void ob_events_free(struct ob_events *ev);

/* Reads what the store has, unless that was read already. */
int ob_events_load(struct ob_task *f, struct ob_err *err);

/* Clears the memory, which may differ from the store. */
void ob_events_reset(struct ob_events *ev);

/* Returns the row with the parts of its text as cells, and "other" for a value above the limit; valid until the
 * next call. */
const char *const *ob_events_parts(struct ob_task *f, const char *const *row);

/*
 * Returns whether an equal row, as another manager writes it, was counted within `merge` seconds. `row` has its
 * parts.
 */
bool ob_events_is_duplicate(struct ob_task *f, const char *const *row, int64_t time);

/* Adds an event for the row to the outbox, or counts the row. A row of more than a day ago makes no event. */
void ob_events_note(struct ob_task *f, const char *const *row, int64_t time);

/* At the end of a poll: adds an event for counted rows whose minute is over. Returns whether there is something to
 * commit. */
bool ob_events_sum_up(struct ob_task *f);

/* Writes a title as "exception: pipeline 3, node 7": a word and the tags, except the tag `but`. Cut to the room. */
const char *ob_event_title(
        char *room, size_t size, const char *word, const struct ob_series *series, const char *but);

/* _stage writes what has changed, inside the caller's transaction; _staged notes that it was committed. */
int ob_events_stage(struct ob_task *f, struct ob_err *err);
void ob_events_staged(struct ob_events *ev);

#endif
