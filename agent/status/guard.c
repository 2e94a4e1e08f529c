#include "agent/status/guard.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "proto/memory.h"

#define REQUEST_MS 10000  /* from the connect, or the end of the last request, to the last byte of the answer */
#define WRONG_MS   2000   /* the delay of the answer to a wrong password */
#define FORGET_MS  600000 /* after so long without a wrong password a peer's count is 0 again */
#define SHARE      16u    /* the most connections of one peer */
#define LET_IN     48u    /* the most connections of all peers */
#define PEERS_MAX  64     /* peers whose wrong passwords are counted */

struct address {
        sa_family_t family;
        unsigned char bytes[16];
};

/* One connection. */
struct slot {
        struct MHD_Connection *connection; /* NULL: the slot is free */
        struct address peer;
        int fd;
        int64_t began;  /* ob_clock_ms() at the begin of the request */
        int64_t waits;  /* the answer waits until then, on ob_clock_ms(); 0: no wrong password */
        bool was_wrong; /* the password was wrong, and the delay is over */
        bool is_ended;  /* the socket was shut down, and the web server will close it */
};

struct peer {
        struct address address;
        int64_t wrong, last_at; /* how many wrong passwords, and when the last one came, on ob_clock_ms() */
};

struct ob_guard {
        struct slot slots[OB_GUARD_CONNECTIONS];
        struct peer peers[PEERS_MAX];
};

struct ob_guard *ob_guard_new(void)
{
        return ob_alloc(1, sizeof(struct ob_guard));
}

void ob_guard_free(struct ob_guard *g)
{
        ob_free_at(&g);
}

static const struct sockaddr *sockaddr_of(struct MHD_Connection *c)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

        return info ? info->client_addr : NULL;
}

static struct address address_of(struct MHD_Connection *c)
{
        const struct sockaddr *from = sockaddr_of(c);
        struct address a;

        memset(&a, 0, sizeof(a)); /* addresses are compared as bytes */
        if (!from || (from->sa_family != AF_INET && from->sa_family != AF_INET6))
                return a;
        a.family = from->sa_family;
        if (from->sa_family == AF_INET) {
                memcpy(a.bytes, &((const struct sockaddr_in *)from)->sin_addr, sizeof(struct in_addr));
        } else {
                const struct in6_addr *six = &((const struct sockaddr_in6 *)from)->sin6_addr;

                memcpy(a.bytes, six, IN6_IS_ADDR_V4MAPPED(six) ? sizeof(*six) : sizeof(*six) / 2);
        }
        return a;
}

static bool is_same(const struct address *a, const struct address *b)
{
        return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static struct slot *slot_of(struct MHD_Connection *c)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

/* To the web server this looks as if the peer had closed the connection. */
static void end(struct slot *s)
{
        shutdown(s->fd, SHUT_RDWR);
        s->is_ended = true;
}

/* Counts the connections of `peer`, or of all peers (NULL). `*oldest` is the oldest of those that do not wait;
 * NULL: all wait. */
static unsigned count(struct ob_guard *g, const struct address *peer, struct slot **oldest)
{
        unsigned n = 0;

        *oldest = NULL;
        for (size_t i = 0; i < OB_GUARD_CONNECTIONS; i++) {
                struct slot *s = &g->slots[i];

                if (!s->connection || s->is_ended || (peer && !is_same(&s->peer, peer)))
                        continue;
                n++;
                if (!s->waits && (!*oldest || s->began < (*oldest)->began))
                        *oldest = s;
        }
        return n;
}

/*
 * When there is one connection too many the oldest one is ended: an honest request is answered at once. A
 * connection that waits is never ended, or a wrong password would cost nothing. When all of them wait the new one
 * is ended.
 */
static void make_room(struct ob_guard *g, struct slot *added)
{
        struct slot *oldest;

        if (count(g, &added->peer, &oldest) > SHARE || count(g, NULL, &oldest) > LET_IN)
                end(oldest ? oldest : added);
}

static void begin(struct ob_guard *g, struct MHD_Connection *c, void **socket_context)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

        for (size_t i = 0; i < OB_GUARD_CONNECTIONS; i++) {
                struct slot *s = &g->slots[i];

                if (s->connection)
                        continue;
                *s = (struct slot) {
                        .connection = c, .peer = address_of(c), .fd = info->connect_fd, .began = ob_clock_ms()
                };
                *socket_context = s;
                make_room(g, s);
                return;
        }
}

