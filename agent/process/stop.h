/*
 * The request to stop, and waits that end early when a stop is wanted. Any thread.
 *
 * The agent has two stops, one for all workers and, after them, one for all sinks.
 *
 * A library cannot be asked to end its wait on a socket. So a thread of the stop, the guard, shuts the socket down
 * when a stop is wanted, or when the deadline of the wait has passed, even if the peer still sends bytes.
 */
#ifndef OB_PROCESS_STOP_H
#define OB_PROCESS_STOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

/* Why a socket was shut down. */
enum ob_shut { OB_SHUT_NOT, OB_SHUT_BY_STOP, OB_SHUT_BY_DEADLINE };

#define OB_STOP_NO_WAIT INT64_MAX

/* A socket that one thread waits on. Its owner reads `shut`; the stop owns all other members. */
struct ob_stop_socket {
        int fd;           /* ours: a duplicate, so that no other socket with the same number is shut down */
        int64_t deadline; /* of the wait, on ob_clock_ms(); OB_STOP_NO_WAIT: the owner does not wait */
        _Atomic(enum ob_shut) shut;
        struct ob_stop_socket *next;
};

struct ob_stop {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool wanted;
        int64_t deadline; /* on ob_clock_ms(), once a stop is wanted: all threads must have ended by then */

        pthread_cond_t sockets_changed;
        struct ob_stop_socket *sockets; /* borrowed */
        int64_t guard_wakes;            /* when the guard checks the sockets next, on ob_clock_ms() */
        bool has_guard, is_over;
        pthread_t guard;
};

void ob_stop_init(struct ob_stop *s);
void ob_stop_fini(struct ob_stop *s);

void ob_stop_want(struct ob_stop *s, int64_t deadline);
bool ob_stop_is_wanted(struct ob_stop *s);

/* By when the threads must have ended; INT64_MAX while no stop is wanted. */
int64_t ob_stop_deadline(struct ob_stop *s);

/* Waits until `deadline` on ob_clock_ms(). True at once when a stop is wanted. */
bool ob_stop_wait(struct ob_stop *s, int64_t deadline);

/* From now on the guard watches this socket, on which its owner does not wait yet. */
int ob_stop_add_socket(struct ob_stop *s, struct ob_stop_socket *socket, int fd, struct ob_err *err);

/* The owner is about to wait until `deadline` at the latest. False: a stop is wanted, and the owner must not wait.
 */
bool ob_stop_begin_wait(struct ob_stop *s, struct ob_stop_socket *socket, int64_t deadline);
void ob_stop_end_wait(struct ob_stop *s, struct ob_stop_socket *socket);

/* Called before the owner closes the socket. Does nothing to a socket that was not added. */
void ob_stop_remove_socket(struct ob_stop *s, struct ob_stop_socket *socket);

/* Makes a condition whose waits take the deadlines of ob_clock_deadline(). */
void ob_cond_init(pthread_cond_t *cond);

#endif
