/* Telling of what may happen a thousand times a second: at once, then at most once a minute. One thread's. */
#ifndef OB_PROCESS_LOG_ONCE_H
#define OB_PROCESS_LOG_ONCE_H

#include <stdint.h>

struct ob_log_once {
        int64_t unlogged; /* how often it came to pass since it was last told */
        int64_t logged_at;
};

/* It came to pass `n` times more. How many there are to tell of now; 0: not now. */
int64_t ob_log_once(struct ob_log_once *t, int64_t n);

#endif
