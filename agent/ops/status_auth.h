/* The user and password of a request's Authorization header. Pure; the header may be anything. */
#ifndef OB_OPS_STATUS_AUTH_H
#define OB_OPS_STATUS_AUTH_H

#include <stdbool.h>

/*
 * Of "Basic dXNlcjpwYXNzd29yZA==", whose first word may be written in any case (RFC 9110, 11.1). Both texts are in
 * one piece of memory, that of `user`, which the caller wipes and frees. False: the header is something else, or
 * NULL.
 */
bool ob_status_credentials(const char *header, char **user, const char **password);

#endif
