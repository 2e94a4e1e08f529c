/*
 * Secrets in files of their own, which the setting `password_file` names. A secret is read again for each use,
 * because an operator may change the file while the agent runs. Any thread.
 */
#ifndef OB_CONFIG_SECRET_H
#define OB_CONFIG_SECRET_H

#include "proto/error.h"

#define OB_SECRET_MAX 4096 /* bytes, with the NUL */

/* Reads the first line of a file, without the newline. The caller overwrites `secret` after use. On failure it is
 * "". */
int ob_secret_read(const char *file, char secret[OB_SECRET_MAX], struct ob_err *err);

/*
 * The secret as it is now: the first line of `file`; or `known`, the secret from when the config was loaded, when
 * `file` is "" or cannot be read at the moment. The caller overwrites `secret` after use.
 */
void ob_secret_now(const char *file, const char *known, char secret[OB_SECRET_MAX]);

#endif
