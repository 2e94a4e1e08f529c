/*
 * Who has logged in. Any thread.
 */
#ifndef FO_SESSIONS_H
#define FO_SESSIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FO_SESSION_SIZE = 41, FO_SESSIONS = 64 };

struct fo_sessions {
        pthread_mutex_t lock;
        char ids[FO_SESSIONS][FO_SESSION_SIZE]; /* the newest replaces the oldest */
        size_t made;
        uint64_t ended_by;
};

void fo_sessions_init(struct fo_sessions *sessions);
void fo_sessions_fini(struct fo_sessions *sessions);

/* Writes FO_SESSION_SIZE bytes of chance: a name for something that nobody else has. */
void fo_sessions_name(char *id);

/* Writes a new session's id. */
void fo_sessions_begin(struct fo_sessions *sessions, char *id);

/* NULL is no session. */
bool fo_sessions_has(struct fo_sessions *sessions, const char *id);

/* Ends all of them, but only once for each `order`. */
void fo_sessions_end_all(struct fo_sessions *sessions, uint64_t order);

#endif
