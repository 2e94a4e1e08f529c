/* Dates as people and pages write them: "2020-04-20 00:00:00". Pure functions. */
#ifndef OB_PROTO_DATE_H
#define OB_PROTO_DATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the whole of `text`, as if its clock were UTC's, in seconds since 1970. False, and nothing written, when it
 * is no date, or one that there is not: the 31st of April, or 24 o'clock.
 */
bool ob_date_parse(const char *text, int64_t *seconds);

#define OB_DATE_SIZE 32 /* bytes, with the NUL */

/* Writes a time as a date in UTC, or "-" when no year can hold the time, as INT64_MIN. Returns `text`. */
const char *ob_date_format(int64_t seconds, char text[OB_DATE_SIZE]);

#endif
