#include "agent/process/permit.h"

#include "agent/process/clock.h"

bool ob_permit_is_valid(const struct ob_permit *p)
{
        return !p || ob_clock_boot_ms() < p->until;
}

int ob_permit_check(const struct ob_permit *p, struct ob_err *err)
{
        return ob_permit_is_valid(p)
                       ? 0
                       : ob_fail(err,
                                 "the lease of the manager was not renewed in time: another agent may be at work");
}

void ob_permit_renew(struct ob_permit *p, int64_t at)
{
        int64_t until = p->until;

        while (until < at + p->lasts && !atomic_compare_exchange_weak(&p->until, &until, at + p->lasts))
                ;
}

void ob_permit_end(struct ob_permit *p)
{
        p->until = 0;
}
