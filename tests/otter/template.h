/*
 * Templates of pages, in the way of Velocity: "$name" is replaced by the value of that name, as
 * HTML. A value that is NULL, or that nobody knows, leaves its reference standing in the page;
 * "$!name" leaves nothing.
 */
#ifndef FO_TEMPLATE_H
#define FO_TEMPLATE_H

#include <stdbool.h>

#include "tests/otter/text.h"

struct fo_value {
        const char *name; /* letters, digits and dots; NULL ends a list */
        const char *value;
        bool raw; /* it is HTML already */
};

/* `values` end with an empty one; NULL: there are none. */
void fo_template_add(struct fo_text *out, const char *template, const struct fo_value *values);

/* Adds `text` with a named entity for every character that HTML 4 has one for, and &#39;. */
void fo_template_escape(struct fo_text *out, const char *text);

/* Adds `text` with the line ends of DOS. */
void fo_template_add_dos(struct fo_text *out, const struct fo_text *text);

#endif
