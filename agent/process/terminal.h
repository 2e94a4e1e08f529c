/* The terminal that somebody may sit at. Any thread. */
#ifndef OB_PROCESS_TERMINAL_H
#define OB_PROCESS_TERMINAL_H

/* What goes before a line: it wipes one that stands there unfinished. "" where there is no terminal that can do so.
 */
const char *ob_terminal_wipe(int fd);

/* A descriptor of standard error that stays when the log leaves that for a file. 0: it is no terminal. */
int ob_terminal_keep(void);

#endif
