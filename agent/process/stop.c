#include "agent/process/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"

void ob_cond_init(pthread_cond_t *cond)
{
        pthread_condattr_t attr;

        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &attr);
        pthread_condattr_destroy(&attr);
}

void ob_stop_init(struct ob_stop *s)
{
        *s = (struct ob_stop) { .wanted = false };
        pthread_mutex_init(&s->lock, NULL);
        ob_cond_init(&s->changed);
        ob_cond_init(&s->sockets_changed);
}

void ob_stop_fini(struct ob_stop *s)
{
        if (s->has_guard) {
                pthread_mutex_lock(&s->lock);
                s->is_over = true;
                pthread_cond_signal(&s->sockets_changed);
                pthread_mutex_unlock(&s->lock);
                pthread_join(s->guard, NULL);
        }
        pthread_cond_destroy(&s->sockets_changed);
        pthread_cond_destroy(&s->changed);
        pthread_mutex_destroy(&s->lock);
}

void ob_stop_want(struct ob_stop *s, int64_t deadline)
{
        pthread_mutex_lock(&s->lock);
        if (!s->wanted || deadline < s->deadline)
                s->deadline = deadline;
        s->wanted = true;
        pthread_cond_broadcast(&s->changed);
        pthread_cond_signal(&s->sockets_changed);
        pthread_mutex_unlock(&s->lock);
}

bool ob_stop_is_wanted(struct ob_stop *s)
{
        return ob_stop_wait(s, 0);
}

int64_t ob_stop_deadline(struct ob_stop *s)
{
        int64_t deadline;

        pthread_mutex_lock(&s->lock);
        deadline = s->wanted ? s->deadline : INT64_MAX;
        pthread_mutex_unlock(&s->lock);
        return deadline;
}

bool ob_stop_wait(struct ob_stop *s, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);
        bool wanted;

        pthread_mutex_lock(&s->lock);
        while (!s->wanted && deadline > ob_clock_ms())
                if (pthread_cond_timedwait(&s->changed, &s->lock, &until) == ETIMEDOUT)
                        break;
        wanted = s->wanted;
        pthread_mutex_unlock(&s->lock);
        return wanted;
}

static void shut(struct ob_stop_socket *socket, enum ob_shut why)
{
        socket->shut = why;
        shutdown(socket->fd, SHUT_RDWR);
}

/* Shuts down the sockets whose time has come. Returns when the next check is due. The caller holds the lock. */
static int64_t guard_sockets(struct ob_stop *s)
{
        int64_t now = ob_clock_ms(), next = OB_STOP_NO_WAIT;

        for (struct ob_stop_socket *k = s->sockets; k; k = k->next) {
                if (k->deadline == OB_STOP_NO_WAIT || k->shut != OB_SHUT_NOT)
                        continue;
                if (s->wanted)
                        shut(k, OB_SHUT_BY_STOP);
                else if (k->deadline <= now)
                        shut(k, OB_SHUT_BY_DEADLINE);
                else if (k->deadline < next)
                        next = k->deadline;
        }
        return next;
}

static void *guard(void *arg)
{
        struct ob_stop *s = arg;

        pthread_mutex_lock(&s->lock);
        while (!s->is_over) {
                struct timespec until;

                s->guard_wakes = guard_sockets(s);
                if (s->guard_wakes == OB_STOP_NO_WAIT) {
                        pthread_cond_wait(&s->sockets_changed, &s->lock);
                } else {
                        until = ob_clock_deadline(s->guard_wakes);
                        pthread_cond_timedwait(&s->sockets_changed, &s->lock, &until);
                }
        }
        pthread_mutex_unlock(&s->lock);
        return NULL;
}

int ob_stop_add_socket(struct ob_stop *s, struct ob_stop_socket *socket, int fd, struct ob_err *err)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), got = 0;

        if (copy < 0)
                return ob_fail(err, "no file descriptor for a socket: %m");
        *socket = (struct ob_stop_socket) { .fd = copy, .deadline = OB_STOP_NO_WAIT };
        pthread_mutex_lock(&s->lock);
        if (!s->has_guard) {
                s->guard_wakes = OB_STOP_NO_WAIT;
                got = pthread_create(&s->guard, NULL, guard, s);
                s->has_guard = !got;
        }
        if (!got) {
                socket->next = s->sockets;
                s->sockets = socket;
        }
        pthread_mutex_unlock(&s->lock);
        if (!got)
                return 0;
        errno = got;
        ob_fail(err, "no thread to watch sockets: %m");
        close(copy);
        *socket = (struct ob_stop_socket) { .deadline = OB_STOP_NO_WAIT };
        return -1;
}

/* Wakes the guard only for a deadline that is earlier than its next check. */
bool ob_stop_begin_wait(struct ob_stop *s, struct ob_stop_socket *socket, int64_t deadline)
{
        bool wanted;

        pthread_mutex_lock(&s->lock);
        wanted = s->wanted;
        if (!wanted) {
                socket->deadline = deadline;
                if (deadline < s->guard_wakes)
                        pthread_cond_signal(&s->sockets_changed);
        }
        pthread_mutex_unlock(&s->lock);
        return !wanted;
}

void ob_stop_end_wait(struct ob_stop *s, struct ob_stop_socket *socket)
{
        pthread_mutex_lock(&s->lock);
        socket->deadline = OB_STOP_NO_WAIT;
        pthread_mutex_unlock(&s->lock);
}

void ob_stop_remove_socket(struct ob_stop *s, struct ob_stop_socket *socket)
{
        struct ob_stop_socket **at = &s->sockets;

        pthread_mutex_lock(&s->lock);
        while (*at && *at != socket)
                at = &(*at)->next;
        if (*at) {
                *at = socket->next;
                close(socket->fd);
        }
        pthread_mutex_unlock(&s->lock);
}
