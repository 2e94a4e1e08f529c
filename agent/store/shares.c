#include "agent/store/shares.h"

#include <stdlib.h>

/* A fair share has `low` managers, or one more where they can't be divided evenly. */
struct fair {
        size_t agents, low, high;
        size_t missing; /* how many managers the agents below `low` lack in sum */
};

static struct fair fair_share(const struct ob_share *shares, size_t n, bool all_rest, size_t managers)
{
        struct fair f = { .agents = 0 };

        for (size_t i = 0; i < n; i++)
                f.agents += all_rest || !shares[i].rests;
        if (!f.agents)
                abort(); /* the agent that asks is one of them */
        f.low = managers / f.agents;
        f.high = (managers + f.agents - 1) / f.agents;
        for (size_t i = 0; i < n; i++)
                if ((all_rest || !shares[i].rests) && shares[i].managers < f.low)
                        f.missing += f.low - shares[i].managers;
        return f;
}

/* One agent after the other gives, so that they do not give more in sum than is missing. */
static bool gives_first(const struct ob_share *shares, size_t me)
{
        for (size_t i = 0; i < me; i++)
                if (shares[i].managers >= shares[me].managers)
                        return false;
        return true;
}

long ob_shares_change(const struct ob_share *shares, size_t n_shares, size_t me, size_t managers, size_t n_free)
{
        size_t mine = shares[me].managers;
        bool all_rest = true;
        struct fair f;

        for (size_t i = 0; i < n_shares; i++)
                all_rest &= shares[i].rests;
        if (shares[me].rests && !all_rest)
                return -(long)mine;
        f = fair_share(shares, n_shares, all_rest, managers);
        if (mine > f.high)
                return (long)f.high - (long)mine;
        if (mine < f.low)
                return (long)(n_free < f.low - mine ? n_free : f.low - mine);
        if (mine < f.high)
                return n_free > f.missing;
        return mine > f.low && f.missing > n_free && gives_first(shares, me) ? -1 : 0;
}
