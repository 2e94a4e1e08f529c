/*
 * The rows of the tables `leases`, `releases` and `agents`, by which agents share the managers: deploy/state.sql
 * describes the tables. Times are milliseconds by the clock of the database. One thread owns a session and its
 * rows.
 */
#ifndef OB_STORE_LEASE_ROWS_H
#define OB_STORE_LEASE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/state_session.h"
#include "config/config.h"
#include "proto/error.h"

#define OB_LEASE_NAME_MAX (OB_STATE_AGENT_MAX + 1) /* bytes of the name of a manager or an agent, with the NUL */

/* In an UPDATE of a row of `leases` or `agents`: its new end, after so many milliseconds (%d). */
#define OB_LEASE_RENEWS "beats = beats + 1, expires = " OB_STATE_NOW " + %d"

struct ob_lease_row {
        int64_t unit;
        char manager[OB_LEASE_NAME_MAX], owner[OB_LEASE_NAME_MAX]; /* owner "": nobody */
        int64_t instance, generation;
        int64_t left;  /* until the lease ends; negative: it has ended, or was released */
        int64_t asked; /* the last generation that was asked to release the lease; 0: none was */
};

struct ob_agent_row {
        char name[OB_LEASE_NAME_MAX];
        int64_t instance;
        int64_t left;  /* until its time ends; negative: the agent is dead, or cannot reach the database */
        int64_t rests; /* for so long it takes no manager; 0 or less: it takes managers */
};

struct ob_lease_rows {
        struct ob_lease_row *leases; /* ours; by their units */
        struct ob_agent_row *agents; /* ours; by their names */
        size_t n_leases, lease_room, n_agents, agent_room;
};

/* Reads all rows, in place of those that were read before. */
int ob_lease_rows_read(struct ob_state_session *s, struct ob_lease_rows *rows, struct ob_err *err);

/* The same, in a session for this one look. */
int ob_lease_rows_read_once(
        const struct ob_state_settings *settings, struct ob_lease_rows *rows, struct ob_err *err);
void ob_lease_rows_free(struct ob_lease_rows *rows);

/* The row of a manager; NULL: there is none. */
const struct ob_lease_row *ob_lease_rows_find(const struct ob_lease_rows *rows, const char *manager);

/* Whether the lease of this row has an owner, and has not ended. */
bool ob_lease_row_is_owned(const struct ob_lease_row *row);

/* Makes the row of a manager that has none. */
int ob_lease_rows_add(struct ob_state_session *s, const char *manager, struct ob_err *err);

/* Asks the owner of this generation to release the lease. */
int ob_lease_rows_ask(struct ob_state_session *s, const struct ob_lease_row *row, struct ob_err *err);

/* An agent takes no manager for `ms`, and no other agent rests any more. */
int ob_lease_rows_rest(struct ob_state_session *s, const char *agent, int64_t ms, struct ob_err *err);

/* What the queue of a unit keeps, and what a sink of it has not sent. `sink` NULL: all that the queue keeps. */
struct ob_backlog {
        int64_t points, bytes;
};
int ob_lease_rows_backlog(
        struct ob_state_session *s, int64_t unit, const char *sink, struct ob_backlog *backlog, struct ob_err *err);

/* The time of a lease in milliseconds. */
int ob_lease_ms(const struct ob_state_settings *settings);

#endif
