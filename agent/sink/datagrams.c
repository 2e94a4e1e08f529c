#include "agent/sink/datagrams.h"

#include <stdlib.h>

#include "proto/memory.h"

void ob_datagrams_free(struct ob_datagrams *d)
{
        ob_bytes_free(&d->text);
        free(d->pieces);
        free(d->brought);
        *d = (struct ob_datagrams) { .n = 0 };
}

void ob_datagrams_start(struct ob_datagrams *d)
{
        d->text.length = d->n = d->next = 0;
}

void ob_datagrams_add(
        struct ob_datagrams *d, const struct ob_text *lines, size_t payload, unsigned points, unsigned place)
{
        if (!d->n || d->pieces[d->n - 1].iov_len + lines->length > payload) {
                d->pieces = ob_grow(d->pieces, &d->room_pieces, d->n, sizeof(*d->pieces));
                d->brought = ob_grow(d->brought, &d->room_brought, d->n, sizeof(*d->brought));
                d->pieces[d->n] = (struct iovec) { .iov_len = 0 };
                d->brought[d->n++] = (struct ob_brought) { .first = place };
        }
        ob_bytes_add(&d->text, lines->data, lines->length);
        d->pieces[d->n - 1].iov_len += lines->length;
        d->brought[d->n - 1].points += points;
}

void ob_datagrams_finish(struct ob_datagrams *d)
{
        size_t offset = 0;

        for (size_t i = 0; i < d->n; i++) { /* the text does not move any more */
                d->pieces[i].iov_base = d->text.data + offset;
                offset += d->pieces[i].iov_len;
        }
}

unsigned ob_datagrams_points_left(const struct ob_datagrams *d)
{
        unsigned points = 0;

        for (size_t i = d->next; i < d->n; i++)
                points += d->brought[i].points;
        return points;
}
