/*
 * A text that is written piece by piece into a room of fixed size. What does not fit is not cut: the
 * text is marked as too long and stays as it was. Owned by one thread.
 */
#ifndef OB_PROTO_TEXT_H
#define OB_PROTO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct ob_text {
        char *data; /* borrowed; not NUL-terminated */
        size_t length, room;
        bool too_long; /* a piece did not fit; stays so until reset */
};

/* An empty text over `data`. */
struct ob_text ob_text_over(char *data, size_t room);

void ob_text_add(struct ob_text *t, const char *piece, size_t length);
void ob_text_add_string(struct ob_text *t, const char *piece);
void ob_text_add_char(struct ob_text *t, char c);
void ob_text_add_number(struct ob_text *t, __int128 micros);
void ob_text_add_int(struct ob_text *t, long long number);

/* Adds `piece` byte by byte, with '_' in the place of every byte that `allowed` refuses. */
void ob_text_add_mapped(struct ob_text *t, const char *piece, bool (*allowed)(char c));

/* Back to a length it had before, with room again. */
void ob_text_reset(struct ob_text *t, size_t length);

#endif
