#include "agent/process/log.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/process/stream.h"
#include "agent/process/terminal.h"
#include "config/file.h"
#include "proto/date.h"
#include "proto/text.h"
#include "proto/utf8.h"

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: a pipe takes a write of this size in one piece */

static const char *const words[] = { [OB_LOG_ERROR] = "error", [OB_LOG_WARN] = "warn", [OB_LOG_INFO] = "info" };

static atomic_int verbosity = OB_LOG_INFO; /* enum ob_level: less important lines are not logged */
static int first = -1;                     /* standard error, as the program got it at its start */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long long dropped; /* lines that were dropped since the last line about this */
static bool is_cut;       /* the last line was not written to its end */

int ob_log_open(const char *path, enum ob_level level, struct ob_err *err)
{
        int fd;

        verbosity = (int)level;
        if (first < 0)
                first = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (!*path) {
                dup3(first, STDERR_FILENO, 0);
                return 0;
        }
        fd = ob_file_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640, err);
        if (fd < 0)
                return ob_fail_in(err, "log_file");
        dup3(fd, STDERR_FILENO, 0); /* atomic: a line of another thread goes to the old file or to the new one */
        close(fd);
        return 0;
}

void ob_log_silence(void)
{
        verbosity = OB_LOG_ERROR - 1;
}

struct line {
        struct ob_text text;
        bool is_in_quotes;
};

static void put_head(struct ob_text *line, enum ob_level level)
{
        struct timespec now;
        char date[OB_DATE_MAX], head[64];

        /* A progress line may stand on the terminal. */
        ob_text_add_string(line, ob_terminal_wipe(STDERR_FILENO));
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(head, sizeof(head), "%s.%03ldZ %s ", ob_date_format(date, now.tv_sec, 'T'), now.tv_nsec / 1000000,
                words[level]);
        ob_text_add_string(line, head);
}

/* Adds `text`, at most `most` bytes of it, in the form that may stand between quotes. */
static void put_in_quotes(struct ob_text *line, const char *text, size_t most)
{
        size_t n;

        for (; most && *text && !line->too_long; text += n, most -= n) {
                n = strcspn(text, "\"\\");
                n = n < most ? n : most;
                if (n) {
                        ob_utf8_show(line, text, n);
                        continue;
                }
                ob_text_add(line, *text == '"' ? "\\\"" : "\\\\", 2);
                n = 1;
        }
}

/* Whether a reader sees without quotes where the value ends. */
static bool is_plain(const char *text, size_t most)
{
        size_t length = strnlen(text, most);

        for (size_t i = 0; i < length; i += ob_utf8_length(text + i))
                if (!ob_utf8_shown(text + i) || strchr(" =\"\\", text[i]))
                        return false;
        return length > 0;
}

/* Adds a character of the format. A character that does not fit changes nothing, so that is_in_quotes stays true of
 * the line as it is. */
static void put_frame(struct line *l, char c)
{
        ob_text_add_char(&l->text, c);
        if (c == '"' && !l->text.too_long)
                l->is_in_quotes = !l->is_in_quotes;
}

static void put_text(struct line *l, const char *text, size_t most)
{
        bool needs_quotes = !l->is_in_quotes && !is_plain(text, most);

        if (needs_quotes)
                put_frame(l, '"');
        put_in_quotes(&l->text, text, most);
        if (needs_quotes)
                put_frame(l, '"');
}

/* Adds the value of the conversion that begins at `at`. Returns where the format goes on. */
static const char *put_value(struct line *l, const char *at, va_list *args)
{
        size_t most = SIZE_MAX;

        if (!strncmp(at, "%lld", 4)) {
                ob_text_add_int(&l->text, va_arg(*args, long long));
                return at + 4;
        }
        if (!strncmp(at, "%zu", 3)) {
                ob_text_add_int(&l->text, (long long)va_arg(*args, size_t));
                return at + 3;
        }
        if (!strncmp(at, "%d", 2)) {
                ob_text_add_int(&l->text, va_arg(*args, int));
                return at + 2;
        }
        if (!strncmp(at, "%u", 2)) {
                ob_text_add_int(&l->text, va_arg(*args, unsigned));
                return at + 2;
        }
        if (at[1] == '.') {
                char *end;

                most = strtoul(at + 2, &end, 10);
                at = end - 1;
        }
        assert(at[1] == 's');
        put_text(l, va_arg(*args, const char *), most);
        return at + 2;
}

/* The caller holds the lock. Dropped lines are reported before the next line. */
static void log_dropped(void)
{
        char room[LINE_MAX_BYTES];
        struct ob_text line = ob_text_over(room, sizeof(room));

        put_head(&line, OB_LOG_WARN);
        ob_text_add_string(&line, "event=log_lines_dropped n=");
        ob_text_add_int(&line, dropped);
        ob_text_add_string(&line, " why=\"nobody read them, or the disk was full\"\n");
        if (!is_cut && ob_stream_put(STDERR_FILENO, room, line.length))
                dropped = 0;
}

/*
 * A reader that does not read, or a full disk, holds up no thread: the line is dropped and counted. The lock guards
 * the count; without it two threads could also find room that is enough for one line. No thread waits under the
 * lock.
 */
static void put(const char *line, size_t length)
{
        size_t wrote;

        pthread_mutex_lock(&lock);
        if (is_cut)
                is_cut = !ob_stream_put(STDERR_FILENO, "\n", 1);
        if (dropped)
                log_dropped();
        wrote = dropped ? 0 : ob_stream_put(STDERR_FILENO, line, length);
        dropped += wrote != length;
        is_cut |= wrote && wrote != length;
        pthread_mutex_unlock(&lock);
}

void ob_log(enum ob_level level, const char *format, ...)
{
        static const char end[] = "…\"\n";
        char room[LINE_MAX_BYTES];
        struct line l = { .text = ob_text_over(room, sizeof(room) - strlen(end)) };
        va_list args;

        if ((int)level > verbosity)
                return;
        put_head(&l.text, level);
        va_start(args, format);
        while (*format && !l.text.too_long) {
                if (*format == '%')
                        format = put_value(&l, format, &args);
                else
                        put_frame(&l, *format++);
        }
        va_end(args);
        l.text.room = sizeof(room);
        if (l.text.too_long) {
                l.text.too_long = false;
                ob_text_add_string(&l.text, l.is_in_quotes ? "…\"" : "…");
        }
        ob_text_add_char(&l.text, '\n');
        put(room, l.text.length);
}
