/*
 * Checks the first packet of a MySQL server before the library reads it: with a server that offers no TLS the
 * library would send the password in the clear.
 * Pure; any thread.
 */
#ifndef OB_PROCESS_MYSQL_GREETING_H
#define OB_PROCESS_MYSQL_GREETING_H

#include <stddef.h>

#define OB_GREETING_MAX 2048 /* bytes; real ones have about 100, an error at most 600 */

enum ob_greeting {
        OB_GREETING_MORE,  /* the greeting is incomplete */
        OB_GREETING_TLS,   /* the server offers TLS */
        OB_GREETING_PLAIN, /* the server offers no TLS */
        OB_GREETING_ERROR, /* the server refuses the connection; the library reads the reason, and sends nothing */
        OB_GREETING_ODD    /* no valid greeting */
};

/* `needed`: with OB_GREETING_MORE, how many bytes are needed for the next try. */
enum ob_greeting ob_greeting_read(const unsigned char *bytes, size_t n, size_t *needed);

#endif
