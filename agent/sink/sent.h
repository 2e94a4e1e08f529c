/*
 * When what was sent: the horizon in some parts, each with the last batch that was sent during it, so that a
 * batch is sent again neither too early nor much later. A value; one thread's.
 */
#ifndef OB_SINK_SENT_H
#define OB_SINK_SENT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"

#define OB_SENT_PARTS 32 /* into how many parts the horizon is divided */
#define OB_SENT_MOST  (OB_SENT_PARTS + 2)

struct ob_sent {
        struct {
                int64_t seq, at; /* up to this batch, from then on; at: ob_clock_ms() */
        } parts[OB_SENT_MOST];   /* in order; the last one still grows */
        size_t n;
        int64_t part_ms;
};

void ob_sent_init(struct ob_sent *s, int horizon);
void ob_sent_clear(struct ob_sent *s);

/* The batch has been sent now. */
void ob_sent_add(struct ob_sent *s, int64_t seq);

/* When the first part is to be sent again, if the head has come so far; INT64_MAX: never. */
int64_t ob_sent_due(const struct ob_sent *s, int64_t head_seq);
void ob_sent_drop_first(struct ob_sent *s);

/* For the next start; times are kept by the wall clock. */
void ob_sent_write(const struct ob_sent *s, struct ob_bytes *out);
void ob_sent_read(struct ob_sent *s, struct ob_bytes_place *from);

#endif
