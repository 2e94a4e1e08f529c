#include "agent/process/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *ob_terminal_wipe(int fd)
{
        const char *kind = getenv("TERM");

        return kind && *kind && strcmp(kind, "dumb") != 0 && isatty(fd) ? "\r\033[K" : "";
}

bool ob_terminal_has_colours(int fd)
{
        const char *off = getenv("NO_COLOR");

        return *ob_terminal_wipe(fd) && (!off || !*off);
}

int ob_terminal_keep(void)
{
        int fd = *ob_terminal_wipe(STDERR_FILENO) ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;

        return fd < 0 ? 0 : fd;
}
