/*
 * The horizon in parts, each with the last batch that was sent in it, so that a batch is resent neither too early
 * nor much too late. A plain value; one thread owns it.
 */
#ifndef OB_SINK_RESEND_SCHEDULE_H
#define OB_SINK_RESEND_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"

#define OB_RESEND_PARTS 32 /* parts of the horizon */
#define OB_RESEND_MOST  (OB_RESEND_PARTS + 2)

struct ob_resend_schedule {
        struct {
                int64_t seq, at; /* batches up to `seq` were sent from `at` on, on ob_clock_ms() */
        } parts[OB_RESEND_MOST]; /* in order; only the last part grows */
        size_t n;
        int64_t part_ms;
};

void ob_resend_schedule_init(struct ob_resend_schedule *s, int horizon);
void ob_resend_schedule_clear(struct ob_resend_schedule *s);

/* Notes that the batch was sent now. */
void ob_resend_schedule_add(struct ob_resend_schedule *s, int64_t seq);

/* When the first part is to be resent, if `head_seq` has reached the part's last batch; INT64_MAX: never. */
int64_t ob_resend_schedule_due(const struct ob_resend_schedule *s, int64_t head_seq);
void ob_resend_schedule_drop_first(struct ob_resend_schedule *s);

/* Writes and reads the saved state; its times are of the wall clock. */
void ob_resend_schedule_write(const struct ob_resend_schedule *s, struct ob_bytes *out);
void ob_resend_schedule_read(struct ob_resend_schedule *s, struct ob_bytes_reader *from);

#endif
