/* --dry-run: each line on standard output, behind the name of the sink's type. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/process/stream.h"
#include "agent/sink/wire.h"
#include "proto/bytes.h"
#include "proto/memory.h"
#include "proto/utf8.h"

static const char *const types[OB_SINK_TYPES] = {
        [OB_SINK_STATSD] = "statsd",
        [OB_SINK_GRAPHITE] = "graphite",
        [OB_SINK_EVENTS] = "graphite POST /events/",
};

static int open_print(struct ob_wire *w, struct ob_err *err)
{
        w->fd = ob_stream_open(STDOUT_FILENO);
        if (w->fd < 0)
                w->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (w->fd < 0)
                return ob_fail(err, "standard output: %m");
        w->is_open = true;
        return 0;
}

static int check_print(struct ob_wire *w, struct ob_err *err)
{
        (void)w;
        (void)err;
        return 0;
}

/* Waits for a reader as long as no stop wants it to end; never in write(2), which nothing would end. */
static int print(struct ob_wire *w, const struct ob_bytes *text, struct ob_err *err)
{
        size_t at = 0;

        while (at < text->length) {
                size_t left = text->length - at;
                ssize_t wrote;

                if (!ob_wire_poll(w, POLLOUT, INT64_MAX))
                        return ob_fail(err, "standard output: nobody reads it");
                wrote = write(w->fd, text->data + at, left < PIPE_BUF ? left : PIPE_BUF);
                if (wrote < 0 && errno != EAGAIN)
                        return ob_fail(err, "standard output: %m");
                at += wrote < 0 ? 0 : (size_t)wrote;
        }
        return 0;
}

/* What goes on the wire as it is may be too much for a terminal. */
static void add_line(struct ob_bytes *text, const char *type, const char *line, size_t length)
{
        size_t room = 8 * length; /* an escape has at most 8 bytes */
        ob_cleanup(ob_free_at) char *copy = ob_format("%.*s", (int)length, line);
        ob_cleanup(ob_free_at) char *data = ob_alloc(room + 1, 1);
        struct ob_text shown = ob_text_over(data, room);

        ob_utf8_show(&shown, copy, length);
        ob_bytes_add(text, type, strlen(type));
        ob_bytes_add(text, " ", 1);
        ob_bytes_add(text, data, shown.length);
        ob_bytes_add(text, "\n", 1);
}

static void add_lines(struct ob_bytes *text, const char *type, const struct iovec *piece)
{
        const char *at = piece->iov_base, *end = at + piece->iov_len;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));

                add_line(text, type, at, (size_t)(newline - at));
                at = newline + 1;
        }
}

static int send_print(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes text = { .length = 0 };
        int got = 0;

        flockfile(stdout); /* two sinks print, a line at a time */
        for (*sent = 0; *sent < n && !got; *sent += !got) {
                text.length = 0;
                add_lines(&text, types[w->settings->type], &pieces[*sent]);
                got = print(w, &text, err);
        }
        funlockfile(stdout);
        return got;
}

static void abort_print(struct ob_wire *w)
{
        close(w->fd);
        w->fd = -1;
        w->is_open = false;
}

static int finish_print(struct ob_wire *w, struct ob_err *err)
{
        (void)err;
        abort_print(w);
        return 0;
}

const struct ob_wire_ops ob_wire_print = {
        .open = open_print,
        .check = check_print,
        .send = send_print,
        .abort = abort_print,
        .finish = finish_print,
};
