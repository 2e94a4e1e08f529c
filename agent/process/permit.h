/*
 * The permission to read and to send. An agent that shares its state with others has this permission for a time,
 * and must renew the time: see agent/store/lease.h. Any thread may call these functions.
 */
#ifndef OB_PROCESS_PERMIT_H
#define OB_PROCESS_PERMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

struct ob_permit {
        _Atomic int64_t until; /* on ob_clock_boot_ms() */
        int64_t lasts; /* milliseconds from the moment of a renewal; set before other threads know the permit */
};

/* Whether the permission lasts at this moment. NULL: it always does. */
bool ob_permit_is_valid(const struct ob_permit *p);

/* As ob_permit_is_valid: 0, or -1 with `err`. */
int ob_permit_check(const struct ob_permit *p, struct ob_err *err);

/* The permission was renewed at the moment `at` or later. */
void ob_permit_renew(struct ob_permit *p, int64_t at);
void ob_permit_end(struct ob_permit *p);

#endif
