/*
 * Compressed bodies.
 */
#ifndef FO_GZIP_H
#define FO_GZIP_H

#include <stdint.h>

#include "tests/otter/text.h"

/* `text`, and then so many spaces, as gzip. */
void fo_gzip(struct fo_text *text, uint64_t spaces);

#endif
