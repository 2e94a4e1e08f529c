#include "agent/sink/dry_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/process/stream.h"
#include "agent/process/tcp.h"
#include "proto/bytes.h"
#include "proto/memory.h"
#include "proto/utf8.h"

/* Standard output, opened non-blocking: a stop could not end a wait in write(2). */
static int output = -1;

static void open_output(void)
{
        output = ob_stream_open(STDOUT_FILENO);
        if (output < 0)
                output = STDOUT_FILENO;
}

static int print(const struct ob_bytes *text, struct ob_stop *stop, struct ob_err *err)
{
        size_t at = 0;

        while (at < text->length) {
                size_t left = text->length - at;
                ssize_t wrote;

                if (!ob_socket_poll(output, POLLOUT, INT64_MAX, stop))
                        return ob_fail(err, "standard output: nobody reads it");
                wrote = write(output, text->data + at, left < PIPE_BUF ? left : PIPE_BUF);
                if (wrote < 0 && errno != EAGAIN)
                        return ob_fail(err, "standard output: %m");
                at += wrote < 0 ? 0 : (size_t)wrote;
        }
        return 0;
}

/* Escapes bytes that a terminal must not get. */
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

int ob_dry_run_print(const char *type, const char *lines, size_t length, struct ob_stop *stop, struct ob_err *err)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        ob_cleanup(ob_bytes_free) struct ob_bytes text = { .length = 0 };
        const char *end = lines + length;
        int got;

        pthread_once(&once, open_output);
        while (lines < end) {
                const char *newline = memchr(lines, '\n', (size_t)(end - lines));

                add_line(&text, type, lines, (size_t)(newline - lines));
                lines = newline + 1;
        }
        flockfile(stdout);
        got = print(&text, stop, err);
        funlockfile(stdout);
        return got;
}
