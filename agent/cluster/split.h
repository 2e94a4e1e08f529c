/*
 * Divides the state that one agent has of several managers among them, since each manager has a state of its own in
 * a database that agents share. A row goes to the manager whose name is in its key, and a batch to the one whose
 * series it has: a worker makes a batch, and works for one manager. What is of no manager of the config, like the
 * agent's own series, goes to the first one. Owned by one thread.
 */
#ifndef OB_CLUSTER_SPLIT_H
#define OB_CLUSTER_SPLIT_H

#include "agent/store/lease.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/error.h"

/*
 * Copies all rows of `from` inside a transaction of `to`, a store of a shared state. `leases` are those of the
 * config's managers, in their order, and are held. The caller looks at `done->corrupt`.
 */
int ob_split(const struct ob_config *config, struct ob_lease *leases, struct ob_store *from, struct ob_store *to,
        struct ob_copied *done, struct ob_err *err);

#endif
