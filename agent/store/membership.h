/*
 * This agent as one of those that share a state: a thread says in the table `agents` that the agent lives, takes
 * the leases of managers up to its fair share (shares.h), renews them, and hands them over. It never waits for the
 * work on a manager: whoever does this work learns from the lease when to stop, and says when all has stopped.
 */
#ifndef OB_STORE_MEMBERSHIP_H
#define OB_STORE_MEMBERSHIP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/lease.h"
#include "agent/store/lease_rows.h"
#include "agent/store/state_session.h"
#include "config/config.h"
#include "proto/error.h"

struct ob_membership {
        struct ob_lease_holder holder;
        struct ob_lease *leases; /* ours; one per manager, in the order of the config */
        size_t n_leases;
        bool is_open;
        bool takes_all; /* set by a command: it takes all leases, and other agents do not count it in the shares */

        /* Called by the thread when a lease was taken; the callee starts the work. NULL: nobody is called. */
        void (*taken)(void *ctx, struct ob_lease *lease);
        void *ctx;

        /* The thread's. */
        pthread_t thread; /* 0: it could not be started */
        struct ob_state_session session;
        struct ob_lease_rows rows;
        int64_t renews_at;          /* on ob_clock_ms() */
        size_t first;               /* where the search for a free lease begins: agents begin at different leases */
        bool is_known;              /* the rows of the managers are there, and the leases have their units */
        bool hurries;               /* a lease is about to become free */
        bool is_silent, is_standby; /* as logged */
        bool is_barred;             /* as logged: this agent owns no manager, and can take no lease */
        int conflicts;              /* so many looks in a row ended in a conflict with another transaction */

        /* The holder's lock guards them. */
        bool is_reached;      /* the last look at the database succeeded */
        char why[OB_ERR_MAX]; /* why this agent can neither take nor renew leases; "": it can */
};

/*
 * Begins to take leases of the managers of a config, which is borrowed. The caller sets `taken`, `ctx` and
 * `takes_all`, and clears the rest. -1 when the database refuses this agent, or when another living agent has its
 * name. While no host of the database answers, this is no error: the thread goes on trying.
 */
int ob_membership_open(struct ob_membership *m, const struct ob_state_settings *settings,
        const struct ob_manager *managers, size_t n_managers, struct ob_err *err);

/*
 * Takes the leases of managers for a command, under a name of the command's own: an agent with the name in the
 * config may be living. The function fills `alone`, which must live as long as the membership, with the settings
 * that the leases use. -1 when an agent owns one of the managers.
 */
int ob_membership_open_alone(struct ob_membership *m, struct ob_state_settings *alone,
        const struct ob_state_settings *settings, const char *command, const struct ob_manager *managers,
        size_t n_managers, struct ob_err *err);

/*
 * Releases all leases, so that other agents take over at once. All work has stopped. Does nothing when the
 * membership is not open.
 */
void ob_membership_close(struct ob_membership *m);

/* After a reload: whether the new config has the same database, names, lease and managers. */
bool ob_membership_fits(const struct ob_membership *m, const struct ob_state_settings *settings,
        const struct ob_manager *managers, size_t n_managers);

/* The settings and managers of the new config take the place of the old ones, which fit. No work runs. */
int ob_membership_use(struct ob_membership *m, const struct ob_state_settings *settings,
        const struct ob_manager *managers, struct ob_err *err);

/* Waits until this agent holds all leases, or until `deadline` on ob_clock_ms(). */
bool ob_membership_wait(struct ob_membership *m, int64_t deadline);

/* Sets `err` to why this agent does not hold all leases. */
int ob_membership_explain(struct ob_membership *m, struct ob_err *err);

/* A copy, for the status page and the agent's own series. */
struct ob_membership_story {
        bool is_open, is_reached;
        bool may_work;     /* each lease that is held was renewed in time */
        size_t managers;   /* how many this agent owns */
        size_t unowned;    /* how many nobody has owned for longer than a lease */
        int64_t oldest_ms; /* since the last renewal of the oldest lease; 0: none is held */
        char why[OB_ERR_MAX];
};
void ob_membership_read(struct ob_membership *m, struct ob_membership_story *story);

#endif
