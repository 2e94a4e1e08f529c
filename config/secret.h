/*
 * Secrets that stand in a file of their own, as `password_file` names it. They are read again whenever they are
 * used, since they are changed while the agent runs. Any thread.
 */
#ifndef OB_CONFIG_SECRET_H
#define OB_CONFIG_SECRET_H

#include "proto/error.h"

#define OB_SECRET_MAX 4096 /* bytes, with the NUL */

/* The first line of a file, without its end. The caller makes `secret` zero again. On failure it holds nothing. */
int ob_secret_read(const char *file, char secret[OB_SECRET_MAX], struct ob_err *err);

/*
 * The secret as it is now: the first line of `file`; or `known`, which the config was loaded with, where `file` is
 * "" or can't be read at this moment. The caller makes `secret` zero again.
 */
void ob_secret_now(const char *file, const char *known, char secret[OB_SECRET_MAX]);

#endif
