/*
 * HTML, written piece by piece: every text that is put in is escaped, so that nothing from outside can become
 * markup. Owned by one thread.
 */
#ifndef OB_OPS_MARKUP_H
#define OB_OPS_MARKUP_H

#include "proto/bytes.h"

/* `format` is markup and knows %s (escaped), %lld and %%; nothing else. */
void ob_markup(struct ob_bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
