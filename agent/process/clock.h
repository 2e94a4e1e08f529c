/* The clocks we use, and how far we trust those of others. Any thread. */
#ifndef OB_PROCESS_CLOCK_H
#define OB_PROCESS_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Seconds: so far a database's clock may be set at once, and every row still goes where it belongs. Two hours: it
 * may have been an hour ahead, and be set to an hour behind.
 */
#define OB_CLOCK_STEP 7260

/* Seconds since 1970: no clock that may be believed shows a later time, the end of the year 9999. */
#define OB_CLOCK_LAST INT64_C(253402300799)

/* Milliseconds that only ever grow: for deadlines and ages. */
int64_t ob_clock_ms(void);

/* Seconds since 1970 by the wall clock: only for what is read by others. */
int64_t ob_clock_wall(void);

/* A moment of ob_clock_ms() as pthread_cond_timedwait wants it on a condition of ours. */
struct timespec ob_clock_deadline(int64_t ms);

#endif
