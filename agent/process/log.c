#include "agent/process/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/process/terminal.h"

#define LINE_MAX_BYTES 2048

static const char *const words[] = { [OB_LOG_ERROR] = "error", [OB_LOG_WARN] = "warn", [OB_LOG_INFO] = "info" };

static atomic_int most = OB_LOG_INFO; /* enum ob_level: what is logged at most */
static int first = -1;                /* standard error as we were given it */

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
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        if (fd < 0)
                return ob_fail(err, "log_file %s: %m", path);
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
        if (write(STDERR_FILENO, line, length) < 0)
                return; /* nowhere left to say it */
}
