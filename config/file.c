#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/memory.h"

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

int ob_file_new(const char *path, mode_t mode, const char *text, struct ob_err *err)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        size_t length = strlen(text);
        ssize_t wrote;

        if (fd < 0 && errno == EEXIST)
                return 1;
        if (fd < 0)
                return ob_fail(err, "%s: %m", path);
        wrote = write(fd, text, length);
        if (wrote != (ssize_t)length)
                ob_fail(err, "%s: %s", path, wrote < 0 ? "can't be written" : "the disk is full");
        if (close(fd) || wrote != (ssize_t)length) {
                unlink(path);
                return wrote == (ssize_t)length ? ob_fail(err, "%s: %m", path) : -1;
        }
        return 0;
}

bool ob_file_says(const char *path, const char *text)
{
        size_t length = strlen(text), got;
        ob_cleanup(ob_free_at) char *found = ob_alloc(length + 1, 1);
        struct ob_err ignored;
        FILE *file = ob_file_read(path, &ignored);

        if (!file)
                return false;
        got = fread(found, 1, length + 1, file);
        fclose(file);
        return got == length && !memcmp(found, text, length);
}
