/* Lines packed into datagrams, and which points of a batch each datagram has. One thread owns the struct. */
#ifndef OB_SINK_DATAGRAMS_H
#define OB_SINK_DATAGRAMS_H

#include <stddef.h>
#include <sys/uio.h>

#include "proto/bytes.h"
#include "proto/text.h"

struct ob_datagrams {
        struct ob_bytes text; /* all datagrams, one after the other */
        struct iovec *pieces; /* ours: one for each datagram */
        struct ob_brought {
                unsigned points; /* lost when the datagram is lost */
                unsigned first;  /* place in the batch of the first line */
        } * brought;             /* ours: one for each datagram */
        size_t n, next;          /* datagrams; the first unsent one */
        size_t room_pieces, room_brought;
};

void ob_datagrams_free(struct ob_datagrams *d);
void ob_datagrams_start(struct ob_datagrams *d);

/*
 * Adds lines that must stay in one datagram, at most `payload` bytes, to the last datagram or to a new one. The
 * lines have `points` points and belong to place `place` of the batch; `place` never falls.
 */
void ob_datagrams_add(
        struct ob_datagrams *d, const struct ob_text *lines, size_t payload, unsigned points, unsigned place);

/* Must be called before sending; nothing may be added afterwards. */
void ob_datagrams_finish(struct ob_datagrams *d);

/* The points in the datagrams that were not sent. */
unsigned ob_datagrams_points_left(const struct ob_datagrams *d);

#endif
