/*
 * Time zones by their IANA names, read from the system's zoneinfo files (RFC 8536). A zone is const once it is
 * loaded, and any thread may read the zone.
 *
 * Why this is not left to a library:
 * - libc has one zone per process. Managers may be in different zones, and setenv("TZ") with tzset() is not safe
 * while other threads run. glibc has no tzalloc().
 * - GLib's GTimeZone would replace some 300 lines, but it trusts the file: of 76 copies of Europe/Berlin that were
 * cut off or had one wrong byte in a header, GLib 2.74 crashed on 35. A reload of the config must not end the
 * agent. GLib also writes its own lines to standard error, and would bring two libraries (1.9 MB) that nothing else
 * here needs.
 */
#ifndef OB_CONFIG_ZONE_H
#define OB_CONFIG_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct ob_zone;

/* The caller frees the zone. NULL, and `err`, when there is no zone of this name, or when its file is damaged. */
struct ob_zone *ob_zone_load(const char *name, struct ob_err *err);

/* The same from the bytes of a zoneinfo file. */
struct ob_zone *ob_zone_read(const void *bytes, size_t length, struct ob_err *err);
void ob_zone_free(struct ob_zone *z);

/* For ob_cleanup. */
void ob_zone_free_at(struct ob_zone **z);

/* The offset of the zone at a time: seconds east of Greenwich. `epoch` is in seconds since 1970. */
int64_t ob_zone_offset(const struct ob_zone *z, int64_t epoch);

/*
 * The time, in seconds since 1970, at which clocks in the zone show `local`: a date and time in seconds since 1970,
 * as if the clock were in Greenwich. When clocks were set back, two times show the same; the result is the later of
 * the two that is not after `now`. When clocks were set forward, no time shows `local`; the result is what a clock
 * that was not set forward would mean.
 */
int64_t ob_zone_epoch(const struct ob_zone *z, int64_t local, int64_t now);

#endif
