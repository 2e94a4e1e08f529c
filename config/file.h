/*
 * Opening what should be a file, so that nobody has to wait: a named pipe, a terminal or another device in the
 * place of a file is refused. Any thread.
 */
#ifndef OB_CONFIG_FILE_H
#define OB_CONFIG_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "proto/error.h"

/*
 * open(2) with these flags, O_CLOEXEC and O_NOCTTY. The descriptor of a regular file, which is the caller's; or -1
 * with `err`, "path: why", and errno.
 */
int ob_file_open(const char *path, int flags, mode_t mode, struct ob_err *err);

/* To be read from its beginning, and closed by fclose; NULL with `err` and errno. */
FILE *ob_file_read(const char *path, struct ob_err *err);

/* Whether a library may open it: 0 also when nothing stands there. -1 with `err` when it is no regular file. */
int ob_file_check(const char *path, struct ob_err *err);

#endif
