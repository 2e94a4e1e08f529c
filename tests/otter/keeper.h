/*
 * What ZooKeeper would know, and no table does: who runs, where, and how far it has come.
 */
#ifndef FO_KEEPER_H
#define FO_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/otter/state.h"

enum fo_run_state { FO_STOPPED, FO_PAUSED, FO_RUNNING };
enum fo_mainstem { FO_OFF, FO_LOCATING, FO_WORKING };

enum fo_run_state fo_keeper_channel(const struct fo_state *state, int64_t channel);
bool fo_keeper_node_is_up(const struct fo_state *state, int64_t node);

/* The node, of 1 … `nodes`, that selects for the pipeline; 0: none of them is up. */
int64_t fo_keeper_node_of(const struct fo_state *state, int64_t pipeline, int64_t nodes);

/* With an order of its own, that; off without a node, and when the channel is stopped. */
enum fo_mainstem fo_keeper_mainstem(const struct fo_state *state, int64_t pipeline, int64_t channel, int64_t nodes);

/* When the position last moved: with the newest row of statistics, or as ordered; 0: there is none. */
int64_t fo_keeper_position(const struct fo_state *state, int64_t pipeline, int64_t newest);

#endif
