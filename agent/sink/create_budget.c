#include "agent/sink/create_budget.h"

#include "agent/process/clock.h"

#define AGAIN_MS 20000

void ob_create_budget_init(struct ob_create_budget *c, int per_minute)
{
        *c = (struct ob_create_budget) { .per_minute = per_minute, .resend_at = INT64_MAX };
}

/* The first resend is due AGAIN_MS after the first new series, the last resend after `until`. */
static void extend(struct ob_create_budget *c, int64_t until)
{
        c->until = until;
        if (c->resend_at == INT64_MAX)
                c->resend_at = ob_clock_ms() + AGAIN_MS;
}

void ob_create_budget_add(struct ob_create_budget *c, unsigned series)
{
        int64_t now = ob_clock_ms();

        if (c->per_minute && series)
                extend(c, (c->until > now ? c->until : now) + series * INT64_C(60000) / c->per_minute);
}

bool ob_create_budget_is_busy(const struct ob_create_budget *c)
{
        return c->resend_at != INT64_MAX;
}

bool ob_create_budget_is_due(struct ob_create_budget *c)
{
        int64_t now = ob_clock_ms();

        if (now < c->resend_at)
                return false;
        c->resend_at = now < c->until ? now + AGAIN_MS : INT64_MAX;
        return true;
}

int64_t ob_create_budget_save(const struct ob_create_budget *c)
{
        int64_t left = (c->until - ob_clock_ms()) / 1000;

        return ob_create_budget_is_busy(c) ? ob_clock_wall() + (left > 0 ? left : 0) : 0;
}

void ob_create_budget_restore(struct ob_create_budget *c, int64_t saved)
{
        int64_t left = saved - ob_clock_wall();

        if (saved && c->per_minute)
                extend(c, ob_clock_ms() + left * 1000);
}
