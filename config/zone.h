/*
 * A time zone by its IANA name, without the process's TZ: there may be several managers, and setenv() is not
 * for programs with threads. Reads the system's zoneinfo (RFC 8536). A value that any thread may read.
 */
#ifndef OB_CONFIG_ZONE_H
#define OB_CONFIG_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct ob_zone;

/* NULL, and `err`, when there is no such zone. */
struct ob_zone *ob_zone_load(const char *name, struct ob_err *err);

/* The same off the bytes of a zoneinfo file. */
struct ob_zone *ob_zone_read(const void *bytes, size_t length, struct ob_err *err);
void ob_zone_free(struct ob_zone *z);

/* For ob_cleanup. */
void ob_zone_free_at(struct ob_zone **z);

/* Seconds east of Greenwich at a time. */
int64_t ob_zone_offset(const struct ob_zone *z, int64_t epoch);

/*
 * The time at which a clock on the wall shows `local` (seconds since 1970, as if it were in Greenwich). Of two,
 * when clocks were set back, the later one that is not after `now`; a time that was left out is read as the
 * hour before would have gone on.
 */
int64_t ob_zone_epoch(const struct ob_zone *z, int64_t local, int64_t now);

#endif
