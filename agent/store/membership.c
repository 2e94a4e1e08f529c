#include "agent/store/membership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/process/thread.h"
#include "agent/store/shares.h"
#include "proto/memory.h"

#define TAKE_MS     400 /* between two looks at the leases */
#define HURRY_MS    50  /* the same, when a lease is about to become free */
#define ASKED_MS    200 /* the same, while this agent owns a manager: it may be asked to release a lease */
#define RENEWALS    5   /* in the time of a lease */
#define TAKEN_MAX   16  /* leases that are taken at one look, so that agents which start together share them */
#define PATIENCE_MS 1000
#define CONFLICTS   5    /* so many in a row count as a failure: perhaps somebody has locked the rows for long */
#define ALONE_MS    2000 /* within this time a lease that nobody has is taken */

static const char *name_of(const struct ob_membership *m)
{
        return m->holder.settings->agent;
}

static int time_of_lease(const struct ob_membership *m)
{
        return ob_lease_ms(m->holder.settings);
}

static bool is_mine(const struct ob_membership *m, const struct ob_lease_row *row)
{
        return row->instance == m->holder.instance && !strcmp(row->owner, name_of(m));
}

static int run(struct ob_membership *m, const char *sql, int64_t *changed, struct ob_err *err)
{
        struct ob_state_answer a;

        if (ob_state_session_run(&m->session, sql, &a, err))
                return -1;
        *changed = a.changed;
        return 0;
}

/* One UPDATE of the row of this agent, or its first row. */
static int beat(struct ob_membership *m, bool *is_ours, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(name_of(m));
        ob_cleanup(ob_free_at) char *update =
                ob_format("UPDATE agents SET instance = %lld, " OB_LEASE_RENEWS
                          " WHERE name = %s AND (instance = %lld OR expires < " OB_STATE_NOW ")",
                        (long long)m->holder.instance, time_of_lease(m), name, (long long)m->holder.instance);
        ob_cleanup(ob_free_at) char *insert = ob_format(
                "INSERT IGNORE INTO agents (name, instance, beats, expires, rests_until) VALUES (%s, %lld, 0, " OB_STATE_NOW
                " + %d, %s)",
                name, (long long)m->holder.instance, time_of_lease(m), m->takes_all ? "9223372036854775807" : "0");
        int64_t changed = 0;

        if (run(m, update, &changed, err) || (!changed && run(m, insert, &changed, err)))
                return -1;
        *is_ours = changed > 0;
        return 0;
}

/* Sets the reason why this agent can neither take nor renew a lease; "": it can. */
static void set_why(struct ob_membership *m, const char *why)
{
        pthread_mutex_lock(&m->holder.lock);
        snprintf(m->why, sizeof(m->why), "%s", why);
        pthread_mutex_unlock(&m->holder.lock);
}

/* Like set_why, for an agent that owns no manager. Logs an error when the agent becomes unable to take a lease. */
static void note_why(struct ob_membership *m, const char *why)
{
        set_why(m, why);
        if (ob_log_change(&m->is_barred, *why != '\0') && *why)
                ob_log(OB_LOG_ERROR, "event=lease_not_taken agent=%s err=\"%s\"", name_of(m), why);
}

/* Renews all leases that are held. The look that follows says which of them are still ours. */
static int renew(struct ob_membership *m, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *units = ob_copy(""), *name = ob_state_literal(name_of(m)), *sql = NULL;
        int64_t changed;

        pthread_mutex_lock(&m->holder.lock);
        for (size_t i = 0; i < m->n_leases; i++)
                if (m->leases[i].state == OB_LEASE_HELD)
                        ob_append(&units, ", ", "%lld", (long long)m->leases[i].unit);
        pthread_mutex_unlock(&m->holder.lock);
        if (!*units)
                return 0;
        sql = ob_format("UPDATE leases SET " OB_LEASE_RENEWS
                        " WHERE unit IN (%s) AND owner = %s AND instance = %lld",
                time_of_lease(m), units, name, (long long)m->holder.instance);
        return run(m, sql, &changed, err);
}

