/*
 * When what was sent: the horizon in some parts, each with the last batch that was sent during it, so that a
 * batch is sent again neither too early nor much later. A value; one thread's.
 */
#ifndef OB_SINK_RESEND_SCHEDULE_H
#define OB_SINK_RESEND_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"

#define OB_RESEND_PARTS 32 /* into how many parts the horizon is divided */
#define OB_RESEND_MOST  (OB_RESEND_PARTS + 2)

struct ob_resend_schedule {
        struct {
                int64_t seq, at; /* up to this batch, from then on; at: ob_clock_ms() */
        } parts[OB_RESEND_MOST]; /* in order; the last one still grows */
        size_t n;
        int64_t part_ms;
};

void ob_resend_schedule_init(struct ob_resend_schedule *s, int horizon);
void ob_resend_schedule_clear(struct ob_resend_schedule *s);

/* The batch has been sent now. */
void ob_resend_schedule_add(struct ob_resend_schedule *s, int64_t seq);

/* When the first part is to be sent again, if the head has come so far; INT64_MAX: never. */
int64_t ob_resend_schedule_due(const struct ob_resend_schedule *s, int64_t head_seq);
void ob_resend_schedule_drop_first(struct ob_resend_schedule *s);

/* For the next start; times are kept by the wall clock. */
void ob_resend_schedule_write(const struct ob_resend_schedule *s, struct ob_bytes *out);
void ob_resend_schedule_read(struct ob_resend_schedule *s, struct ob_bytes_reader *from);

#endif
