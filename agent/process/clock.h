/* The clocks that we use, and how far we trust the clocks of other machines. Any thread. */
#ifndef OB_PROCESS_CLOCK_H
#define OB_PROCESS_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Seconds. A database's clock may jump by this much, and every row still gets into its step. Two hours and a
 * minute: a clock that was one hour ahead may be set to one hour behind.
 */
#define OB_CLOCK_STEP 7260

/* Milliseconds of a clock that never goes back: for deadlines and ages. */
int64_t ob_clock_ms(void);

/*
 * Milliseconds of a clock that never goes back, and that goes on while the machine is suspended: for a lease, which
 * other machines count, too.
 */
int64_t ob_clock_boot_ms(void);

/* Seconds since 1970 by the wall clock: only for times that other programs or people read. */
int64_t ob_clock_wall(void);

/* A moment of ob_clock_ms() in the form that pthread_cond_timedwait wants for a condition of ob_cond_init(). */
struct timespec ob_clock_deadline(int64_t ms);

#endif
