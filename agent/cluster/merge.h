/*
 * The way back from split.h: puts the states that several managers have in a shared state together, for one agent
 * with one queue. The batches get new numbers. Of each sink the batches that it has done must come before those
 * that it has not done, so the queues can't be put together when, of two sinks, one is further with one manager and
 * the other one with another manager. Owned by one thread.
 */
#ifndef OB_CLUSTER_MERGE_H
#define OB_CLUSTER_MERGE_H

#include "agent/store/lease.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/error.h"

/*
 * Copies all rows from `from`, a store of a shared state inside a transaction, into an empty store inside a
 * transaction. `leases` are those of the config's managers, in their order, and are held. Adds to `done`, of which
 * the caller looks at `corrupt`.
 */
int ob_merge(const struct ob_config *config, struct ob_lease *leases, struct ob_store *from, struct ob_store *to,
        struct ob_copied *done, struct ob_err *err);

#endif
