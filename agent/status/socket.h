/*
 * The socket that the status page listens on. The operator names the path of a unix socket, so any file at the path
 * is left alone, unless it is a socket where nobody answers. At the end only the socket that was made here is
 * removed. One thread owns the socket.
 */
#ifndef OB_STATUS_SOCKET_H
#define OB_STATUS_SOCKET_H

#include <sys/types.h>

#include "config/config.h"
#include "proto/error.h"

/* What kind of file is at the path of a unix socket. */
enum ob_stands {
        OB_STANDS_NOTHING,
        OB_STANDS_DEAD,    /* a socket where nobody answers: a killed agent left the socket behind */
        OB_STANDS_LIVE,    /* a socket where a program answers */
        OB_STANDS_ANOTHER, /* a file that is no socket: a regular file, a folder, a symbolic link, … */
        OB_STANDS_UNKNOWN, /* the question failed; errno says why */
};

struct ob_status_socket {
        int fd;           /* the caller closes it, after ob_status_socket_remove */
        const char *path; /* of a unix socket, borrowed from the settings; NULL: TCP */
        dev_t device;     /* with the inode: identifies the file that was made here */
        ino_t inode;
};

/* Looks without waiting and without changing anything. `what` names the kind of file in words; "": no file. */
enum ob_stands ob_status_socket_look(const struct ob_status_address *a, const char **what);

/* Makes the socket and listens. From the first moment only its owner and its group can connect to a unix socket. */
int ob_status_socket_open(
        struct ob_status_socket *s, const struct ob_status_settings *settings, struct ob_err *err);

/*
 * Removes the file at the path if it is still the socket that was made here. To be called while the socket is open:
 * as long as it is, no other file can get its inode.
 */
void ob_status_socket_remove(const struct ob_status_socket *s);

#endif
