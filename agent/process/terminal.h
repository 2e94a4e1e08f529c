/* The operator's terminal, if there is one. Any thread. */
#ifndef OB_PROCESS_TERMINAL_H
#define OB_PROCESS_TERMINAL_H

/* The bytes that go before a line: they wipe an unfinished line off the terminal. "" where `fd` is no terminal that
 * can do so. */
const char *ob_terminal_wipe(int fd);

/* A second descriptor of standard error, which stays open when the log changes to a file. 0: it is no terminal. */
int ob_terminal_keep(void);

#endif
