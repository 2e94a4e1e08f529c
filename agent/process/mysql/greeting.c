#include "agent/process/mysql/greeting.h"

#include <string.h>

#define HEADER       4    /* bytes: the length in three, and the number of the packet */
#define PROTOCOL     10   /* the only one since MySQL 3.21 */
#define ERROR        0xff /* in place of PROTOCOL */
#define PROGRESS     0xffff
#define BEFORE_FLAGS 13 /* bytes after the version: thread, first part of the scramble, a zero */
#define CLIENT_SSL   0x0800

static unsigned read_two(const unsigned char *at)
{
        return at[0] | (unsigned)at[1] << 8;
}

/* A progress report looks like an error; the library would then accept another greeting after it. */
static enum ob_greeting read_error(const unsigned char *body, size_t length)
{
        return length < 3 || read_two(body + 1) == PROGRESS ? OB_GREETING_ODD : OB_GREETING_ERROR;
}

enum ob_greeting ob_greeting_read(const unsigned char *bytes, size_t n, size_t *needed)
{
        const unsigned char *body = bytes + HEADER, *flags, *end;
        size_t length;

        *needed = HEADER;
        if (n < HEADER)
                return OB_GREETING_MORE;
        length = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
        *needed = HEADER + length;
        if (!length || *needed > OB_GREETING_MAX)
                return OB_GREETING_ODD;
        if (n < *needed)
                return OB_GREETING_MORE;
        if (*body == ERROR)
                return read_error(body, length);
        end = *body == PROTOCOL ? memchr(body + 1, '\0', length - 1) : NULL;
        if (!end || (size_t)(body + length - end) < 1 + BEFORE_FLAGS + 2)
                return OB_GREETING_ODD;
        flags = end + 1 + BEFORE_FLAGS;
        return read_two(flags) & CLIENT_SSL ? OB_GREETING_TLS : OB_GREETING_PLAIN;
}
