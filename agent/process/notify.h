/*
 * What is told to the service manager (systemd's sd_notify), where one listens: NOTIFY_SOCKET. Built with
 * libsystemd where it is, else nobody is told. The main thread's.
 */
#ifndef OB_PROCESS_NOTIFY_H
#define OB_PROCESS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether somebody listens. */
bool ob_notify_is_wanted(void);

/* Lines as "READY=1"; sd_notify(3) lists them. */
void ob_notify(const char *state);

/* How often it wants to hear "WATCHDOG=1" at least, in milliseconds; 0: it does not. */
int64_t ob_notify_watchdog_ms(void);

#endif
