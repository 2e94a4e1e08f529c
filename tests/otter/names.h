/*
 * The tables that give numbers their names: channels, pipelines, nodes, and what is read from
 * and written to. Most are as people name things, some are what breaks dashboards.
 */
#ifndef FO_NAMES_H
#define FO_NAMES_H

#include "tests/otter/db.h"
#include "tests/otter/world.h"

/*
 * Fills the empty name tables for all pipelines and pairs of the world, and so many channels (0: as many as
 * have a pipeline).
 */
int fo_names_create(struct fo_db *db, const struct fo_world *world, int64_t channel_count);

#endif
