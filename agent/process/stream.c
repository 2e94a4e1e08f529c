#include "agent/process/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int ob_stream_open(int fd)
{
        char path[64];
        struct stat s;

        if (fstat(fd, &s) || !(S_ISFIFO(s.st_mode) || isatty(fd)))
                return -1;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void ob_stream_own(int fd)
{
        int own = ob_stream_open(fd);

        if (own < 0)
                return;
        dup3(own, fd, 0);
        close(own);
}

size_t ob_stream_put(int fd, const char *bytes, size_t length)
{
        struct pollfd room = { .fd = fd, .events = POLLOUT };
        ssize_t wrote = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (wrote < 0 && errno == ENOTSOCK && poll(&room, 1, 0) == 1)
                wrote = write(fd, bytes, length);
        return wrote < 0 ? 0 : (size_t)wrote;
}
