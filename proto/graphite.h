/*
 * Graphite's plaintext line: `path value timestamp\n`. The functions have no state.
 * Facts: carbon's protocols.py (three fields, float(), a line of at most 16,384 bytes).
 */
#ifndef OB_PROTO_GRAPHITE_H
#define OB_PROTO_GRAPHITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/text.h"

#define OB_GRAPHITE_LINE_MAX 16384 /* carbon closes the connection on a longer line */

/* The room that a line needs besides its path, in bytes: enough for the longest numbers, and always required. */
#define OB_GRAPHITE_NUMBERS (2 * OB_NUMBER_MAX + 2)
void ob_graphite_line(
        struct ob_text *out, const char *path, size_t path_length, struct ob_metric_value value, int64_t time);

/* Whether carbon can make a file of this path: no node of more than 251 bytes (carbon adds ".wsp"). */
bool ob_graphite_path_is_storable(const char *path, size_t length);

#endif
