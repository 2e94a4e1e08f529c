#include "agent/ops/reach.h"

#include <errno.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/process/tcp.h"

static const struct {
        int code;
        const char *fix;
} fixes[] = {
        { ECONNREFUSED, "no server listens there: is the server running, at this host and port?" },
        { ETIMEDOUT, "no answer: is there a firewall, is the address wrong, or is the host down?" },
        { EHOSTUNREACH, "no route to the host: is there a firewall, or is the host down?" },
        { ENETUNREACH, "this machine has no route to that network" },
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
        struct ob_tcp_port to = { .host = host, .port = port, .timeout_ms = seconds * INT64_C(1000) };
        int64_t began = ob_clock_ms();
        struct ob_err err;
        int fd = ob_tcp_connect(&to, &err);

        if (to.resolver_error) {
                ob_report_add(r, OB_GRADE_BAD, "dns", name,
                        "is the name right? see /etc/resolv.conf and /etc/hosts", "%s", err.text);
                return false;
        }
        errno = to.error;
        if (fd < 0) {
                ob_report_add(r, OB_GRADE_BAD, "tcp", name, fix_for(to.error), "%s port %d: %m", to.address, port);
                return false;
        }
        close(fd);
        ob_report_add(r, OB_GRADE_OK, "tcp", name, "", "%s port %d answers, after %lld ms", to.address, port,
                (long long)(ob_clock_ms() - began));
        return true;
}
