/*
 * Lines packed into datagrams, as many as fit into each, and what of a batch each of them brings. Owned by one
 * thread.
 */
#ifndef OB_SINK_DATAGRAMS_H
#define OB_SINK_DATAGRAMS_H

#include <stddef.h>
#include <sys/uio.h>

#include "proto/bytes.h"
#include "proto/text.h"

struct ob_datagrams {
        struct ob_bytes text; /* all datagrams, one behind the other */
        struct iovec *pieces; /* ours: where each is */
        struct ob_brought {
                unsigned points; /* that are lost when it is */
                unsigned first;  /* the place in the batch of what it begins with */
        } * brought;             /* ours: by each */
        size_t n, next;          /* how many, and the first that was not sent */
        size_t room_pieces, room_brought;
};

void ob_datagrams_free(struct ob_datagrams *d);
void ob_datagrams_start(struct ob_datagrams *d);

/*
 * Adds lines that belong together, at most `payload` bytes, to the last datagram, or where they don't fit to a new
 * one. They bring `points`, and stem from the batch's point `place`, which never falls.
 */
void ob_datagrams_add(
        struct ob_datagrams *d, const struct ob_text *lines, size_t payload, unsigned points, unsigned place);

/* Makes them ready to be sent: nothing is added from here on. */
void ob_datagrams_finish(struct ob_datagrams *d);

/* The points in those that were not sent. */
unsigned ob_datagrams_points_left(const struct ob_datagrams *d);

#endif
