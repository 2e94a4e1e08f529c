#include "agent/ops/supervise.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/process/notify.h"
#include "agent/process/thread.h"
#include "proto/memory.h"

#define BEATS    4    /* in the time of a watchdog, so that two of them may be late */
#define MOVED_MS 2    /* processor time from beat to beat: more than the feeder itself uses */
#define WAIT_MS  5000 /* problems are seen so soon; each wake-up costs as much as the answer to a poll */

void ob_supervise_ready(struct ob_supervise *s)
{
        s->sent.text[0] = '\0';
        ob_notify("READY=1");
}

/* By the time systemd knows which READY=1 belongs to this reload. */
void ob_supervise_reloading(struct ob_supervise *s)
{
        ob_cleanup(ob_free_at) char *state =
                ob_format("RELOADING=1\nMONOTONIC_USEC=%lld\nWATCHDOG=1", (long long)ob_clock_ms() * 1000);

        s->beat_at = ob_clock_ms();
        ob_notify(state);
}

void ob_supervise_stopping(struct ob_supervise *s)
{
        s->sent.text[0] = '\0';
        ob_notify("STOPPING=1\nSTATUS=sends what is left");
}

/* Sends both headlines, and the first of the agent's problems. */
static void send_status(struct ob_supervise *s, const struct ob_view *v)
{
        struct ob_headline lines[OB_HEADLINES];
        struct ob_bytes troubles = { .length = 0 };
        const char *first;
        struct ob_err now;
        int length;

        ob_headlines(v, lines);
        ob_view_add_problems(v, &troubles);
        ob_bytes_add(&troubles, "", 1);
        first = (const char *)troubles.data;
        length = (int)strcspn(first, "\n");
        ob_fail(&now, "%s; %s%s%.*s", lines[0].text, lines[1].text, length ? "; " : "", length, first);
        ob_bytes_free(&troubles);
        if (strcmp(now.text, s->sent.text) != 0) {
                ob_cleanup(ob_free_at) char *state = ob_format("STATUS=%s", now.text);

                ob_notify(state);
                s->sent = now;
        }
}

static void beat(struct ob_supervise *s, const struct ob_view *v)
{
        int64_t every = ob_notify_watchdog_ms() / BEATS;
        bool is_stuck = ob_view_count(v, OB_STUCK) > 0;

        if (ob_log_change(&s->is_stuck_logged, is_stuck) && is_stuck)
                ob_log(OB_LOG_ERROR, "event=stuck why=\"a thread was not heard of when it should%s\"",
                        every ? "; the watchdog is left alone" : ": restart the agent, and report it");
        if (!every || is_stuck || v->clock - s->beat_at < every)
                return;
        s->beat_at = v->clock;
        ob_notify("WATCHDOG=1");
}

/* Milliseconds of processor time that all threads have used. */
static int64_t used_ms(void)
{
        struct timespec used = { .tv_sec = 0 };

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        return used.tv_sec * INT64_C(1000) + used.tv_nsec / 1000000;
}

static void *task(void *arg)
{
        struct ob_supervise *s = arg;
        int64_t every = ob_notify_watchdog_ms() / BEATS, used = used_ms();

        while (!ob_stop_wait(&s->over, ob_clock_ms() + every)) {
                bool has_moved = used_ms() - used >= MOVED_MS;

                used = used_ms();
                if (has_moved || ob_clock_ms() < s->fed_until)
                        ob_notify("WATCHDOG=1");
        }
        return NULL;
}

void ob_supervise_busy(struct ob_supervise *s, int64_t ms)
{
        struct ob_err err;

        if (!ob_notify_watchdog_ms())
                return;
        ob_notify("WATCHDOG=1");
        s->fed_until = ob_clock_ms() + ms;
        ob_stop_init(&s->over);
        if (!ob_thread_start(&s->feeder, task, s, "the watchdog", &err))
                return;
        ob_log(OB_LOG_WARN, "event=watchdog_unfed err=\"%s\"", err.text);
        ob_stop_fini(&s->over);
}

void ob_supervise_idle(struct ob_supervise *s)
{
        if (!s->feeder)
                return;
        ob_stop_want(&s->over, 0);
        pthread_join(s->feeder, NULL);
        ob_stop_fini(&s->over);
        s->feeder = 0;
}

int64_t ob_supervise_wait_ms(void)
{
        int64_t beat = ob_notify_watchdog_ms() / BEATS;

        return beat && beat < WAIT_MS ? beat : WAIT_MS;
}

void ob_supervise_tick(struct ob_supervise *s, const struct ob_status_of *of)
{
        struct ob_view v;

        ob_view_take(&v, of);
        if (ob_notify_is_wanted())
                send_status(s, &v);
        beat(s, &v);
        ob_view_free(&v);
}
