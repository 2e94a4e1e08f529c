/*
 * This module draws the whole terminal again and again, and reports the user's keys, changes of the size, Ctrl-C
 * and Ctrl-Z. At the end the terminal shows again what was there before, with its old settings. One thread owns the
 * screen, and must have blocked the signals that end the program.
 */
#ifndef OB_TOP_SCREEN_H
#define OB_TOP_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "proto/bytes.h"
#include "proto/error.h"

enum ob_screen_event {
        OB_SCREEN_TIME, /* the deadline has come */
        OB_SCREEN_DRAW, /* the size has changed, or the program was stopped and goes on: draw again */
        OB_SCREEN_QUIT  /* the user wants to end, or the terminal is gone */
};

struct ob_screen {
        int signals;   /* a signalfd */
        bool has_keys; /* standard input is a terminal, too */
        struct termios before;
};

/* Standard output must be a terminal. `ends`: the signals that end the view. */
int ob_screen_open(struct ob_screen *s, const sigset_t *ends, struct ob_err *err);
void ob_screen_close(struct ob_screen *s);

/* The size at this moment. */
void ob_screen_size(size_t *columns, size_t *lines);

/*
 * Replaces the whole screen by `lines`. Each line ends in OB_SCREEN_LINE_END, and there must not be more lines than
 * the screen has.
 */
#define OB_SCREEN_LINE_END "\033[K\n" /* the terminal makes a carriage return of it, too */
void ob_screen_show(const struct ob_bytes *lines);

/* Waits until `deadline` on ob_clock_ms(). */
enum ob_screen_event ob_screen_wait(struct ob_screen *s, int64_t deadline);

/* Whether ob_screen_wait() would return at once. */
bool ob_screen_has_event(const struct ob_screen *s);

#endif
