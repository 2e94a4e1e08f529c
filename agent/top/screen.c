#include "agent/top/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/process/clock.h"

#define COLUMNS 80 /* of a terminal that does not say its size */
#define LINES   24

/* The alternate screen, without a cursor and without automatic line breaks; and back. */
static const char enter_bytes[] = "\033[?1049h\033[?25l\033[?7l", leave_bytes[] = "\033[?7h\033[?25h\033[?1049l";

static const int more_signals[] = { SIGWINCH, SIGTSTP, SIGQUIT };

static void put(const char *text)
{
        fputs(text, stdout);
        fflush(stdout);
}

static void enter(const struct ob_screen *s)
{
        struct termios raw = s->before;

        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* keys come one by one; Ctrl-C and Ctrl-Z remain signals */
        if (s->has_keys)
                tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        put(enter_bytes);
}

/* Keys that nobody has read are thrown away, so that no shell takes them for a command. */
static void leave(const struct ob_screen *s)
{
        put(leave_bytes);
        if (s->has_keys)
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

int ob_screen_open(struct ob_screen *s, const sigset_t *ends, struct ob_err *err)
{
        sigset_t all = *ends;

        for (size_t i = 0; i < sizeof(more_signals) / sizeof(*more_signals); i++)
                sigaddset(&all, more_signals[i]);
        sigprocmask(SIG_BLOCK, &all, NULL);
        *s = (struct ob_screen) { .signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK) };
        if (s->signals < 0)
                return ob_fail(err, "signalfd: %m");
        s->has_keys = !tcgetattr(STDIN_FILENO, &s->before);
        enter(s);
        return 0;
}

void ob_screen_close(struct ob_screen *s)
{
        leave(s);
        close(s->signals);
}

void ob_screen_size(size_t *columns, size_t *lines)
{
        struct winsize size = { .ws_col = 0 };

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
                size = (struct winsize) { .ws_col = COLUMNS, .ws_row = LINES };
        *columns = size.ws_col;
        *lines = size.ws_row;
}

void ob_screen_show(const struct ob_bytes *lines)
{
        fputs("\033[H", stdout);
        fwrite(lines->data, 1, lines->length, stdout);
        put("\033[K\033[J");
}

/* Ctrl-Z: the shell has the terminal until it continues the program. */
static enum ob_screen_event stop(const struct ob_screen *s)
{
        leave(s);
        raise(SIGSTOP);
        enter(s);
        return OB_SCREEN_DRAW;
}

static enum ob_screen_event read_signal(const struct ob_screen *s)
{
        struct signalfd_siginfo info;

        if (read(s->signals, &info, sizeof(info)) != sizeof(info))
                return OB_SCREEN_DRAW;
        if (info.ssi_signo == SIGTSTP)
                return stop(s);
        return info.ssi_signo == SIGWINCH ? OB_SCREEN_DRAW : OB_SCREEN_QUIT;
}

static bool is_quit_key(void)
{
        char key;

        return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

static int look(const struct ob_screen *s, struct pollfd at[2], int64_t ms)
{
        at[0] = (struct pollfd) { .fd = s->signals, .events = POLLIN };
        at[1] = (struct pollfd) { .fd = s->has_keys ? STDIN_FILENO : -1, .events = POLLIN };
        return poll(at, 2, (int)ms);
}

enum ob_screen_event ob_screen_wait(struct ob_screen *s, int64_t deadline)
{
        for (;;) {
                int64_t now = ob_clock_ms();
                struct pollfd at[2];
                int got = look(s, at, deadline > now ? deadline - now : 0);

                if (!got)
                        return OB_SCREEN_TIME;
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return OB_SCREEN_QUIT;
                if (at[0].revents)
                        return read_signal(s);
                if (is_quit_key())
                        return OB_SCREEN_QUIT;
        }
}

bool ob_screen_has_event(const struct ob_screen *s)
{
        struct pollfd at[2];

        return look(s, at, 0) > 0;
}
