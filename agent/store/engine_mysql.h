/* The engine that keeps the store in a database of MySQL, MariaDB or Galera, which several agents share. */
#ifndef OB_STORE_ENGINE_MYSQL_H
#define OB_STORE_ENGINE_MYSQL_H

#include <stdint.h>

#include "agent/process/stop.h"
#include "agent/store/engine.h"
#include "agent/store/lease.h"
#include "config/config.h"

struct ob_mysql;

extern const struct ob_engine ob_engine_mysql;

/*
 * Opens a connection to the rows of a lease's unit. Each transaction renews `lease`, which is borrowed, and a
 * statement that changes something outside a transaction is one of its own. On an error NULL.
 */
struct ob_mysql *ob_mysql_open(struct ob_lease *lease, struct ob_err *err);

/* Opens a connection that only reads the rows of a unit. On an error NULL. */
struct ob_mysql *ob_mysql_open_reader(
        const struct ob_state_settings *settings, int64_t unit, struct ob_stop *stop, struct ob_err *err);

/*
 * Inside a transaction: from now on the statements work on the rows of another lease's unit. All this work is one
 * transaction, which renews all of these leases. After a conflict the transaction is not repeated.
 */
int ob_mysql_turn(struct ob_mysql *c, struct ob_lease *lease, struct ob_err *err);

#endif
