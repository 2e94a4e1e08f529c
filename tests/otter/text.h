/*
 * A text that grows: SQL statements and log messages are built in one.
 */
#ifndef FO_TEXT_H
#define FO_TEXT_H

#include <stddef.h>

/* All zero is an empty text. `bytes` ends with a 0 once something was added. */
struct fo_text {
        char *bytes;
        size_t length;
        size_t size;
};

void fo_text_fini(struct fo_text *text);

/* Empties, but keeps the memory for the next statement. */
void fo_text_clear(struct fo_text *text);

/* Room for `more` bytes (and the 0) at the end; the caller moves `length`. */
char *fo_text_reserve(struct fo_text *text, size_t more);

void fo_text_add(struct fo_text *text, const char *what);
void fo_text_addf(struct fo_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
