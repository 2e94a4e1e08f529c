/*
 * Rows that are added and stay as they are: what its three files share. delta_log.c reads pages of rows,
 * log_begin.c finds where to begin, log_audit.c looks for what came too late for all that. One feed's.
 */
#ifndef OB_SOURCE_DELTA_LOG_H
#define OB_SOURCE_DELTA_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/source/seen_ids.h"
#include "agent/source/task.h"

/* Seconds for which the bits of counted ids are kept, behind the latest time that was counted. */
#define OB_LOG_KEEP 86400

/* A page of rows on its way, and what is known of the poll. */
struct ob_log {
        struct ob_seen_ids seen_ids;
        struct ob_seen_ids before_rewind; /* of a rewound source: what it had seen before */
        char *before_rewind_name;         /* ours */
        struct ob_checkpoint next;
        int64_t rows, late;
        bool is_changed;     /* there is something to commit */
        bool is_held;        /* there is a row that is too young: the cursor stays before it */
        bool is_remade;      /* a row was counted once and is a new one now: this one */
        int64_t remade;      /* its id */
        int64_t forget_from; /* id, for the stage */
        int64_t audited_at;  /* on the clock of the rows' world; 0: not yet */
};

struct ob_log *ob_log_state(struct ob_task *f);

/* Whether rows have times. */
bool ob_log_has_time(const struct ob_task *f);

/* `time` less `seconds`, where there is so much. */
int64_t ob_log_before(int64_t time, int64_t seconds);

/* In log_begin.c: ob_delta_ops.begin, */
int ob_log_begin(struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err);

/* the beginning when ids went back: MAX(ID) is below the cursor, */
int ob_log_begin_below(struct ob_task *f, const struct ob_reading *at, struct ob_err *err);

/* but not where the ids are all there is to tell rows by, and the server may be a copy that is behind, */
bool ob_log_may_be_behind(const struct ob_task *f);

/* and when a row that was counted is a new one now, from this id on. */
int ob_log_begin_remade(struct ob_task *f, const struct ob_reading *at, int64_t id, struct ob_err *err);

/* In delta_log.c: reads from an id until there are no rows, or up to `last`. 1: a stop cut it short. */
int ob_log_read(struct ob_task *f, int64_t from, int64_t last, struct ob_err *err);

/* In log_audit.c: when it is time, counts the rows behind the overlap, and reads again where there are more. */
int ob_log_audit(struct ob_task *f, struct ob_err *err);

#endif
