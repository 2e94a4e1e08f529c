/* How long to wait before the next try: the wait doubles from 1 s to 60 s and has jitter. One thread owns a value.
 */
#ifndef OB_PROCESS_BACKOFF_H
#define OB_PROCESS_BACKOFF_H

#include <stdint.h>

struct ob_backoff {
        int64_t wait_ms; /* the last wait, without its jitter; 0: the last try succeeded */
};

/* Returns the milliseconds to wait after one more failure: twice the last wait, ±20 %. */
int64_t ob_backoff_next(struct ob_backoff *b);

/* After a success. */
void ob_backoff_reset(struct ob_backoff *b);

#endif
