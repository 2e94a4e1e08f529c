/*
 * How agents divide managers among each other without a coordinator: each agent decides for itself, from the same
 * rows. Shares differ by one at most. A manager does not change its owner as long as the shares are fair. Pure
 * functions.
 */
#ifndef OB_STORE_SHARES_H
#define OB_STORE_SHARES_H

#include <stdbool.h>
#include <stddef.h>

struct ob_share {
        size_t managers; /* how many the agent owns */
        bool rests;      /* the agent takes none, and hands its managers over */
};

/*
 * How many managers the agent `me` should take (positive) or hand over (negative). `shares` are those of all living
 * agents; `free` managers have no owner, and the others of `managers` have one. When all agents rest, none does.
 */
long ob_shares_change(const struct ob_share *shares, size_t n_shares, size_t me, size_t managers, size_t n_free);

#endif
