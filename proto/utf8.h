/*
 * Texts from outside as UTF-8: where they may be cut, what of them is none, and what of them a log or a terminal
 * must not get. Pure functions.
 */
#ifndef OB_PROTO_UTF8_H
#define OB_PROTO_UTF8_H

#include <stddef.h>

#include "proto/text.h"

/*
 * The bytes of the character that begins at `text`, which ends at a NUL: 1 to 4; 0 when there is none there
 * (overlong forms, surrogates and what lies behind U+10FFFF are none). Not to be asked at the end.
 */
size_t ob_utf8_length(const char *text);

/*
 * The position of the first byte that is no UTF-8 or is a NUL, in `length` bytes that need no NUL at their end. A
 * character that the end cuts is no UTF-8. `length` when all bytes are UTF-8.
 */
size_t ob_utf8_find_bad(const char *bytes, size_t length);

/*
 * The bytes of the character that begins at `text` when a log and a terminal may have it as it is. 0 for bytes that
 * are no UTF-8, for control characters (C0, DEL, C1), for characters that turn the direction of the text around
 * them, for U+2028 and U+2029, which end a line, and for U+FEFF. Not to be asked at the end.
 */
size_t ob_utf8_shown(const char *text);

/* The code of the character of `n` bytes, 1 to 4, that begins at `text`. */
unsigned ob_utf8_code(const char *text, size_t n);

/*
 * Adds `text`, at most `most` bytes of it, as a log and a terminal may have it: what ob_utf8_shown() refuses is
 * written as
 * "<U+202E>", a byte that is no UTF-8 as "<FF>". A text that went through this once stays what it is. The end of a
 * text that does not fit is left out, and `out` marked as too long; neither a character nor an escape is cut.
 */
void ob_utf8_show(struct ob_text *out, const char *text, size_t most);

/* The same in the place of `text`, an array of `room` bytes that ends at a NUL, also afterwards. */
void ob_utf8_show_in(char *text, size_t room);

/*
 * Adds `text`, at most `most` bytes of it, and no character by halves. What ob_utf8_shown() refuses becomes '?',
 * one a character or byte, but newline and tab stay. Returns how many bytes of `text` that took.
 */
size_t ob_utf8_add(struct ob_text *out, const char *text, size_t most);

#endif
