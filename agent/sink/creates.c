#include "agent/sink/creates.h"

#include "agent/process/clock.h"

#define AGAIN_MS 20000

void ob_creates_init(struct ob_creates *c, int per_minute)
{
        *c = (struct ob_creates) { .per_minute = per_minute, .again_at = INT64_MAX };
}

/* Sending again begins a while after the first; it ends with one time behind `until`. */
static void extend(struct ob_creates *c, int64_t until)
{
        c->until = until;
        if (c->again_at == INT64_MAX)
                c->again_at = ob_clock_ms() + AGAIN_MS;
}

void ob_creates_add(struct ob_creates *c, unsigned series)
{
        int64_t now = ob_clock_ms();

        if (c->per_minute && series)
                extend(c, (c->until > now ? c->until : now) + series * INT64_C(60000) / c->per_minute);
}

bool ob_creates_is_busy(const struct ob_creates *c)
{
        return c->again_at != INT64_MAX;
}

bool ob_creates_is_due(struct ob_creates *c)
{
        int64_t now = ob_clock_ms();

        if (now < c->again_at)
                return false;
        c->again_at = now < c->until ? now + AGAIN_MS : INT64_MAX;
        return true;
}

int64_t ob_creates_save(const struct ob_creates *c)
{
        int64_t left = (c->until - ob_clock_ms()) / 1000;

        return ob_creates_is_busy(c) ? ob_clock_wall() + (left > 0 ? left : 0) : 0;
}

void ob_creates_restore(struct ob_creates *c, int64_t saved)
{
        int64_t left = saved - ob_clock_wall();

        if (saved && c->per_minute)
                extend(c, ob_clock_ms() + left * 1000);
}
