#include "agent/process/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/process/stream.h"
#include "agent/process/terminal.h"
#include "config/file.h"

#define LINE_MAX_BYTES 2048

static const char *const words[] = { [OB_LOG_ERROR] = "error", [OB_LOG_WARN] = "warn", [OB_LOG_INFO] = "info" };

static atomic_int most = OB_LOG_INFO; /* enum ob_level: what is logged at most */
static int first = -1;                /* standard error as we were given it */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long dropped; /* lines, since that was last told */
static bool is_cut;                /* the last line was not written to its end */

int ob_log_open(const char *path, enum ob_level level, struct ob_err *err)
{
        int fd;

        most = (int)level;
        if (first < 0)
                first = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (!*path) {
                dup3(first, STDERR_FILENO, 0);
                return 0;
        }
        fd = ob_file_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640, err);
        if (fd < 0)
                return ob_fail_in(err, "log_file");
        dup3(fd, STDERR_FILENO, 0); /* atomic: a line of another thread goes to the old or the new file */
        close(fd);
        return 0;
}

static size_t put_head(char *line, size_t room, enum ob_level level)
{
        struct timespec now;
        struct tm tm;
        size_t length;

        /* A line of progress may stand there. */
        length = (size_t)snprintf(line, room, "%s", ob_terminal_wipe(STDERR_FILENO));
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        length += strftime(line + length, room - length, "%Y-%m-%dT%H:%M:%S", &tm);
        return length +
               (size_t)snprintf(line + length, room - length, ".%03ldZ %s ", now.tv_nsec / 1000000, words[level]);
}

/* With the lock held: what could not be written before is told before the next line. */
static void tell_dropped(void)
{
        char line[LINE_MAX_BYTES];
        size_t length = put_head(line, sizeof(line), OB_LOG_WARN);

        length += (size_t)snprintf(line + length, sizeof(line) - length,
                "event=log_lines_dropped n=%llu why=\"nobody read them, or the disk was full\"\n", dropped);
        if (!is_cut && ob_stream_put(STDERR_FILENO, line, length))
                dropped = 0;
}

/*
 * A reader that does not read, or a full disk, holds up nobody: the line is dropped and counted. The lock is there
 * for the counting, and because two lines may find room that is enough for one; nobody waits under it.
 */
static void put(const char *line, size_t length)
{
        size_t wrote;

        pthread_mutex_lock(&lock);
        if (is_cut)
                is_cut = !ob_stream_put(STDERR_FILENO, "\n", 1);
        if (dropped)
                tell_dropped();
        wrote = dropped ? 0 : ob_stream_put(STDERR_FILENO, line, length);
        dropped += wrote != length;
        is_cut |= wrote && wrote != length;
        pthread_mutex_unlock(&lock);
}

void ob_log(enum ob_level level, const char *format, ...)
{
        char line[LINE_MAX_BYTES];
        size_t length;
        va_list args;
        int said;

        if ((int)level > most)
                return;
        length = put_head(line, sizeof(line), level);
        va_start(args, format);
        said = vsnprintf(line + length, sizeof(line) - length, format, args);
        va_end(args);
        if (said < 0)
                return;
        length += (size_t)said;
        if (length > sizeof(line) - 1)
                length = sizeof(line) - 1;
        line[length++] = '\n';
        put(line, length);
}
