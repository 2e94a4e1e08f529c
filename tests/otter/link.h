/*
 * A worker's connection, which may break at any time: it is made again, with the session of a
 * master of its own, for as long as the run goes on.
 */
#ifndef FO_LINK_H
#define FO_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/otter/db.h"
#include "tests/otter/stop.h"

struct fo_link {
        struct fo_db db;
        const struct fo_where *where; /* borrowed, as is `stop` */
        struct fo_stop *stop;
        const char *role;      /* "manager", "writer": for what is said */
        const char *isolation; /* "repeatable read" */
        int64_t number;
        int64_t masters; /* ids of number modulo masters */
        int64_t master;  /* but of this one, from 1, unless 0 */
        int64_t breaks;  /* how often it broke */
        bool open;
        bool told; /* that it is broken */
};

/* Connects if need be. When that fails it says so (once), waits a little, and is false. */
bool fo_link_is_ready(struct fo_link *link);

/*
 * After any error: a lost server, a deadlock, a lock not given. Hangs up, so that the server
 * rolls back, and waits a little.
 */
void fo_link_drop(struct fo_link *link);

void fo_link_close(struct fo_link *link);

#endif