/* Makes the rows that are missing, and finds the unit of each manager. */
static int find_units(struct ob_membership *m, struct ob_err *err)
{
        bool is_missing = false;

        for (size_t i = 0; i < m->n_leases; i++)
                if (!ob_lease_rows_find(&m->rows, m->leases[i].manager)) {
                        is_missing = true;
                        if (ob_lease_rows_add(&m->session, m->leases[i].manager, err))
                                return -1;
                }
        if (is_missing && ob_lease_rows_read(&m->session, &m->rows, err))
                return -1;
        for (size_t i = 0; i < m->n_leases; i++) {
                const struct ob_lease_row *row = ob_lease_rows_find(&m->rows, m->leases[i].manager);

                if (!row)
                        return ob_fail(
                                err, "the table leases has no row of the manager \"%s\"", m->leases[i].manager);
                m->leases[i].unit = row->unit;
        }
        m->is_known = true;
        return 0;
}

/* The row of a lease, by its unit. */
static const struct ob_lease_row *row_of(const struct ob_membership *m, const struct ob_lease *l)
{
        size_t low = 0, high = m->rows.n_leases;

        while (low < high) {
                size_t at = (low + high) / 2;

                if (m->rows.leases[at].unit == l->unit)
                        return &m->rows.leases[at];
                if (m->rows.leases[at].unit < l->unit)
                        low = at + 1;
                else
                        high = at;
        }
        return NULL;
}

/* A lease whose owner was asked to release it. */
static bool is_asked(const struct ob_lease_row *row)
{
        return row->asked == row->generation && row->asked > 0;
}

/*
 * Whether this agent may take the lease. The row may have this agent's own name: beat() has made sure that no other
 * living process has this name, so the former process is dead or its time has ended.
 */
static bool is_free(const struct ob_membership *m, const struct ob_lease_row *row)
{
        return !ob_lease_row_is_owned(row) || !strcmp(row->owner, name_of(m));
}

/* With the lock held: this agent released the lease a moment ago, and leaves it to others. */
static bool rests(const struct ob_lease *l)
{
        return ob_clock_ms() < l->rests_until;
}

/* With the lock held: what the row says of a lease that this agent does not hold. */
static void note_owner(struct ob_membership *m, struct ob_lease *l, const struct ob_lease_row *row)
{
        bool is_owned = ob_lease_row_is_owned(row) && !is_mine(m, row);

        if (is_owned)
                l->rests_until = l->free_since = 0;
        else if (!l->free_since)
                l->free_since = ob_clock_ms();
        snprintf(l->owner, sizeof(l->owner), "%s", is_owned ? row->owner : "");
        l->generation = row->generation;
        if (is_asked(row) && is_owned)
                m->hurries = true;
}

/* What the rows say of the leases. `at`: a moment on ob_clock_boot_ms() before they were renewed. */
static void compare(struct ob_membership *m, int64_t at)
{
        for (size_t i = 0; i < m->n_leases; i++) {
                struct ob_lease *l = &m->leases[i];
                const struct ob_lease_row *row = row_of(m, l);
                bool is_held, is_ours, is_asked_now = false;

                pthread_mutex_lock(&m->holder.lock);
                is_held = l->state == OB_LEASE_HELD;
                is_ours = row && is_mine(m, row) && row->generation == l->generation;
                if (!is_held && row)
                        note_owner(m, l, row);
                if (is_held && is_ours && is_asked(row) && !l->is_asked_for) {
                        l->is_asked_for = is_asked_now = true;
                        pthread_cond_broadcast(&m->holder.changed);
                }
                pthread_mutex_unlock(&m->holder.lock);
                if (is_held && is_ours && at)
                        ob_lease_renewed(l, at);
                else if (is_held && !is_ours)
                        ob_lease_lose(l, "another agent has taken it");
                if (is_asked_now)
                        ob_log(OB_LOG_INFO,
                                "event=lease_asked_for agent=%s manager=\"%s\" why=\"otterbeat cluster release\"",
                                name_of(m), l->manager);
        }
}

