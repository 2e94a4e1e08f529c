/* The saved state of a Graphite sink whose receiver appends, for a sink that goes on from there in another way. */
#ifndef OB_SINK_GRAPHITE_APPEND_H
#define OB_SINK_GRAPHITE_APPEND_H

#include <stdbool.h>

#include "proto/bytes.h"

/*
 * Moves `*saved_state` to the fold of open steps that is in it. `*parts` becomes the bytes of the closed steps,
 * which are sent, or about to be sent. False, and nothing moves, when no sink with receiver = "append" saved the
 * state.
 */
bool ob_graphite_append_take_parts(struct ob_bytes_reader *saved_state, struct ob_bytes_reader *parts);

#endif
