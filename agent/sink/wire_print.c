/* --dry-run: each line on standard output, behind the name of the sink's type. */
#include <stdio.h>
#include <string.h>

#include "agent/sink/wire.h"

static const char *const types[OB_SINK_TYPES] = {
        [OB_SINK_STATSD] = "statsd",
        [OB_SINK_GRAPHITE] = "graphite",
        [OB_SINK_EVENTS] = "graphite POST /events/",
};

static int open_print(struct ob_wire *w, struct ob_err *err)
{
        (void)err;
        w->is_open = true;
        return 0;
}

static int check_print(struct ob_wire *w, struct ob_err *err)
{
        (void)w;
        return ferror(stdout) ? ob_fail(err, "standard output: %m") : 0;
}

static int send_print(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err)
{
        const char *type = types[w->settings->type];

        flockfile(stdout); /* two sinks print, a line at a time */
        for (*sent = 0; *sent < n; (*sent)++) {
                const char *at = pieces[*sent].iov_base, *end = at + pieces[*sent].iov_len;

                while (at < end) {
                        const char *newline = memchr(at, '\n', (size_t)(end - at));

                        printf("%s %.*s\n", type, (int)(newline - at), at);
                        at = newline + 1;
                }
        }
        fflush(stdout);
        funlockfile(stdout);
        return check_print(w, err);
}

static void abort_print(struct ob_wire *w)
{
        w->is_open = false;
}

static int finish_print(struct ob_wire *w, struct ob_err *err)
{
        w->is_open = false;
        return check_print(w, err);
}

const struct ob_wire_ops ob_wire_print = {
        .open = open_print,
        .check = check_print,
        .send = send_print,
        .abort = abort_print,
        .finish = finish_print,
};
