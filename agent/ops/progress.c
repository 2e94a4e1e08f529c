#include "agent/ops/progress.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/terminal.h"
#include "agent/process/thread.h"
#include "proto/date.h"
#include "proto/memory.h"

#define DRAW_MS     500
#define RATE_MS     2000 /* the shortest time that a rate is computed over */
#define COLUMNS     80   /* the width of a terminal that does not say its width */
#define NEVER_BEGUN INT64_MIN

struct ob_progress {
        struct ob_progress_of of;
        struct ob_stop over;
        pthread_t thread;
        int64_t rated_at, rated_rows, rate; /* rows a second */
        int64_t until;                      /* of a replay: where it ends; 0: no replay */
        int64_t first;                      /* of a replay: where it begins, seconds since 1970; NEVER_BEGUN */
        int64_t sent_at;                    /* when all points had been sent, on ob_clock_ms(); 0: not yet */
};

struct sums {
        int64_t rows, sent, behind;
        int64_t read_upto; /* of the source that is furthest behind */
};

static void add(struct sums *s, const struct ob_counters *c)
{
        for (size_t i = 0; i < c->n_sources; i++) {
                int64_t read_upto = c->sources[i].read_upto;

                s->rows += c->sources[i].rows;
                s->read_upto = s->read_upto < read_upto ? s->read_upto : read_upto;
        }
        for (size_t i = 0; i < c->n_sinks; i++) {
                s->sent += c->sinks[i].sent;
                s->behind += c->sinks[i].behind;
        }
}

static struct sums add_up(const struct ob_progress_of *of)
{
        struct sums s = { .read_upto = OB_READ_UPTO_ALL };

        for (size_t i = 0; i < of->n_counters; i++)
                add(&s, of->counters[i]);
        return s;
}

/* For a replay "62 %, at 2020-04-20 00:00:00: ", else "". The caller frees the text. */
static char *how_far(struct ob_progress *p, int64_t read_upto)
{
        const struct ob_start *start = &p->of.config->sources[0].start;
        char date[OB_DATE_MAX];

        if (!p->until || read_upto == OB_READ_UPTO_NOTHING || read_upto == OB_READ_UPTO_ALL)
                return ob_copy("");
        if (p->first == NEVER_BEGUN)
                p->first = start->kind == OB_START_AT ? start->seconds : read_upto;
        return ob_format("%lld %%, at %s: ",
                (long long)(p->until > p->first ? 100 * (read_upto - p->first) / (p->until - p->first) : 0),
                ob_date_format(date, read_upto, ' '));
}

/* For a replay that has sent all points: after the horizon each step is sent once more. */
static char *say_sent(struct ob_progress *p, int64_t now)
{
        int64_t horizon = 0, left;

        if (!p->sent_at)
                p->sent_at = now;
        for (size_t i = 0; i < p->of.config->n_sinks; i++)
                if (horizon < p->of.config->sinks[i].horizon)
                        horizon = p->of.config->sinks[i].horizon;
        left = p->sent_at / 1000 + horizon - now / 1000;
        return ob_format("all is sent, and will be once more in %lld s", (long long)(left > 0 ? left : 0));
}

static void rate(struct ob_progress *p, int64_t now, int64_t rows)
{
        if (now - p->rated_at < RATE_MS)
                return;
        p->rate = (rows - p->rated_rows) * 1000 / (now - p->rated_at);
        p->rated_rows = rows;
        p->rated_at = now;
}

static char *say(struct ob_progress *p)
{
        int64_t now = ob_clock_ms(), deadline = ob_stop_deadline(p->of.stop);
        struct sums s = add_up(&p->of);
        ob_cleanup(ob_free_at) char *far = how_far(p, s.read_upto);

        rate(p, now, s.rows);
        if (deadline != INT64_MAX)
                return ob_format("stopping: %lld points to send, %lld s at most", (long long)s.behind,
                        (long long)(deadline > now ? (deadline - now + 999) / 1000 : 0));
        if (p->until && !*p->of.reading && !s.behind)
                return say_sent(p, now);
        return ob_format("%s%lld rows read, %lld/s; %lld points sent, %lld behind", far, (long long)s.rows,
                (long long)p->rate, (long long)s.sent, (long long)s.behind);
}

void ob_progress_put(int terminal, const char *text)
{
        struct pollfd at = { .fd = terminal, .events = POLLOUT };
        struct winsize size = { .ws_col = 0 };
        ob_cleanup(ob_free_at) char *line = NULL;

        if (ioctl(terminal, TIOCGWINSZ, &size) || !size.ws_col)
                size.ws_col = COLUMNS;
        line = ob_format("%s%.*s", ob_terminal_wipe(terminal), size.ws_col - 1, text);
        if (poll(&at, 1, 0) == 1 && at.revents == POLLOUT && write(terminal, line, strlen(line)) < 0)
                return; /* the terminal is gone */
}

static void *run(void *arg)
{
        struct ob_progress *p = arg;

        while (!ob_stop_wait(&p->over, ob_clock_ms() + DRAW_MS)) {
                ob_cleanup(ob_free_at) char *text = say(p);

                ob_progress_put(p->of.terminal, text);
        }
        ob_progress_put(p->of.terminal, "");
        return NULL;
}

struct ob_progress *ob_progress_start(const struct ob_progress_of *of)
{
        struct ob_progress *p;
        struct ob_err err;

        if (!of->terminal)
                return NULL;
        p = ob_alloc(1, sizeof(*p));
        *p = (struct ob_progress) { .of = *of, .rated_at = ob_clock_ms(), .first = NEVER_BEGUN };
        p->until = of->config->n_sources ? of->config->sources[0].until : 0;
        ob_stop_init(&p->over);
        if (!ob_thread_start(&p->thread, run, p, "the line of progress", &err))
                return p;
        ob_log(OB_LOG_WARN, "event=progress_failed err=\"%s\"", err.text);
        ob_stop_fini(&p->over);
        free(p);
        return NULL;
}

void ob_progress_stop(struct ob_progress *p)
{
        if (!p)
                return;
        ob_stop_want(&p->over, 0);
        pthread_join(p->thread, NULL);
        ob_stop_fini(&p->over);
        free(p);
}
