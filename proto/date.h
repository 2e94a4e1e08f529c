/* Dates as people and pages write them: "2020-04-20 00:00:00", always in UTC here. Pure functions. */
#ifndef OB_PROTO_DATE_H
#define OB_PROTO_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define OB_DATE_MAX 32 /* bytes of a date, with its NUL */

/*
 * Reads the whole of `text`, as if its clock were in UTC, in seconds since 1970. False, and nothing is written,
 * when the text is no date, or a date that does not exist: the 31st of April, or 24 o'clock.
 */
bool ob_date_parse(const char *text, int64_t *seconds);

/*
 * Writes `seconds` since 1970 with `between` as the character between day and time: ' ' for people, 'T' for ISO
 * 8601. Writes "-" for INT64_MIN, which means "none", and for a year that has no date. Returns `date`.
 */
const char *ob_date_format(char date[OB_DATE_MAX], int64_t seconds, char between);

#endif
