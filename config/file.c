#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path, mode_t mode, struct ob_err *err)
{
        ob_fail(err, "%s: it is a %s, not a regular file", path,
                S_ISFIFO(mode)   ? "pipe"
                : S_ISDIR(mode)  ? "directory"
                : S_ISSOCK(mode) ? "socket"
                                 : "device");
        errno = S_ISDIR(mode) ? EISDIR : EINVAL;
        return -1;
}

int ob_file_check(const char *path, struct ob_err *err)
{
        struct stat s;

        return stat(path, &s) || S_ISREG(s.st_mode) ? 0 : refuse(path, s.st_mode, err);
}

int ob_file_open(const char *path, int flags, mode_t mode, struct ob_err *err)
{
        int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode), why = errno;
        struct stat s = { .st_mode = 0 };

        if (fd < 0) {
                ob_fail(err,
                        why == ELOOP && flags & O_NOFOLLOW ? "%s: it is a symbolic link, which is not followed"
                                                           : "%s: %m",
                        path);
                if (why == ENXIO && !stat(path, &s)) /* the path is a pipe that nobody reads, or a socket */
                        return refuse(path, s.st_mode, err);
                errno = why;
                return -1;
        }
        if (!fstat(fd, &s) && S_ISREG(s.st_mode))
                return fd;
        close(fd);
        return refuse(path, s.st_mode, err);
}

FILE *ob_file_read(const char *path, struct ob_err *err)
{
        int fd = ob_file_open(path, O_RDONLY, 0, err);

        return fd < 0 ? NULL : fdopen(fd, "r");
}
