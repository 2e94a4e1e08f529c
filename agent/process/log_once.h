/* Decides when a lasting state or a frequent event is worth a line of the log. One thread owns each value. */
#ifndef OB_PROCESS_LOG_ONCE_H
#define OB_PROCESS_LOG_ONCE_H

#include <stdbool.h>
#include <stdint.h>

/* For events: the first is logged at once, the following ones together, at most once a minute. */
struct ob_log_once {
        int64_t unlogged;  /* events since the last line */
        int64_t logged_at; /* ob_clock_ms() of the last line; 0: there was none */
};

/* `n` more events happened. Returns how many events are to be logged now; 0: no line is due. */
int64_t ob_log_once(struct ob_log_once *t, int64_t n);

/*
 * For states: whether `is` differs from `*was`, which becomes `is`. So a failure gets a line when it begins, none
 * while it lasts, and one when it ends.
 */
bool ob_log_change(bool *was, bool is);

#endif
