/* The user and password of a request's Authorization header. A pure function; the header may hold any bytes. */
#ifndef OB_STATUS_AUTH_H
#define OB_STATUS_AUTH_H

#include <stdbool.h>

/*
 * Reads a header like "Basic dXNlcjpwYXNzd29yZA==". Its first word may be in upper or lower case (RFC 9110, 11.1).
 * Both texts are in the memory of `user`, which the caller wipes and frees. False: the header has another form, or
 * is NULL.
 */
bool ob_status_credentials(const char *header, char **user, const char **password);

#endif
