/*
 * Opens, reads and writes regular files only. A named pipe, a terminal or another device is refused, because the
 * caller would have to wait for data. Any thread.
 */
#ifndef OB_CONFIG_FILE_H
#define OB_CONFIG_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "proto/error.h"

/*
 * open(2) with these flags, O_CLOEXEC and O_NOCTTY. Returns the descriptor of a regular file, which the caller
 * closes; or -1 with errno, and "path: why" in `err`.
 */
int ob_file_open(const char *path, int flags, mode_t mode, struct ob_err *err);

/* Opens a file for reading; the caller closes it with fclose(). NULL with `err` and errno on failure. */
FILE *ob_file_read(const char *path, struct ob_err *err);

/* Whether a library may open this path: 0 for a regular file, or when there is no file. Else -1 with `err`. */
int ob_file_check(const char *path, struct ob_err *err);

/* Writes a new file. Returns 1 when there is a file of that name already, and leaves that file as it is. */
int ob_file_new(const char *path, mode_t mode, const char *text, struct ob_err *err);

/* Whether a regular file has exactly this text. False for a file that can't be read. */
bool ob_file_says(const char *path, const char *text);

#endif
