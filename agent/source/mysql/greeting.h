/*
 * The first packet of a MySQL server, looked at before the library reads it: with the password in hand, the library
 * goes on in the clear with a server that offers no TLS.
 * Pure; any thread.
 */
#ifndef OB_SOURCE_MYSQL_GREETING_H
#define OB_SOURCE_MYSQL_GREETING_H

#include <stddef.h>

#define OB_GREETING_MAX 2048 /* bytes; real ones have about 100, an error at most 600 */

enum ob_greeting {
        OB_GREETING_MORE,  /* is not whole yet */
        OB_GREETING_TLS,   /* offers TLS */
        OB_GREETING_PLAIN, /* does not */
        OB_GREETING_ERROR, /* the server says why it lets nobody in; the library reads the reason, and sends nothing
                            */
        OB_GREETING_ODD    /* none that we know */
};

/* `needed`: how many bytes there must be to say more, when it is not whole yet. */
enum ob_greeting ob_greeting_read(const unsigned char *bytes, size_t n, size_t *needed);

#endif
