/*
 * Writing to a standard stream without waiting for whoever reads it. A flag like O_NONBLOCK belongs to the open
 * file, which other processes share (a shell, the next program of a pipeline): it is set on an open file of our own
 * alone.
 */
#ifndef OB_PROCESS_STREAM_H
#define OB_PROCESS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The same pipe or terminal, opened anew and non-blocking: a descriptor that is the caller's. -1 where that can't
 * be: of a file, a socket, or another user's pipe.
 */
int ob_stream_open(int fd);

/* Puts such a descriptor in the place of `fd`, where it can be. Before there are threads. */
void ob_stream_own(int fd);

/*
 * Writes what there is room for now; the bytes that were written, 0 when there was none or on failure. Waits for
 * nobody as long as `length` is at most PIPE_BUF, and no other process fills a pipe that could not be opened anew
 * at that very moment.
 */
size_t ob_stream_put(int fd, const char *bytes, size_t length);

#endif
