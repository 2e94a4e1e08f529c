/*
 * The log, on standard error or in a file. A line has a time, a level and fields key=value, one of them the event.
 * Any thread may log; a line is one write(), so that lines never mix. No thread ever waits for a reader or a disk:
 * a line for which there is no room is dropped, and the next line that can be written says how many lines were
 * dropped.
 */
#ifndef OB_PROCESS_LOG_H
#define OB_PROCESS_LOG_H

#include "config/config.h"

/*
 * From now on, lines that are at least as bad as `level` go to `path`, or to standard error when `path` is "".
 * Called again after a rotation, to open the new file. A file at `path` must be a regular file, and no symbolic
 * link. Before the first call every line is logged. Only the main thread calls this function.
 */
int ob_log_open(const char *path, enum ob_level level, struct ob_err *err);

/* Stops the log: no line is written after this call. For a command that prints the errors itself. */
void ob_log_silence(void);

/*
 * `format` is a literal, the frame of the line. The log trusts no text that %s puts in: no text can end its quotes,
 * its field or its line. Inside quotes, '"' and '\' get a '\' before them. The text of a bare `key=%s` gets quotes
 * if it needs them. Bytes that a terminal must not get are written as ob_utf8_show() writes them. The format knows
 * %s, %.40s, %d, %u, %lld and %zu. A line that is too long ends in "…".
 */
void ob_log(enum ob_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
