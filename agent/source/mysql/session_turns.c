#include "agent/source/mysql/session_turns.h"

#include <mysqld_error.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/stop.h"

#define RAISE_MS  300000
#define HOLD_MS   5000
#define SETTLE_MS 1000 /* for so long a server may count a closed session */
#define RETRY_MS  50   /* between retries during that time */

static bool reads_database(const struct ob_source *s)
{
        return s->enabled && (s->kind == OB_SOURCE_TABLE || s->kind == OB_SOURCE_ZONE);
}

/* One for each worker with a source in the database, and one for names if none of these reads them. */
unsigned ob_session_turns_needed(const struct ob_config *c)
{
        unsigned n = 0;

        for (size_t i = 0; i < c->n_sources; i++) {
                bool is_first = reads_database(&c->sources[i]);

                for (size_t j = 0; j < i; j++)
                        is_first &= !reads_database(&c->sources[j]) ||
                                    strcmp(c->sources[i].worker, c->sources[j].worker) != 0;
                n += is_first;
        }
        return n || !c->names.enabled ? n : 1;
}

void ob_session_turns_init(struct ob_session_turns *t, const struct ob_config *c, const struct ob_manager *m)
{
        *t = (struct ob_session_turns) {
                .name = *m->name ? m->name : m->mysql.database,
                .needed = ob_session_turns_needed(c),
                .wait_ms = 5000 * (int64_t)(m->mysql.connect_timeout + m->mysql.query_timeout),
                .hold_ms = HOLD_MS,
                .raise_ms = RAISE_MS,
                .closed_at = INT64_MIN / 2,
        };
        pthread_mutex_init(&t->lock, NULL);
        ob_cond_init(&t->changed);
}

void ob_session_turns_fini(struct ob_session_turns *t)
{
        pthread_cond_destroy(&t->changed);
        pthread_mutex_destroy(&t->lock);
}

void ob_session_turns_stop(struct ob_session_turns *t)
{
        pthread_mutex_lock(&t->lock);
        t->is_stopping = true;
        pthread_cond_broadcast(&t->changed);
        pthread_mutex_unlock(&t->lock);
}

unsigned ob_session_turns_limit(struct ob_session_turns *t)
{
        unsigned limit;

        pthread_mutex_lock(&t->lock);
        limit = t->limit;
        pthread_mutex_unlock(&t->lock);
        return limit;
}

/* ER_USER_LIMIT_REACHED also means other limits, such as queries an hour; its text names the limit. */
bool ob_session_turns_is_refusal(unsigned number, const char *text)
{
        return number == ER_CON_COUNT_ERROR || number == ER_TOO_MANY_USER_CONNECTIONS ||
               (number == ER_USER_LIMIT_REACHED && strstr(text, "max_user_connections"));
}

static void append(struct ob_turn **list, struct ob_turn *turn)
{
        while (*list)
                list = &(*list)->next;
        turn->next = NULL;
        *list = turn;
}

static void take_out(struct ob_turn **list, struct ob_turn *turn)
{
        while (*list && *list != turn)
                list = &(*list)->next;
        if (*list)
                *list = turn->next;
}

/* When the first waiting turn checks again without a signal. */
static int64_t next_look(const struct ob_session_turns *t, int64_t deadline)
{
        return t->limit && t->raise_at > ob_clock_ms() && t->raise_at < deadline ? t->raise_at : deadline;
}

/* Waits for a signal until the deadline. Under the lock. */
static void wait(struct ob_session_turns *t, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);

        pthread_cond_timedwait(&t->changed, &t->lock, &until);
}

/* Ends a turn whose session is closed. Under the lock. */
static void give(struct ob_session_turns *t, struct ob_turn *turn)
{
        t->open -= turn->state != OB_TURN_OPENS;
        t->taken--;
        if (turn->state != OB_TURN_OPENS)
                t->closed_at = ob_clock_ms();
        turn->state = OB_TURN_NONE;
        pthread_cond_broadcast(&t->changed);
}

/* Closes the session that has rested longest. Releases the lock while closing. */
static void close_one_that_rests(struct ob_session_turns *t)
{
        struct ob_turn *other = t->rests;

        t->rests = other->next;
        other->state = OB_TURN_IS_TAKEN;
        pthread_mutex_unlock(&t->lock);
        other->close_it(other->session);
        pthread_mutex_lock(&t->lock);
        give(t, other);
}

static bool may_open(struct ob_session_turns *t)
{
        if (!t->limit || t->taken < t->limit)
                return true;
        if (t->taken > t->limit || ob_clock_ms() < t->raise_at)
                return false;
        t->raise_at = ob_clock_ms() + t->raise_ms;
        return true;
}

/* Waits for a turn, whose state becomes OB_TURN_OPENS. Under the lock. */
static int wait_for_turn(struct ob_session_turns *t, struct ob_turn *turn, int64_t deadline, struct ob_err *err)
{
        int got = 0;

        append(&t->first, turn);
        while (!t->is_stopping && ob_clock_ms() < deadline && (t->first != turn || !may_open(t))) {
                if (t->first == turn && t->rests)
                        close_one_that_rests(t);
                else
                        wait(t, next_look(t, deadline));
        }
        if (t->is_stopping)
                got = ob_fail(err, "mysql: the agent stops");
        else if (ob_clock_ms() >= deadline)
                got = ob_fail(err,
                        "mysql: the server allows %u of %u sessions at once, and none came free within %lld s: raise "
                        "max_user_connections or max_connections",
                        t->limit, t->needed, (long long)t->wait_ms / 1000);
        take_out(&t->first, turn);
        pthread_cond_broadcast(&t->changed);
        if (got)
                return -1;
        t->taken++;
        turn->state = OB_TURN_OPENS;
        return 0;
}

