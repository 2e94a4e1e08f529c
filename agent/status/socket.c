#include "agent/status/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16
#define MODE    0660 /* of a unix socket: a user without the right to write can't connect */

static const char *path_of(const struct ob_status_address *a)
{
        return ((const struct sockaddr_un *)&a->at)->sun_path;
}

static const char *word_for(mode_t mode)
{
        static const struct {
                mode_t type;
                const char *word;
        } words[] = { { S_IFREG, "a regular file" }, { S_IFDIR, "a folder" }, { S_IFLNK, "a symbolic link" },
                { S_IFIFO, "a fifo" }, { S_IFCHR, "a device" }, { S_IFBLK, "a device" }, { S_IFSOCK, "a socket" } };

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (words[i].type == (mode & S_IFMT))
                        return words[i].word;
        return "something else";
}

/* Also for datagram sockets. EAGAIN is an answer, too: a program listens there and its queue is full. */
static enum ob_stands ask(const struct ob_status_address *a)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

        if (fd < 0)
                return OB_STANDS_UNKNOWN;
        code = connect(fd, (const struct sockaddr *)&a->at, a->length) ? errno : 0;
        close(fd);
        errno = code;
        if (code == ECONNREFUSED)
                return OB_STANDS_DEAD;
        return !code || code == EAGAIN || code == EPROTOTYPE ? OB_STANDS_LIVE : OB_STANDS_UNKNOWN;
}

static enum ob_stands look(const struct ob_status_address *a, const char **what, struct stat *at)
{
        *what = "";
        if (lstat(path_of(a), at))
                return errno == ENOENT ? OB_STANDS_NOTHING : OB_STANDS_UNKNOWN;
        *what = word_for(at->st_mode);
        return S_ISSOCK(at->st_mode) ? ask(a) : OB_STANDS_ANOTHER;
}

enum ob_stands ob_status_socket_look(const struct ob_status_address *a, const char **what)
{
        struct stat at;

        return look(a, what, &at);
}

/* Whether the file at the path is still the same socket. */
static bool is_still(const char *path, dev_t device, ino_t inode)
{
        struct stat now;

        return !lstat(path, &now) && S_ISSOCK(now.st_mode) && now.st_dev == device && now.st_ino == inode;
}

/* Removes a socket that a killed agent left behind. A file of another kind stays, and bind says that the address is
 * in use. */
static int make_way(const struct ob_status_settings *s, struct ob_err *err)
{
        const char *path = path_of(&s->address), *what;
        struct stat at;

        switch (look(&s->address, &what, &at)) {
        case OB_STANDS_ANOTHER:
                return ob_fail(err,
                        "status: can't listen at %s: there is %s, not a socket, and it was left as it is: move it away, "
                        "or name another path",
                        s->listen, what);
        case OB_STANDS_DEAD:
                if (is_still(path, at.st_dev, at.st_ino) && unlink(path))
                        return ob_fail(
                                err, "status: %s: a dead socket is in the way and can't be removed: %m", s->listen);
                return 0;
        default:
                return 0;
        }
}

/* The mode is set before listen(): until then no program can connect, whatever the umask is. */
static int dress(struct ob_status_socket *s, const struct ob_status_address *a)
{
        struct stat at;

        s->path = path_of(a);
        if (fchmodat(AT_FDCWD, s->path, MODE, AT_SYMLINK_NOFOLLOW) || lstat(s->path, &at))
                return -1;
        s->device = at.st_dev;
        s->inode = at.st_ino;
        return 0;
}

int ob_status_socket_open(struct ob_status_socket *s, const struct ob_status_settings *settings, struct ob_err *err)
{
        const struct ob_status_address *a = &settings->address;
        bool is_unix = a->at.ss_family == AF_UNIX;
        int on = 1;

        *s = (struct ob_status_socket) { .fd = -1 };
        if (is_unix && make_way(settings, err))
                return -1;
        s->fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return ob_fail(err, "status: no socket: %m");
        setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (!bind(s->fd, (const struct sockaddr *)&a->at, a->length) && (!is_unix || !dress(s, a)) &&
                !listen(s->fd, BACKLOG))
                return 0;
        ob_fail(err, "status: can't listen at %s: %m", settings->listen);
        ob_status_socket_remove(s);
        close(s->fd);
        s->fd = -1;
        return -1;
}

void ob_status_socket_remove(const struct ob_status_socket *s)
{
        if (s->path && is_still(s->path, s->device, s->inode))
                unlink(s->path);
}
