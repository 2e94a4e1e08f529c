/* How long to wait before trying again: doubling from 1 s to 60 s, with jitter. One thread's. */
#ifndef OB_PROCESS_BACKOFF_H
#define OB_PROCESS_BACKOFF_H

#include <stdint.h>

struct ob_backoff {
        int64_t wait_ms; /* 0: nothing went wrong lately */
};

/* The milliseconds to wait after one more failure: each wait is of the last one's double, ±20 %. */
int64_t ob_backoff_next(struct ob_backoff *b);
void ob_backoff_reset(struct ob_backoff *b);

#endif