/* Releases the leases whose work has stopped. */
static int release_returned(struct ob_membership *m, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(name_of(m));

        for (size_t i = 0; i < m->n_leases; i++) {
                struct ob_lease *l = &m->leases[i];
                ob_cleanup(ob_free_at) char *sql = NULL;
                int64_t changed;

                if (ob_lease_state(l) != OB_LEASE_RETURNED)
                        continue;
                sql = ob_format(
                        "UPDATE leases SET owner = '', expires = 0, beats = beats + 1 WHERE unit = %lld AND owner = %s"
                        " AND instance = %lld AND generation = %lld",
                        (long long)l->unit, name, (long long)m->holder.instance, (long long)l->generation);
                if (run(m, sql, &changed, err))
                        return -1;
                pthread_mutex_lock(&m->holder.lock);
                l->is_asked_for = false;
                ob_lease_change(l, OB_LEASE_WAITS);
                pthread_mutex_unlock(&m->holder.lock);
                if (changed)
                        ob_log(OB_LOG_INFO, "event=lease_released agent=%s manager=\"%s\"", name_of(m), l->manager);
        }
        return 0;
}

/*
 * The UPDATE waits for the row lock of a transaction in doubt, so this transaction has ended when the new
 * generation begins. Returns 1 when the lease was taken, 0, or -1.
 */
static int take(struct ob_membership *m, struct ob_lease *l, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(name_of(m));
        ob_cleanup(ob_free_at) char *update = ob_format(
                "UPDATE leases SET owner = %s, instance = %lld, generation = generation + 1, " OB_LEASE_RENEWS
                " WHERE unit = %lld AND (expires < " OB_STATE_NOW " OR owner = %s);"
                "SELECT generation FROM leases WHERE unit = %lld",
                name, (long long)m->holder.instance, time_of_lease(m), (long long)l->unit, name,
                (long long)l->unit);
        int64_t at = ob_clock_boot_ms();
        struct ob_state_answer a;

        if (ob_state_session_run(&m->session, update, &a, err))
                return -1;
        if (!a.changed)
                return 0;
        ob_lease_renewed(l, at);
        pthread_mutex_lock(&m->holder.lock);
        l->generation = ob_state_number(a.cells[0]);
        l->is_asked_for = false;
        l->free_since = 0;
        *l->owner = '\0';
        ob_lease_change(l, OB_LEASE_HELD);
        pthread_mutex_unlock(&m->holder.lock);
        ob_log(OB_LOG_INFO, "event=lease_taken agent=%s manager=\"%s\" generation=%lld lease=%d", name_of(m),
                l->manager, (long long)l->generation, m->holder.settings->lease);
        if (m->taken)
                m->taken(m->ctx, l);
        return 1;
}

/* A free lease that this agent may take whatever its share is: it was asked for, or nobody has taken it for long.
 */
static bool is_urgent(const struct ob_membership *m, const struct ob_lease *l, const struct ob_lease_row *row)
{
        return m->takes_all || is_asked(row) || (l->free_since && ob_clock_ms() - l->free_since > time_of_lease(m));
}

static int take_free(struct ob_membership *m, long wanted, struct ob_err *err)
{
        int taken = 0;

        for (size_t i = 0; i < m->n_leases && taken < TAKEN_MAX; i++) {
                struct ob_lease *l = &m->leases[(m->first + i) % m->n_leases];
                const struct ob_lease_row *row = row_of(m, l);
                bool may_take;
                int got;

                pthread_mutex_lock(&m->holder.lock);
                may_take = l->state == OB_LEASE_WAITS && row && is_free(m, row) && !rests(l) &&
                           !m->holder.is_closing && (wanted > taken || is_urgent(m, l, row));
                pthread_mutex_unlock(&m->holder.lock);
                got = may_take ? take(m, l, err) : 0;
                if (got < 0)
                        return -1;
                taken += got;
        }
        return 0;
}

/* Hands over the leases that this agent has held longest, so that what has just moved does not move again. */
static void hand_over(struct ob_membership *m, long n, const char *why)
{
        for (; n > 0; n--) {
                struct ob_lease *oldest = NULL;

                pthread_mutex_lock(&m->holder.lock);
                for (size_t i = 0; i < m->n_leases; i++) {
                        struct ob_lease *l = &m->leases[i];

                        if (l->state == OB_LEASE_HELD && !l->is_asked_for && (!oldest || l->since < oldest->since))
                                oldest = l;
                }
                if (oldest) {
                        oldest->is_asked_for = true;
                        pthread_cond_broadcast(&m->holder.changed);
                }
                pthread_mutex_unlock(&m->holder.lock);
                if (oldest)
                        ob_log(OB_LOG_INFO, "event=lease_handed_over agent=%s manager=\"%s\" why=\"%s\"",
                                name_of(m), oldest->manager, why);
        }
}

