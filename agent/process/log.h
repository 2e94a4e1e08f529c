/*
 * The log: one line, a time, a level, then key=value with an event among them, to standard error
 * or a file. Any thread; a line is one write(), so lines never mix. Nobody ever waits for a reader or a disk: a
 * line for which there is no room is dropped, and how many were is told with the next one that can be written.
 */
#ifndef OB_PROCESS_LOG_H
#define OB_PROCESS_LOG_H

#include "config/config.h"

/*
 * Logs to `path` from now on, or to standard error when it is "", what is at least as bad as `level`. Also re-opens
 * after a rotation. What stands at `path` must be a regular file, and no symbolic link. Before the first call all
 * is logged. The main thread's.
 */
int ob_log_open(const char *path, enum ob_level level, struct ob_err *err);

/*
 * `format` is the frame of the line, a literal, and all that is put in by %s comes from outside, as far as the log
 * knows: no text can end its quotes, its field or its line. Between quotes a text has its '"' and '\' escaped by a
 * '\'; a bare `key=%s` gets quotes where its text needs some; what a terminal must not get is written as
 * ob_utf8_show() does. Known are %s, %.40s, %d, %u, %lld and %zu. A line that is too long ends in "…".
 */
void ob_log(enum ob_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
