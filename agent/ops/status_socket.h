/*
 * The socket that the status page listens on. The path of a unix socket is the operator's to name, so whatever
 * stands there is left alone, unless it is a socket that nobody answers on; and at the end only the socket that was
 * made here is removed. One thread's.
 */
#ifndef OB_OPS_STATUS_SOCKET_H
#define OB_OPS_STATUS_SOCKET_H

#include <sys/types.h>

#include "config/config.h"
#include "proto/error.h"

/* What stands at the path of a unix socket. */
enum ob_stands {
        OB_STANDS_NOTHING,
        OB_STANDS_DEAD,    /* a socket that nobody answers on: a killed agent left the socket behind */
        OB_STANDS_LIVE,    /* a socket that somebody answers on */
        OB_STANDS_ANOTHER, /* no socket: a file, a folder, a symbolic link, … */
        OB_STANDS_UNKNOWN, /* it can't be found out, as errno says */
};

struct ob_status_socket {
        int fd;           /* the caller's; whoever closes it first removes the path, see below */
        const char *path; /* of a unix socket, borrowed from the settings; NULL */
        dev_t device;     /* with the inode: which file at the path is ours */
        ino_t inode;
};

/* Looks without waiting and without changing anything. `what`: one word or two for what stands there. */
enum ob_stands ob_status_socket_look(const struct ob_status_address *a, const char **what);

/* Makes the socket and listens. A unix socket can be used by its owner and group alone, from the first moment. */
int ob_status_socket_open(
        struct ob_status_socket *s, const struct ob_status_settings *settings, struct ob_err *err);

/*
 * Removes the path if our socket still stands there; else nothing. To be called while the socket is open: only so
 * long does nobody else get its inode.
 */
void ob_status_socket_remove(const struct ob_status_socket *s);

#endif
