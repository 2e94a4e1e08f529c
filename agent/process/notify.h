/*
 * Messages to the service manager, by systemd's sd_notify. A service manager that listens has set NOTIFY_SOCKET.
 * Without libsystemd at build time these functions do nothing. Any thread may call them.
 */
#ifndef OB_PROCESS_NOTIFY_H
#define OB_PROCESS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a service manager listens. */
bool ob_notify_is_wanted(void);

/* `state` has lines like "READY=1"; sd_notify(3) lists them. */
void ob_notify(const char *state);

/* The longest time between two messages "WATCHDOG=1", in milliseconds; 0: the service manager wants none. */
int64_t ob_notify_watchdog_ms(void);

#endif
