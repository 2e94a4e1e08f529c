#include "agent/store/lease.h"

#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/store/lease_rows.h"
#include "agent/store/state_session.h"
#include "proto/memory.h"

void ob_lease_change(struct ob_lease *l, enum ob_lease_state state)
{
        l->state = state;
        l->since = ob_clock_ms();
        pthread_cond_broadcast(&l->holder->changed);
}

enum ob_lease_state ob_lease_state(struct ob_lease *l)
{
        enum ob_lease_state state;

        pthread_mutex_lock(&l->holder->lock);
        state = l->state;
        pthread_mutex_unlock(&l->holder->lock);
        return state;
}

/* With the lock held. */
static bool is_ending(const struct ob_lease *l)
{
        return l->state != OB_LEASE_HELD || l->is_asked_for;
}

bool ob_lease_is_ending(struct ob_lease *l)
{
        bool ends;

        pthread_mutex_lock(&l->holder->lock);
        ends = is_ending(l);
        pthread_mutex_unlock(&l->holder->lock);
        return ends;
}

void ob_lease_wait(struct ob_lease *l, const atomic_bool *is_wanted, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);

        pthread_mutex_lock(&l->holder->lock);
        while (!*is_wanted && !is_ending(l) && ob_clock_ms() < deadline)
                pthread_cond_timedwait(&l->holder->changed, &l->holder->lock, &until);
        pthread_mutex_unlock(&l->holder->lock);
}

void ob_lease_wake(struct ob_lease_holder *h)
{
        pthread_mutex_lock(&h->lock);
        pthread_cond_broadcast(&h->changed);
        pthread_mutex_unlock(&h->lock);
}

void ob_lease_return(struct ob_lease *l, int64_t rest_ms)
{
        ob_permit_end(&l->permit);
        pthread_mutex_lock(&l->holder->lock);
        l->rests_until = ob_clock_ms() + rest_ms;
        ob_lease_change(l, OB_LEASE_RETURNED);
        pthread_mutex_unlock(&l->holder->lock);
}

char *ob_lease_fence(struct ob_lease *l, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *owner = ob_state_literal(l->holder->settings->agent);
        bool is_held;
        int64_t generation;

        pthread_mutex_lock(&l->holder->lock);
        is_held = l->state == OB_LEASE_HELD;
        generation = l->generation;
        pthread_mutex_unlock(&l->holder->lock);
        if (!is_held) {
                ob_fail(err, "the lease of the manager \"%s\" is not held", l->manager);
                return NULL;
        }
        return ob_format("UPDATE leases SET " OB_LEASE_RENEWS
                         " WHERE unit = %lld AND owner = %s AND instance = %lld AND generation = %lld",
                ob_lease_ms(l->holder->settings), (long long)l->unit, owner, (long long)l->holder->instance,
                (long long)generation);
}

void ob_lease_renewed(struct ob_lease *l, int64_t at)
{
        ob_permit_renew(&l->permit, at);
        pthread_mutex_lock(&l->holder->lock);
        l->renewed = ob_clock_ms();
        pthread_mutex_unlock(&l->holder->lock);
}

void ob_lease_lose(struct ob_lease *l, const char *why)
{
        bool was_held;

        ob_permit_end(&l->permit);
        pthread_mutex_lock(&l->holder->lock);
        was_held = l->state == OB_LEASE_HELD;
        if (was_held)
                ob_lease_change(l, OB_LEASE_LOST);
        pthread_mutex_unlock(&l->holder->lock);
        if (was_held)
                ob_log(OB_LOG_ERROR, "event=lease_lost agent=%s manager=\"%s\" why=\"%s\"",
                        l->holder->settings->agent, l->manager, why);
}

void ob_lease_read(struct ob_lease *l, struct ob_lease_story *story)
{
        int64_t now = ob_clock_ms();

        pthread_mutex_lock(&l->holder->lock);
        *story = (struct ob_lease_story) {
                .manager = l->manager,
                .state = l->state,
                .generation = l->generation,
                .age_ms = now - l->since,
        };
        memcpy(story->owner, l->owner, sizeof(story->owner));
        pthread_mutex_unlock(&l->holder->lock);
}