static size_t count_owned(const struct ob_membership *m, const char *agent)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_leases; i++) {
                const struct ob_lease_row *row = row_of(m, &m->leases[i]);

                n += row && ob_lease_row_is_owned(row) && !strcmp(row->owner, agent);
        }
        return n;
}

/* With the lock held: the leases that this agent keeps, and those that nobody has. */
static size_t count_kept(const struct ob_membership *m, size_t *n_free)
{
        size_t n = 0;

        *n_free = 0;
        for (size_t i = 0; i < m->n_leases; i++) {
                const struct ob_lease *l = &m->leases[i];
                const struct ob_lease_row *row = row_of(m, l);

                n += l->state == OB_LEASE_HELD && !l->is_asked_for;
                *n_free += l->state == OB_LEASE_WAITS && row && is_free(m, row);
        }
        return n;
}

/* How many leases this agent should take, or hand over (a negative number), and why it hands them over. */
static long wanted_change(struct ob_membership *m, const char **why)
{
        ob_cleanup(ob_free_at) struct ob_share *shares = ob_alloc(m->rows.n_agents, sizeof(*shares));
        size_t n = 0, me = SIZE_MAX, n_free, kept;
        long change;

        pthread_mutex_lock(&m->holder.lock);
        kept = count_kept(m, &n_free);
        pthread_mutex_unlock(&m->holder.lock);
        for (size_t i = 0; i < m->rows.n_agents; i++) {
                const struct ob_agent_row *agent = &m->rows.agents[i];
                bool is_me = agent->instance == m->holder.instance && !strcmp(agent->name, name_of(m));

                if (agent->left < 0)
                        continue;
                if (is_me)
                        me = n;
                shares[n] = (struct ob_share) { .managers = is_me ? kept : count_owned(m, agent->name),
                        .rests = agent->rests > 0 };
                if (shares[n].rests && shares[n].managers)
                        m->hurries = true;
                n++;
        }
        change = me == SIZE_MAX ? 0 : ob_shares_change(shares, n, me, m->n_leases, n_free);
        /* An agent hands over all that it has only while it rests. */
        *why = change + (long)kept ? "other agents have room for it" : "otterbeat cluster release --all";
        return change;
}

static int share_out(struct ob_membership *m, struct ob_err *err)
{
        const char *why;
        long change = m->takes_all ? 0 : wanted_change(m, &why);

        if (change < 0)
                hand_over(m, -change, why);
        return take_free(m, change, err);
}

/* Logs once when this agent owns no manager, although it could. */
static void note_standby(struct ob_membership *m)
{
        bool is_standby = true;

        pthread_mutex_lock(&m->holder.lock);
        for (size_t i = 0; i < m->n_leases; i++)
                is_standby &= m->leases[i].state == OB_LEASE_WAITS && *m->leases[i].owner;
        pthread_mutex_unlock(&m->holder.lock);
        if (ob_log_change(&m->is_standby, is_standby) && is_standby)
                ob_log(OB_LOG_INFO,
                        "event=standby agent=%s managers=%zu why=\"other agents own all managers: this agent takes over "
                        "when a lease ends\"",
                        name_of(m), m->n_leases);
}

/* A process of the same name lives, which began while this one was frozen or cut off: it works in place of this
 * one. */
static void give_way(struct ob_membership *m)
{
        static const char why[] = "another living agent has the same name: set state.agent";

        note_why(m, why);
        for (size_t i = 0; i < m->n_leases; i++)
                ob_lease_lose(&m->leases[i], why);
}

/* Says that this agent lives, and renews its leases. Returns 1 when it must not, since its name belongs to another.
 */
static int renew_all(struct ob_membership *m, struct ob_err *err)
{
        bool is_ours;

        if (beat(m, &is_ours, err))
                return -1;
        if (!is_ours) {
                give_way(m);
                return 1;
        }
        if (renew(m, err))
                return -1;
        m->renews_at = ob_clock_ms() + time_of_lease(m) / RENEWALS;
        return 0;
}

