#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "agent/process/notify.h"

bool ob_notify_is_wanted(void)
{
        return getenv("NOTIFY_SOCKET") != NULL;
}

void ob_notify(const char *state)
{
        sd_notify(0, state); /* a failure can be reported to nobody */
}

int64_t ob_notify_watchdog_ms(void)
{
        uint64_t us = 0;

        return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)(us / 1000) : 0;
}
