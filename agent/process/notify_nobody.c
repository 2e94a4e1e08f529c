/* The program was built without libsystemd: there is no service manager. */
#include "agent/process/notify.h"

bool ob_notify_is_wanted(void)
{
        return false;
}

void ob_notify(const char *state)
{
        (void)state;
}

int64_t ob_notify_watchdog_ms(void)
{
        return 0;
}
