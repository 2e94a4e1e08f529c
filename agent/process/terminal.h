/* The operator's terminal, if there is one. Any thread. */
#ifndef OB_PROCESS_TERMINAL_H
#define OB_PROCESS_TERMINAL_H

#include <stdbool.h>

/* The bytes that go before a line: they wipe an unfinished line off the terminal. "" where `fd` is no terminal that
 * can do so. */
const char *ob_terminal_wipe(int fd);

#define OB_TERMINAL_RED    "\033[31m"
#define OB_TERMINAL_YELLOW "\033[33m"
#define OB_TERMINAL_PLAIN  "\033[m" /* ends a colour */

/* Whether `fd` is a terminal that shows colours, and the user did not switch them off (NO_COLOR, see no-color.org).
 */
bool ob_terminal_has_colours(int fd);

/* A second descriptor of standard error, which stays open when the log changes to a file. 0: it is no terminal. */
int ob_terminal_keep(void);

#endif
