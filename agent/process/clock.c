#include "agent/process/clock.h"

#define OUR_CLOCK CLOCK_MONOTONIC /* the conditions of ob_cond_init() wait by this clock, too */

static int64_t read_ms(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ob_clock_ms(void)
{
        return read_ms(OUR_CLOCK);
}

int64_t ob_clock_boot_ms(void)
{
        return read_ms(CLOCK_BOOTTIME);
}

int64_t ob_clock_wall(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec;
}

struct timespec ob_clock_deadline(int64_t ms)
{
        return (struct timespec) { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
}
