#include "agent/process/tell.h"

#include "agent/process/clock.h"

#define EVERY_MS 60000

int64_t ob_tell(struct ob_tell *t, int64_t n)
{
        int64_t now = ob_clock_ms(), told;

        t->untold += n;
        if (!t->untold || (t->told_at && now - t->told_at < EVERY_MS))
                return 0;
        told = t->untold;
        t->untold = 0;
        t->told_at = now;
        return told;
}