void ob_guard_connection(
        void *g, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
        struct slot *s = *socket_context;

        if (code == MHD_CONNECTION_NOTIFY_STARTED)
                begin(g, c, socket_context);
        else if (s)
                s->connection = NULL;
}

void ob_guard_completed(
        void *g, struct MHD_Connection *c, void **request_context, enum MHD_RequestTerminationCode code)
{
        struct slot *s = slot_of(c);

        (void)g;
        (void)request_context;
        (void)code;
        if (!s)
                return;
        s->began = ob_clock_ms();
        s->was_wrong = false;
}

/* The row of this address, or the row that was quiet for the longest time. */
static struct peer *find_peer(struct ob_guard *g, const struct address *address, int64_t now)
{
        struct peer *quiet = &g->peers[0];

        for (size_t i = 0; i < PEERS_MAX; i++) {
                struct peer *p = &g->peers[i];

                if (p->wrong && is_same(&p->address, address)) {
                        quiet = p;
                        break;
                }
                if (p->last_at < quiet->last_at)
                        quiet = p;
        }
        if (!is_same(&quiet->address, address) || now - quiet->last_at > FORGET_MS)
                *quiet = (struct peer) { .address = *address };
        return quiet;
}

/* True for the first, the tenth, the hundredth, … */
static bool is_worth_a_line(int64_t n)
{
        while (n % 10 == 0)
                n /= 10;
        return n == 1;
}

static void log_wrong(struct MHD_Connection *c, const struct peer *p)
{
        const struct sockaddr *from = sockaddr_of(c);
        char name[NI_MAXHOST] = "unix";

        if (from && p->address.family)
                getnameinfo(from,
                        p->address.family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
                        name, sizeof(name), NULL, 0, NI_NUMERICHOST);
        ob_log(OB_LOG_WARN,
                "event=login_refused peer=%s wrong=%lld why=\"a wrong user or password for the status page\"", name,
                (long long)p->wrong);
}

void ob_guard_wrong(struct ob_guard *g, struct MHD_Connection *c)
{
        int64_t now = ob_clock_ms();
        struct slot *s = slot_of(c);
        struct peer *p;

        if (!s)
                return;
        p = find_peer(g, &s->peer, now);
        p->wrong++;
        p->last_at = now;
        if (is_worth_a_line(p->wrong))
                log_wrong(c, p);
        s->waits = now + WRONG_MS;
        MHD_suspend_connection(c);
}

bool ob_guard_is_wrong(struct MHD_Connection *c)
{
        const struct slot *s = slot_of(c);

        return !s || s->was_wrong;
}

static void resume(struct slot *s)
{
        s->waits = 0;
        s->was_wrong = true;
        MHD_resume_connection(s->connection);
}

int64_t ob_guard_look(struct ob_guard *g)
{
        int64_t now = ob_clock_ms(), next = INT64_MAX;

        for (size_t i = 0; i < OB_GUARD_CONNECTIONS; i++) {
                struct slot *s = &g->slots[i];
                int64_t due = s->waits ? s->waits : s->began + REQUEST_MS;

                if (!s->connection || s->is_ended)
                        continue;
                if (due > now) {
                        next = due < next ? due : next;
                        continue;
                }
                if (s->waits)
                        resume(s);
                else
                        end(s);
                next = now; /* the web server has work to do at once */
        }
        return next;
}

void ob_guard_resume(struct ob_guard *g)
{
        for (size_t i = 0; i < OB_GUARD_CONNECTIONS; i++)
                if (g->slots[i].connection && g->slots[i].waits)
                        resume(&g->slots[i]);
}