/* Does what is due. A conflict with another transaction is tried again the next time. */
static int attend(struct ob_membership *m, struct ob_err *err)
{
        bool renews = ob_clock_ms() >= m->renews_at;
        int64_t at = ob_clock_boot_ms();
        int got;

        if (ob_state_session_open(&m->session, err) || release_returned(m, err))
                return -1;
        got = renews ? renew_all(m, err) : 0;
        if (got)
                return got < 0 ? -1 : 0;
        m->hurries = false;
        if (ob_lease_rows_read(&m->session, &m->rows, err) || (!m->is_known && find_units(m, err)))
                return -1;
        compare(m, renews ? at : 0);
        note_why(m, "");
        if (share_out(m, err))
                return -1;
        note_standby(m);
        return 0;
}

/* The owner can't reach the database, and sends nothing any more. Logged once. */
static void note_silence(struct ob_membership *m, const struct ob_err *err)
{
        struct ob_membership_story story;

        ob_membership_read(m, &story);
        if (!ob_log_change(&m->is_silent, !story.may_work))
                return;
        if (!story.may_work)
                ob_log(OB_LOG_ERROR,
                        "event=lease_not_renewed agent=%s err=\"%s\" why=\"this agent neither reads nor sends until the "
                        "lease is renewed\"",
                        name_of(m), err->text);
        else if (story.managers)
                ob_log(OB_LOG_INFO, "event=lease_renewed agent=%s", name_of(m));
}

static bool has_returned(const struct ob_membership *m)
{
        for (size_t i = 0; i < m->n_leases; i++)
                if (m->leases[i].state == OB_LEASE_RETURNED)
                        return true;
        return false;
}

/* Waits until the next look is due: at once when a lease was returned, so that another agent takes over at once. */
static void wait_for_work(struct ob_membership *m, int64_t pause)
{
        int64_t deadline = ob_clock_ms() + pause;
        struct timespec until = ob_clock_deadline(deadline);

        pthread_mutex_lock(&m->holder.lock);
        while (!has_returned(m) && !m->holder.is_closing && ob_clock_ms() < deadline)
                pthread_cond_timedwait(&m->holder.changed, &m->holder.lock, &until);
        pthread_mutex_unlock(&m->holder.lock);
}

static void *work(void *arg)
{
        struct ob_membership *m = arg;

        while (!ob_stop_is_wanted(&m->holder.stop)) {
                struct ob_membership_story story;
                struct ob_err err = { .text = "" };
                int got = attend(m, &err);
                bool is_conflict = got && m->session.failure == OB_STATE_CONFLICT, is_reached;

                m->conflicts = is_conflict ? m->conflicts + 1 : 0;
                is_reached = !got || (is_conflict && m->conflicts < CONFLICTS);
                pthread_mutex_lock(&m->holder.lock);
                m->is_reached = is_reached;
                pthread_mutex_unlock(&m->holder.lock);
                note_silence(m, &err);
                ob_membership_read(m, &story);
                if (got && !ob_stop_is_wanted(&m->holder.stop)) {
                        m->renews_at = 0;
                        if (!is_reached)
                                (story.managers ? set_why : note_why)(m, err.text);
                        ob_stop_wait(&m->holder.stop, ob_clock_ms() + TAKE_MS / 2);
                }
                wait_for_work(m, m->hurries ? HURRY_MS : story.managers ? ASKED_MS : TAKE_MS);
        }
        return NULL;
}

static void begin_session(struct ob_membership *m)
{
        ob_stop_init(&m->holder.stop);
        m->session = (struct ob_state_session) {
                .settings = m->holder.settings, .stop = &m->holder.stop, .common_host = &m->holder.host
        };
}

static void end_session(struct ob_membership *m)
{
        ob_state_session_close(&m->session);
        ob_stop_fini(&m->holder.stop);
}

static int start(struct ob_membership *m, struct ob_err *err)
{
        begin_session(m);
        m->renews_at = 0;
        m->holder.is_closing = false;
        if (!ob_thread_start(&m->thread, work, m, "the leases", err))
                return 0;
        m->thread = 0;
        end_session(m);
        return -1;
}

static void stop_thread(struct ob_membership *m)
{
        if (!m->thread)
                return;
        pthread_mutex_lock(&m->holder.lock);
        m->holder.is_closing = true;
        pthread_cond_broadcast(&m->holder.changed);
        pthread_mutex_unlock(&m->holder.lock);
        ob_stop_want(&m->holder.stop, ob_clock_ms());
        pthread_join(m->thread, NULL);
        m->thread = 0;
        end_session(m);
}

