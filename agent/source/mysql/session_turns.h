/*
 * The sessions of one manager's workers, which take turns when the server allows fewer at once. Refusals show how
 * many the server allows; one more is tried from time to time. Without refusals every worker keeps its session.
 *
 * Workers wait for sessions in the order of arrival. A session that rests between two polls is closed for a
 * waiting worker; so a thread owns its session only from ob_turn_open to ob_turn_rest.
 */
#ifndef OB_SOURCE_MYSQL_SESSION_TURNS_H
#define OB_SOURCE_MYSQL_SESSION_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "proto/error.h"

struct ob_turn;

/* Any thread. Members without a comment are private, under the lock. */
struct ob_session_turns {
        /* Set before the start. */
        const char *name; /* of the manager, in the log */
        unsigned needed;  /* the most sessions that the manager's workers use at once */
        int64_t wait_ms;  /* a longer wait for a session is a failure */
        int64_t hold_ms;  /* how long a session may work while others wait */
        int64_t raise_ms; /* after this time one session more than `limit` is tried */

        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned taken;        /* turns whose session is open, or being opened */
        unsigned open;         /* sessions that are open */
        unsigned limit;        /* sessions that the server allows; 0: no limit was found */
        int64_t raise_at;      /* ob_clock_ms() */
        int64_t closed_at;     /* ob_clock_ms(), of the last session: the server may still count it */
        struct ob_turn *first; /* of the waiting turns */
        struct ob_turn *rests; /* resting sessions, the longest first */
        bool is_stopping;
};

enum ob_turn_state {
        OB_TURN_NONE,    /* its session is closed */
        OB_TURN_OPENS,   /* its session is being opened */
        OB_TURN_WORKS,   /* its session is open, and owned by its thread */
        OB_TURN_RESTS,   /* its session is open, and may be closed for another turn */
        OB_TURN_IS_TAKEN /* its session is being closed for another turn */
};

/* The turn of one session. */
struct ob_turn {
        struct ob_session_turns *turns; /* borrowed; NULL: no other sessions, so the turn only opens and closes */
        void *session;                  /* borrowed: the argument of open_it and close_it */
        int (*open_it)(void *session, struct ob_err *err); /* 1: refused, since there are too many sessions */
        void (*close_it)(void *session);
        enum ob_turn_state state;
        int64_t since; /* ob_clock_ms() when OB_TURN_WORKS began */
        struct ob_turn *next;
};

/* How many sessions the workers of a manager use at once with this config. */
unsigned ob_session_turns_needed(const struct ob_config *c);

void ob_session_turns_init(struct ob_session_turns *t, const struct ob_config *c, const struct ob_manager *m);
void ob_session_turns_fini(struct ob_session_turns *t);

/* Ends every wait, now and from now on. */
void ob_session_turns_stop(struct ob_session_turns *t);

/* How many sessions the server allows at once; 0: no limit was found. */
unsigned ob_session_turns_limit(struct ob_session_turns *t);

/* Whether an error's number and text mean that the server has too many sessions. */
bool ob_session_turns_is_refusal(unsigned number, const char *text);

/* Opens the session for the caller, which may wait for `wait_ms` besides opening it. */
int ob_turn_open(struct ob_turn *turn, struct ob_err *err);

/* Closes the session in any state. */
void ob_turn_close(struct ob_turn *turn);

/* Whether the caller's open session has worked for `hold_ms` while others wait: the caller should close it. */
bool ob_turn_is_over(struct ob_turn *turn);

/* The session is not needed now: it stays open until another turn needs it. */
void ob_turn_rest(struct ob_turn *turn);

#endif
