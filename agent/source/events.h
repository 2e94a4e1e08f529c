/*
 * What a feed tells in words: rows with a text (OB_EVENT). A storm of them must not become a storm of events, nor
 * of series, so of rows that are alike (all tags the same: their signature) one a minute is told in full, and the
 * others are counted and told together when the minute is over; open tags have only so many values, the rest is
 * "other"; and where several managers write the same, it may be counted once. All of it is stored with what it came
 * from, so no restart tells anything twice. Owned by the feed; for its deltas, on the worker's thread.
 */
#ifndef OB_SOURCE_EVENTS_H
#define OB_SOURCE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/metric.h"

struct ob_events;
struct ob_task;

/* NULL for a source without a text; that may be handed to all of these. */
struct ob_events *ob_events_new(const struct ob_task *f);
void ob_events_free(struct ob_events *ev);

/* Reads what was stored, unless it is known. */
int ob_events_load(struct ob_task *f, struct ob_err *err);

/* Forgets what it knows by heart: the store may say otherwise. */
void ob_events_reset(struct ob_events *ev);

/* The row with its parts in their places, and "other" for a value too many; valid until the next one. */
const char *const *ob_events_parts(struct ob_task *f, const char *const *row);

/* Whether this is what another manager has written, too, and what was counted. `row`: with its parts. */
bool ob_events_is_duplicate(struct ob_task *f, const char *const *row, int64_t time);

/* Tells the row, or counts it; what is told goes to the outbox. A row from more than a day ago is not told. */
void ob_events_note(struct ob_task *f, const char *const *row, int64_t time);

/* At the end of a poll: tells of what was only counted, where the minute is over. True when there is something to
 * commit. */
bool ob_events_sum_up(struct ob_task *f);

/* "exception: pipeline 3, node 7": a word and what it is of, but the tag `but`. Cut to the room; returned. */
const char *ob_event_title(
        char *room, size_t size, const char *word, const struct ob_series *series, const char *but);

/* Writes what has changed, inside the caller's transaction; and notes that this is committed. */
int ob_events_stage(struct ob_task *f, struct ob_err *err);
void ob_events_staged(struct ob_events *ev);

#endif