/* Waits until the row has expired that a former process of this agent left in `agents`. */
static int claim_name(struct ob_membership *m, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(name_of(m));
        ob_cleanup(ob_free_at) char *sql = ob_format("SELECT beats FROM agents WHERE name = %s", name);
        int64_t until = ob_clock_ms() + time_of_lease(m) + PATIENCE_MS, beats = -1;
        bool is_ours = false, is_logged = false;
        struct ob_state_answer a;

        for (;;) {
                if (beat(m, &is_ours, err))
                        return m->session.failure == OB_STATE_REFUSED ? -1 : 0;
                if (is_ours)
                        return 0;
                if (ob_state_session_run(&m->session, sql, &a, err))
                        return 0;
                if (beats >= 0 && (ob_state_number(a.cells[0]) != beats || ob_clock_ms() > until))
                        return ob_fail(err,
                                "another living agent is called \"%s\": give each agent a name of its own with state.agent",
                                name_of(m));
                beats = ob_state_number(a.cells[0]);
                if (!is_logged)
                        ob_log(OB_LOG_INFO,
                                "event=name_in_use agent=%s why=\"an agent of this name lived a moment ago: this one waits "
                                "until it is known to be dead\"",
                                name_of(m));
                is_logged = true;
                if (ob_stop_wait(&m->holder.stop, ob_clock_ms() + TAKE_MS))
                        return 0;
        }
}

static void make_leases(struct ob_membership *m, const struct ob_manager *managers, size_t n)
{
        m->leases = ob_alloc(n, sizeof(*m->leases));
        m->n_leases = n;
        for (size_t i = 0; i < n; i++)
                m->leases[i] = (struct ob_lease) { .holder = &m->holder,
                        .manager = managers[i].name,
                        .state = OB_LEASE_WAITS,
                        .since = ob_clock_ms(),
                        .permit = { .lasts = time_of_lease(m) / INT64_C(100) * OB_LEASE_SENDS_PERCENT } };
        m->first = n ? (size_t)m->holder.instance % n : 0;
}

static void free_all(struct ob_membership *m)
{
        pthread_cond_destroy(&m->holder.changed);
        pthread_mutex_destroy(&m->holder.lock);
        ob_lease_rows_free(&m->rows);
        free(m->leases);
        m->leases = NULL;
        m->n_leases = 0;
        m->is_open = false;
}

int ob_membership_open(struct ob_membership *m, const struct ob_state_settings *settings,
        const struct ob_manager *managers, size_t n_managers, struct ob_err *err)
{
        int got;

        m->holder = (struct ob_lease_holder) { .settings = settings };
        if (getrandom(&m->holder.instance, sizeof(m->holder.instance), 0) != sizeof(m->holder.instance))
                return ob_fail(err, "no random number for the lease: %m");
        m->holder.instance = (int64_t)((uint64_t)m->holder.instance >> 2);
        pthread_mutex_init(&m->holder.lock, NULL);
        ob_cond_init(&m->holder.changed);
        make_leases(m, managers, n_managers);
        m->is_open = true;
        m->is_known = m->is_silent = m->is_standby = m->is_barred = m->is_reached = false;
        m->conflicts = 0;
        *m->why = '\0';
        begin_session(m);
        got = ob_state_session_open(&m->session, err);
        got = got ? m->session.is_refused : claim_name(m, err);
        end_session(m);
        if (!got)
                got = start(m, err);
        if (!got)
                return 0;
        free_all(m);
        return -1;
}

bool ob_membership_fits(const struct ob_membership *m, const struct ob_state_settings *settings,
        const struct ob_manager *managers, size_t n_managers)
{
        const struct ob_state_settings *old = m->holder.settings;
        ob_cleanup(ob_free_at) char *was = ob_state_place(old), *is = ob_state_place(settings);
        bool fits = !strcmp(was, is) && !strcmp(old->agent, settings->agent) && old->lease == settings->lease &&
                    old->mysql.port == settings->mysql.port && m->n_leases == n_managers;

        for (size_t i = 0; fits && i < n_managers; i++)
                fits = !strcmp(m->leases[i].manager, managers[i].name);
        return fits;
}