/* True: all sessions can be open at once again. Under the lock. */
static bool note_opened(struct ob_session_turns *t, struct ob_turn *turn)
{
        t->open++;
        turn->state = OB_TURN_WORKS;
        turn->since = ob_clock_ms();
        if (!t->limit || t->open <= t->limit)
                return false;
        t->limit = t->open;
        t->raise_at = ob_clock_ms(); /* try one more session at once */
        if (t->limit < t->needed)
                return false;
        t->limit = 0;
        return true;
}

/*
 * False: no own session is open whose end could free a place. `is_new`: this refusal is the first. Under the lock.
 */
static bool note_refused(struct ob_session_turns *t, struct ob_turn *turn, bool *is_new)
{
        bool is_settled = ob_clock_ms() - t->closed_at > SETTLE_MS;

        give(t, turn);
        if (is_settled && !t->taken)
                return false;
        if (is_settled) {
                *is_new = !t->limit;
                t->limit = t->open ? t->open : 1;
                t->raise_at = ob_clock_ms() + t->raise_ms;
        }
        wait(t, ob_clock_ms() + RETRY_MS);
        return true;
}

/* Opens the session of a turn in state OB_TURN_OPENS. 1: wait for another turn. Without the lock. */
static int open_session(struct ob_session_turns *t, struct ob_turn *turn, struct ob_err *err)
{
        int got = turn->open_it(turn->session, err);
        bool is_new = false, is_over = false;
        unsigned limit;

        pthread_mutex_lock(&t->lock);
        if (!got)
                is_over = note_opened(t, turn);
        if (got < 0)
                give(t, turn);
        if (got > 0 && !note_refused(t, turn, &is_new))
                got = -1;
        limit = t->limit;
        pthread_mutex_unlock(&t->lock);
        if (is_new)
                ob_log(OB_LOG_WARN,
                        "manager=%s event=sessions_shared allowed=%u needed=%u why=\"%s: those who read it take turns\"",
                        t->name, limit, t->needed, err->text);
        if (is_over)
                ob_log(OB_LOG_INFO, "manager=%s event=sessions_enough needed=%u", t->name, t->needed);
        return got;
}

/* Takes a resting session back, so that no other turn closes it. Under the lock. */
static void take_back(struct ob_session_turns *t, struct ob_turn *turn)
{
        while (turn->state == OB_TURN_IS_TAKEN)
                wait(t, ob_clock_ms() + SETTLE_MS);
        if (turn->state != OB_TURN_RESTS)
                return;
        take_out(&t->rests, turn);
        turn->state = OB_TURN_WORKS;
        turn->since = ob_clock_ms();
}

/* 1: the session is open already. */
static int take_turn(struct ob_session_turns *t, struct ob_turn *turn, int64_t deadline, struct ob_err *err)
{
        int got = 1;

        pthread_mutex_lock(&t->lock);
        take_back(t, turn);
        if (turn->state == OB_TURN_NONE)
                got = wait_for_turn(t, turn, deadline, err);
        pthread_mutex_unlock(&t->lock);
        return got;
}

int ob_turn_open(struct ob_turn *turn, struct ob_err *err)
{
        struct ob_session_turns *t = turn->turns;
        int64_t deadline = ob_clock_ms() + (t ? t->wait_ms : 0);
        int got;

        if (!t)
                return turn->open_it(turn->session, err) ? -1 : 0;
        do {
                got = take_turn(t, turn, deadline, err);
                if (got)
                        return got < 0 ? -1 : 0;
                got = open_session(t, turn, err);
        } while (got > 0);
        return got;
}

void ob_turn_close(struct ob_turn *turn)
{
        struct ob_session_turns *t = turn->turns;

        if (t) {
                pthread_mutex_lock(&t->lock);
                take_back(t, turn);
                pthread_mutex_unlock(&t->lock);
        }
        turn->close_it(turn->session);
        if (t) {
                pthread_mutex_lock(&t->lock);
                if (turn->state == OB_TURN_WORKS)
                        give(t, turn);
                pthread_mutex_unlock(&t->lock);
        }
}

bool ob_turn_is_over(struct ob_turn *turn)
{
        struct ob_session_turns *t = turn->turns;
        bool is_over;

        if (!t)
                return false;
        pthread_mutex_lock(&t->lock);
        is_over = turn->state == OB_TURN_WORKS && t->first && ob_clock_ms() - turn->since > t->hold_ms;
        pthread_mutex_unlock(&t->lock);
        return is_over;
}

void ob_turn_rest(struct ob_turn *turn)
{
        struct ob_session_turns *t = turn->turns;
        bool is_wanted = false;

        if (!t)
                return;
        pthread_mutex_lock(&t->lock);
        if (turn->state == OB_TURN_WORKS) {
                is_wanted = t->first != NULL;
                if (!is_wanted) {
                        turn->state = OB_TURN_RESTS;
                        append(&t->rests, turn);
                }
        }
        pthread_mutex_unlock(&t->lock);
        if (is_wanted)
                ob_turn_close(turn);
}
