/*
 * Writing to a standard stream without waiting for its reader. O_NONBLOCK belongs to the open file, which other
 * processes share (a shell, the next program of a pipeline). So the flag is only set on an open file of our own.
 */
#ifndef OB_PROCESS_STREAM_H
#define OB_PROCESS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens the pipe or terminal behind `fd` once more, non-blocking. The descriptor belongs to the caller. -1 where
 * this is impossible: for a file, a socket, or another user's pipe.
 */
int ob_stream_open(int fd);

/* Replaces `fd` by such a descriptor, if possible. Only before the first thread starts. */
void ob_stream_own(int fd);

/*
 * Writes as many bytes as there is room for, and returns their number: 0 when there is no room, and on failure.
 * With at most PIPE_BUF bytes the call waits in one case only: the pipe could not be opened once more, and another
 * process fills it at this moment.
 */
size_t ob_stream_put(int fd, const char *bytes, size_t length);

#endif
