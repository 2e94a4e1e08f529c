/*
 * UTF-8 in texts from outside: where a text may be cut, which bytes are invalid, and which characters a log or a
 * terminal must not get. Pure functions.
 */
#ifndef OB_PROTO_UTF8_H
#define OB_PROTO_UTF8_H

#include <stddef.h>

#include "proto/text.h"

/*
 * The bytes of the character at `text`, a text that ends at a NUL: 1 to 4; 0 when there is no valid one (overlong
 * forms, surrogates, codes beyond U+10FFFF). `text` must not be at its end.
 */
size_t ob_utf8_length(const char *text);

/*
 * The position of the first byte that is no UTF-8 or is a NUL, in `length` bytes that need no NUL at their end. A
 * character that the end cuts is no UTF-8. `length` when all bytes are UTF-8.
 */
size_t ob_utf8_find_bad(const char *bytes, size_t length);

/*
 * The bytes of the character at `text` when a log and a terminal may have it as it is. 0 for invalid UTF-8, for
 * control characters (C0, DEL, C1), for characters that change the direction of text, for U+2028 and U+2029, which
 * end a line, and for U+FEFF. `text` must not be at its end.
 */
size_t ob_utf8_shown(const char *text);

/* The code of the character of `n` bytes, 1 to 4, that begins at `text`. */
unsigned ob_utf8_code(const char *text, size_t n);

/*
 * How many columns of a terminal a character takes: 2 for a wide character (Chinese, Japanese, Korean, emoji), and
 * 1 for every other character, combining ones included.
 */
size_t ob_utf8_columns(unsigned code);

/*
 * Adds at most `most` bytes of `text`, made safe for a log and a terminal: a character that ob_utf8_shown() refuses
 * is written as "<U+202E>", an invalid byte as "<FF>". A second pass changes nothing. The rest that does not fit is
 * left out, and `out` is marked as too long; no character and no escape is cut.
 */
void ob_utf8_show(struct ob_text *out, const char *text, size_t most);

/* The same as a new text, the caller's to free. When `most` cuts the text, "…" stands at its end. */
char *ob_utf8_show_copy(const char *text, size_t most);

/* The same in place: `text` is an array of `room` bytes that ends at a NUL before and after. */
void ob_utf8_show_in(char *text, size_t room);

/*
 * Adds at most `most` bytes of `text`, and only whole characters. Each character or byte that ob_utf8_shown()
 * refuses becomes '?', but newline and tab stay. Returns how many bytes of `text` were read.
 */
size_t ob_utf8_add(struct ob_text *out, const char *text, size_t most);

#endif
