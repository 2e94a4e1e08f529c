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

#endif
