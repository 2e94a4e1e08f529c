#include "agent/ops/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

static void free_addresses(struct addrinfo **list)
{
        if (*list)
                freeaddrinfo(*list);
}

/* 0 or an errno. */
static int try_connect(const struct addrinfo *a, int seconds)
{
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), code = 0;
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        socklen_t length = sizeof(code);

        if (fd < 0)
                return errno;
        if (connect(fd, a->ai_addr, a->ai_addrlen)) {
                code = errno;
                if (code == EINPROGRESS && poll(&p, 1, seconds * 1000) != 1)
                        code = ETIMEDOUT;
                else if (code == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length))
                        code = errno;
        }
        close(fd);
        return code;
}

static const struct {
        int code;
        const char *fix;
} fixes[] = {
        { ECONNREFUSED, "nobody listens there: is it running, at this host and port?" },
        { ETIMEDOUT, "no answer: a firewall, a wrong address, or the host is down" },
        { EHOSTUNREACH, "no way there: a route, a firewall, or the host is down" },
        { ENETUNREACH, "no way there: this machine has no route to that network" },
};

static const char *fix_for(int code)
{
        for (size_t i = 0; i < sizeof(fixes) / sizeof(*fixes); i++)
                if (fixes[i].code == code)
                        return fixes[i].fix;
        return "";
}

bool ob_reach(struct ob_report *r, const char *name, const char *host, int port, int seconds)
{
        ob_cleanup(free_addresses) struct addrinfo *list = NULL;
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        char service[16], numeric[NI_MAXHOST] = "";
        int64_t began = ob_clock_ms();
        int code;

        snprintf(service, sizeof(service), "%d", port);
        code = getaddrinfo(host, service, &hints, &list);
        if (code) {
                ob_report_add(r, OB_GRADE_BAD, "dns", name,
                        "is the name right? see /etc/resolv.conf and /etc/hosts", "%s: %s", host,
                        gai_strerror(code));
                return false;
        }
        for (const struct addrinfo *a = list; a; a = a->ai_next) {
                getnameinfo(a->ai_addr, a->ai_addrlen, numeric, sizeof(numeric), NULL, 0, NI_NUMERICHOST);
                code = try_connect(a, seconds);
                if (!code)
                        break;
        }
        errno = code;
        if (code)
                ob_report_add(r, OB_GRADE_BAD, "tcp", name, fix_for(code), "%s port %d: %m", numeric, port);
        else
                ob_report_add(r, OB_GRADE_OK, "tcp", name, "", "%s port %d answers, after %lld ms", numeric, port,
                        (long long)(ob_clock_ms() - began));
        return !code;
}
