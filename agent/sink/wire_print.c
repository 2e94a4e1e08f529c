/* --dry-run: each line on standard output, behind the name of the sink's type. */
#include <stdio.h>
#include <string.h>

#include "agent/sink/wire.h"
#include "proto/memory.h"
#include "proto/utf8.h"

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

/* What goes on the wire as it is may be too much for a terminal. */
static void print_line(const char *type, const char *line, size_t length)
{
        size_t room = 8 * length; /* an escape has at most 8 bytes */
        ob_cleanup(ob_free_at) char *copy = ob_format("%.*s", (int)length, line);
        ob_cleanup(ob_free_at) char *data = ob_alloc(room + 1, 1);
        struct ob_text shown = ob_text_over(data, room);

        ob_utf8_show(&shown, copy, length);
        printf("%s %.*s\n", type, (int)shown.length, data);
}

static int send_print(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err)
{
        const char *type = types[w->settings->type];

        flockfile(stdout); /* two sinks print, a line at a time */
        for (*sent = 0; *sent < n; (*sent)++) {
                const char *at = pieces[*sent].iov_base, *end = at + pieces[*sent].iov_len;

                while (at < end) {
                        const char *newline = memchr(at, '\n', (size_t)(end - at));

                        print_line(type, at, (size_t)(newline - at));
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
