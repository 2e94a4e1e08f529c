/* Telling of what may happen a thousand times a second: at once, then at most once a minute. One thread's. */
#ifndef OB_PROCESS_TELL_H
#define OB_PROCESS_TELL_H

#include <stdint.h>

struct ob_tell {
        int64_t untold; /* how often it came to pass since it was last told */
        int64_t told_at;
};

/* It came to pass `n` times more. How many there are to tell of now; 0: not now. */
int64_t ob_tell(struct ob_tell *t, int64_t n);

#endif
