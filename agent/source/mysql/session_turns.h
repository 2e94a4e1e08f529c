/*
 * The sessions of one manager's workers, where its server may allow fewer at once than there are: they
 * take turns. How many it allows is found out by its refusals, and tried again from time to time. As long as
 * nothing is refused everybody keeps their session.
 *
 * Who needs a session and gets none waits, in the order of coming. A session that rests between two polls is closed
 * for one who waits; so a session is its thread's only from ob_turn_open to ob_turn_rest.
 */
#ifndef OB_SOURCE_MYSQL_SESSION_TURNS_H
#define OB_SOURCE_MYSQL_SESSION_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "proto/error.h"

struct ob_turn;

/* Any thread. What begins with a small letter and has no comment is its own, under the lock. */
struct ob_session_turns {
        /* Set before the start. */
        const char *name; /* of the manager, for the log; borrowed */
        unsigned needed;  /* how many sessions there are at most */
        int64_t wait_ms;  /* that one waits for a session until that is a failure */
        int64_t hold_ms;  /* that one may work while others wait */
        int64_t raise_ms; /* after which one more is tried than the server was found to allow */

        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned taken;        /* turns: sessions that are open, or being opened */
        unsigned open;         /* sessions that are open */
        unsigned limit;        /* that the server was found to allow; 0: none was found */
        int64_t raise_at;      /* ob_clock_ms() */
        int64_t closed_at;     /* ob_clock_ms(), of the last session: the server may count it for a moment longer */
        struct ob_turn *first; /* of those that wait */
        struct ob_turn *rests; /* sessions that rest, the longest first */
        bool is_stopping;
};

enum ob_turn_state {
        OB_TURN_NONE,    /* its session is closed */
        OB_TURN_OPENS,   /* its session is being opened */
        OB_TURN_WORKS,   /* its session is open, and its thread's */
        OB_TURN_RESTS,   /* its session is open, and may be closed for another one */
        OB_TURN_IS_TAKEN /* its session is being closed for another one */
};

/* One session's part in it. */
struct ob_turn {
        struct ob_session_turns *turns; /* borrowed; NULL: it is alone, and only opens and closes */
        void *session;                  /* borrowed: what the two are called with */
        int (*open_it)(void *session, struct ob_err *err); /* 1: the server refuses it, since there are too many */
        void (*close_it)(void *session);
        enum ob_turn_state state;
        int64_t since; /* ob_clock_ms(), when it works: when that began */
        struct ob_turn *next;
};

/* How many sessions a manager needs at once, with this config. */
unsigned ob_session_turns_needed(const struct ob_config *c);

void ob_session_turns_init(struct ob_session_turns *t, const struct ob_config *c, const struct ob_manager *m);
void ob_session_turns_fini(struct ob_session_turns *t);

/* Ends every wait, now and from now on. */
void ob_session_turns_stop(struct ob_session_turns *t);

/* How many sessions the server was found to allow at once; 0: as many as there were. */
unsigned ob_session_turns_limit(struct ob_session_turns *t);

/* Whether the server refuses a session, by its error's number and text, since there are too many already. */
bool ob_session_turns_is_refusal(unsigned number, const char *text);

/* Makes sure that the session is open, and the caller's, which may take `wait_ms` besides opening it. */
int ob_turn_open(struct ob_turn *turn, struct ob_err *err);

/* Closes it, in whatever state it is. */
void ob_turn_close(struct ob_turn *turn);

/* Whether the caller, whose session is open, has worked for long, and others wait: it should close it. */
bool ob_turn_is_over(struct ob_turn *turn);

/* For now the session is not needed: it is kept open until somebody waits for one. */
void ob_turn_rest(struct ob_turn *turn);

#endif
