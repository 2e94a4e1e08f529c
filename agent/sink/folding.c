#include "agent/sink/folding.h"

#include <string.h>

#include "agent/process/clock.h"
#include "proto/batch.h"
#include "proto/graphite.h"
#include "proto/name.h"

#define PATH_ROOM    4096
#define PASSED_LEAST 60 /* seconds */
#define PASSED_MOST  600

/* Carbon accepts any time. A point far in the future would overwrite old points and close all earlier steps. */
static bool is_in_carbons_world(const struct ob_sink *s, int64_t time, int64_t made)
{
        int64_t max_age = s->settings->max_age;

        return time > 0 && time <= made + OB_CLOCK_STEP && (!max_age || time >= made - max_age);
}

static void ignore(void *ctx, const struct ob_fold_value *v)
{
        (void)ctx;
        (void)v;
}

struct ob_fold *ob_folding_read(
        const struct ob_sink_settings *s, const struct ob_bytes_reader *saved, struct ob_err *err)
{
        struct ob_fold *fold = ob_fold_new(s->step, 0, ignore, NULL);

        if (ob_fold_read(fold, saved->at, (size_t)(saved->end - saved->at)))
                return fold;
        ob_fold_free(fold);
        ob_fail(err, "the steps that sink %s has begun do not fit the config: set the former step again", s->name);
        return NULL;
}

void ob_folding_name(const struct ob_sink *s, struct ob_text *path, const struct ob_series *series)
{
        if (s->settings->tagged)
                ob_name_tagged_with(path, s->prefix, series, s->settings->tags, s->settings->n_tags);
        else if (s->settings->path == OB_PATH_NAMES)
                ob_name_dotted_by_nodes(path, s->prefix, series);
        else
                ob_name_dotted(path, s->prefix, series);
}

/* The series in the fold; NULL when carbon cannot store its path. */
static struct ob_fold_series *find_series(struct ob_sink *s, struct ob_fold *f, const struct ob_series *series)
{
        struct ob_fold_series *found = series->id ? ob_fold_find_noted(f, series->id) : NULL;
        char path[PATH_ROOM];
        struct ob_text text = ob_text_over(path, sizeof(path));

        if (found)
                return found;
        ob_folding_name(s, &text, series);
        if (text.too_long || !ob_graphite_path_is_storable(path, text.length))
                return NULL;
        found = ob_fold_find(f, path, text.length);
        if (series->id)
                ob_fold_note(f, series->id, found);
        return found;
}

struct folding {
        struct ob_sink *s;
        struct ob_fold *fold;
        bool is_counted; /* the batch was not counted before */
        struct ob_folding *counts;
        struct ob_batch_reader reader;
        struct ob_fold_series *found[OB_BATCH_POINTS]; /* by number in the batch */
        bool is_looked_up[OB_BATCH_POINTS];
};

struct meant {
        const struct ob_sink *s;
        const struct ob_series *series;
};

static bool is_meant(void *ctx, const char *path)
{
        const struct meant *m = ctx;

        return (m->s->settings->tagged ? ob_name_is_tagged_of : ob_name_is_dotted_of)(
                path, m->s->prefix, m->series);
}

static void forget_series(struct folding *f, const struct ob_series *series)
{
        struct meant meant = { f->s, series };

        ob_fold_forget(f->fold, is_meant, &meant);
        memset(f->is_looked_up, 0, sizeof(f->is_looked_up));
        f->counts->obeyed += f->is_counted;
}

static void refuse(struct folding *f, enum ob_loss why, int64_t points, const char *name)
{
        if (!f->is_counted)
                return;
        if (!f->counts->lost[why])
                f->counts->first[why] = name;
        f->counts->lost[why] += points;
}

/* Whether a value that is sent again counts again. */
static bool is_appending(const struct ob_sink *s)
{
        return s->settings->receiver == OB_RECEIVER_APPEND && !s->collect;
}

static void add_to_fold(struct folding *f, const struct ob_metric *m, unsigned series)
{
        enum ob_fold_got got = ob_fold_add(f->fold, f->found[series], m, f->is_counted);

        if (got == OB_FOLD_LATE && is_appending(f->s)) {
                refuse(f, OB_LOSS_MOVED, 1, m->series->name);
                got = ob_fold_add_late(f->fold, f->found[series], m);
        }
        switch (got) {
        case OB_FOLD_LATE:
                refuse(f, OB_LOSS_LATE, 1, m->series->name);
                break;
        case OB_FOLD_CLAMPED:
                ob_sink_log_clamped(&f->s->clamped, f->s->settings->name, f->s->prefix, m->series);
                break;
        case OB_FOLD_ADDED:
                break;
        }
}

/* A repeated point would count twice; a counter's amount may be in the totals alone. */
static bool is_left_out(const struct ob_sink *s, const struct ob_series *series)
{
        if (series->deliver_to != OB_TO_ALL && is_appending(s))
                return true;
        return series->deliver_to != OB_TO_FORGET && series->kind == OB_COUNTER &&
               (s->settings->counters == OB_COUNTERS_GAUGE || s->settings->counters == OB_COUNTERS_NONE);
}

static void fold_metric(struct folding *f, const struct ob_metric *m, unsigned series)
{
        if (is_left_out(f->s, m->series)) {
                f->counts->obeyed += f->is_counted;
                return;
        }
        if (m->series->deliver_to == OB_TO_FORGET) {
                forget_series(f, m->series);
                return;
        }
        if (!f->is_looked_up[series]) {
                f->found[series] = find_series(f->s, f->fold, m->series);
                f->is_looked_up[series] = true;
        }
        if (!f->found[series])
                refuse(f, OB_LOSS_NAME, 1, m->series->name);
        else if (!is_in_carbons_world(f->s, m->time, f->reader.made))
                refuse(f, OB_LOSS_TIME, 1, m->series->name);
        else
                add_to_fold(f, m, series);
}

void ob_folding_add(
        struct ob_sink *s, const struct ob_stored_batch *batch, struct ob_fold *fold, struct ob_folding *counts)
{
        struct folding f = {
                .s = s, .fold = fold, .is_counted = batch->seq > s->delivery.sent_upto, .counts = counts
        };
        struct ob_metric m;
        unsigned series, done = 0;
        int got = -1;

        *counts = (struct ob_folding) { .obeyed = 0 };
        if (ob_stored_batch_open(batch, &f.reader))
                for (; (got = ob_batch_next(&f.reader, &m, &series)) == 1; done++)
                        fold_metric(&f, &m, series);
        if (!got && f.is_counted) /* events are not for this sink */
                counts->obeyed += f.reader.n_events;
        if (got < 0)
                refuse(&f, OB_LOSS_CORRUPT, batch->points - done, "");
        ob_batch_close(&f.reader);
}

void ob_folding_count(struct ob_sink *s, const struct ob_folding *f)
{
        for (size_t i = 0; i < OB_LOSSES; i++)
                ob_sink_lose(s, (enum ob_loss)i, f->lost[i], f->first[i]);
        ob_sink_sent(s, 0, f->obeyed);
}

int64_t ob_folding_passed(int64_t *told)
{
        int64_t passed = (ob_clock_ms() - *told) / 1000;

        if (passed < PASSED_LEAST)
                return 0;
        *told += passed * 1000;
        return passed < PASSED_MOST ? passed : PASSED_MOST;
}