int ob_membership_use(struct ob_membership *m, const struct ob_state_settings *settings,
        const struct ob_manager *managers, struct ob_err *err)
{
        if (m->holder.settings == settings)
                return 0;
        stop_thread(m);
        m->holder.settings = settings;
        for (size_t i = 0; i < m->n_leases; i++)
                m->leases[i].manager = managers[i].name;
        return start(m, err);
}

/* Releases what is held, if the database answers. */
static void release_all(struct ob_membership *m)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(name_of(m));
        ob_cleanup(ob_free_at) char *sql = ob_format(
                "DELETE FROM agents WHERE name = %s AND instance = %lld", name, (long long)m->holder.instance);
        struct ob_err err;
        int64_t changed;
        int tries = 3;

        for (size_t i = 0; i < m->n_leases; i++)
                if (m->leases[i].state != OB_LEASE_WAITS)
                        ob_lease_return(&m->leases[i], 0);
        begin_session(m);
        do {
                if (!ob_state_session_open(&m->session, &err) && !release_returned(m, &err) &&
                        !run(m, sql, &changed, &err))
                        break;
        } while (m->session.failure == OB_STATE_CONFLICT && --tries);
        end_session(m);
}

void ob_membership_close(struct ob_membership *m)
{
        if (!m->is_open)
                return;
        stop_thread(m);
        release_all(m);
        free_all(m);
}

/* With the lock held. */
static bool holds_all(const struct ob_membership *m)
{
        for (size_t i = 0; i < m->n_leases; i++)
                if (m->leases[i].state != OB_LEASE_HELD)
                        return false;
        return true;
}

bool ob_membership_wait(struct ob_membership *m, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);
        bool got;

        pthread_mutex_lock(&m->holder.lock);
        while (!holds_all(m) && ob_clock_ms() < deadline)
                pthread_cond_timedwait(&m->holder.changed, &m->holder.lock, &until);
        got = holds_all(m);
        pthread_mutex_unlock(&m->holder.lock);
        return got;
}

int ob_membership_explain(struct ob_membership *m, struct ob_err *err)
{
        char why[OB_ERR_MAX];

        pthread_mutex_lock(&m->holder.lock);
        snprintf(why, sizeof(why), "%s", m->why);
        for (size_t i = 0; !*why && i < m->n_leases; i++)
                if (m->leases[i].state == OB_LEASE_WAITS && *m->leases[i].owner)
                        snprintf(why, sizeof(why), "agent %s owns the manager \"%s\"", m->leases[i].owner,
                                m->leases[i].manager);
        pthread_mutex_unlock(&m->holder.lock);
        return ob_fail(err, "%s", *why ? why : "the database of the state does not answer");
}

int ob_membership_open_alone(struct ob_membership *m, struct ob_state_settings *alone,
        const struct ob_state_settings *settings, const char *command, const struct ob_manager *managers,
        size_t n_managers, struct ob_err *err)
{
        *alone = *settings;
        alone->agent = command;
        *m = (struct ob_membership) { .takes_all = true };
        if (ob_membership_open(m, alone, managers, n_managers, err))
                return -1;
        if (ob_membership_wait(m, ob_clock_ms() + ALONE_MS))
                return 0;
        ob_membership_explain(m, err);
        return ob_fail_in(err, "stop all agents first"), -1;
}

void ob_membership_read(struct ob_membership *m, struct ob_membership_story *story)
{
        int64_t now = ob_clock_ms();

        *story = (struct ob_membership_story) { .is_open = m->is_open, .may_work = true };
        if (!m->is_open)
                return;
        pthread_mutex_lock(&m->holder.lock);
        story->is_reached = m->is_reached;
        memcpy(story->why, m->why, sizeof(story->why));
        for (size_t i = 0; i < m->n_leases; i++) {
                const struct ob_lease *l = &m->leases[i];
                bool is_held = l->state == OB_LEASE_HELD;

                story->unowned += l->free_since && now - l->free_since > time_of_lease(m);
                story->managers += is_held;
                if (is_held && now - l->renewed > story->oldest_ms)
                        story->oldest_ms = now - l->renewed;
                story->may_work &= !is_held || ob_permit_is_valid(&l->permit);
        }
        pthread_mutex_unlock(&m->holder.lock);
}
