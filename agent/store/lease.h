/*
 * The lease of a manager in a shared state. Agents with the same config share one database, and each manager is
 * owned by the agent that holds the manager's lease: this agent reads the manager's sources and sends what they
 * give. A row of the table `leases` has the owner, a generation that grows with each owner, and the end of the
 * lease by the database's clock. A lease is taken with one UPDATE, which succeeds only when the lease has ended, or
 * when its owner is a former process of this agent.
 *
 * Every transaction of the owner first renews that row, and is rolled back when the row is not this owner's any
 * more. So a former owner changes nothing. It sends nothing either: `permit` ends after 60 % of the lease by this
 * machine's CLOCK_BOOTTIME, counted from before the last renewal was sent.
 *
 * The membership (membership.h) takes, renews and releases the leases of an agent. Any thread may call the
 * functions.
 */
#ifndef OB_STORE_LEASE_H
#define OB_STORE_LEASE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/process/permit.h"
#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/error.h"

#define OB_LEASE_SENDS_PERCENT 60 /* of the lease */

enum ob_lease_state {
        OB_LEASE_NONE, /* the state is not shared */
        OB_LEASE_WAITS,
        OB_LEASE_HELD,
        OB_LEASE_LOST,     /* the owner has to stop all work for the manager: see ob_lease_return */
        OB_LEASE_RETURNED, /* all work has stopped, and the membership releases the lease */
};

/* What all leases of this process share. */
struct ob_lease_holder {
        const struct ob_state_settings *settings; /* borrowed */
        int64_t instance;                         /* of this process: tells agents of the same name apart */
        struct ob_stop stop;                      /* ends each wait on the database */
        atomic_size_t host;                       /* of all sessions: see ob_state_session */
        pthread_mutex_t lock;                     /* guards the leases; under it there is only copying */
        pthread_cond_t changed;                   /* of the state of a lease, or of a wait for it */
        bool is_closing;                          /* no lease is taken any more */
};

struct ob_lease {
        struct ob_lease_holder *holder; /* borrowed */
        const char *manager;            /* borrowed: its name; "" */
        int64_t unit;                   /* the number of its rows in the database; 0: not known yet */
        struct ob_permit permit;

        /* The holder's lock guards the members below. */
        enum ob_lease_state state;
        int64_t generation;  /* of the last owner */
        bool is_asked_for;   /* while the lease is held: its owner has to release it */
        int64_t rests_until; /* ob_clock_ms(): this agent does not take the lease again before, unless another agent
                                has owned it in between */
        int64_t since;       /* ob_clock_ms() when the state became what it is */
        int64_t renewed;     /* ob_clock_ms() of the last renewal; 0: never */
        int64_t free_since;  /* ob_clock_ms() since when nobody has the lease; 0: somebody has it */
        char owner[OB_STATE_AGENT_MAX + 1]; /* while this agent waits: who has the lease; "": nobody */
};

enum ob_lease_state ob_lease_state(struct ob_lease *l);

/* Whether the owner has to stop its work: it has lost the lease, or was asked to release it. */
bool ob_lease_is_ending(struct ob_lease *l);

/* Waits until `*is_wanted` is true, until ob_lease_is_ending(), or until `deadline` on ob_clock_ms(). */
void ob_lease_wait(struct ob_lease *l, const atomic_bool *is_wanted, int64_t deadline);

/* Ends waits whose `*is_wanted` has just become true. */
void ob_lease_wake(struct ob_lease_holder *h);

/* All work for the manager has stopped: the lease is released, and is not taken again for `rest_ms`. */
void ob_lease_return(struct ob_lease *l, int64_t rest_ms);

/*
 * For the engine: the statement that renews the lease inside a transaction, and what came of the transaction, which
 * began at the moment `at` on ob_clock_boot_ms(). _lose: the lease has another owner, or it is not known whether a
 * commit was done. The caller frees the statement; NULL with `err` when the lease is not held.
 */
char *ob_lease_fence(struct ob_lease *l, struct ob_err *err);
void ob_lease_renewed(struct ob_lease *l, int64_t at);
void ob_lease_lose(struct ob_lease *l, const char *why);

/* For the membership, with the lock held. */
void ob_lease_change(struct ob_lease *l, enum ob_lease_state state);

/* A copy of the members that the lock guards. */
struct ob_lease_story {
        const char *manager; /* borrowed */
        enum ob_lease_state state;
        int64_t generation, age_ms; /* since the state is what it is */
        char owner[OB_STATE_AGENT_MAX + 1];
};
void ob_lease_read(struct ob_lease *l, struct ob_lease_story *story);

#endif
