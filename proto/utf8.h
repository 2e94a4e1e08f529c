/* Texts from outside as UTF-8: where they may be cut, and what of them is none. Pure functions. */
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
 * Adds `text`, at most `most` bytes of it, and no character by halves. Bytes that are no UTF-8 become '?', and so
 * do control characters but newline and tab. Returns how many bytes of `text` that took.
 */
size_t ob_utf8_add(struct ob_text *out, const char *text, size_t most);

#endif
