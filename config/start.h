/*
 * Where a source starts to read when it has no checkpoint: the setting `start`, and the times on the command lines
 * of `cursor rewind` and `replay`. Values; pure functions.
 */
#ifndef OB_CONFIG_START_H
#define OB_CONFIG_START_H

#include <stdbool.h>
#include <stdint.h>

enum ob_start_kind {
        OB_START_NOW,
        OB_START_OLDEST,
        OB_START_AT,  /* at `seconds` since 1970 */
        OB_START_AGO, /* `seconds` before the first start */
};

struct ob_start {
        enum ob_start_kind kind;
        int64_t seconds;
};

/*
 * Reads "now", "oldest", a date in UTC like "2020-04-20 00:00:00", or a time back from now like "-2h" (units: s, m,
 * h, d). False when the text is none of these.
 */
bool ob_start_parse(const char *text, struct ob_start *start);

/* The time that a start means when the clock shows `now`, in seconds since 1970. INT64_MIN: before all rows. */
int64_t ob_start_time(const struct ob_start *start, int64_t now);

#endif
