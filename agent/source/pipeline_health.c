#include "agent/source/pipeline_health.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "proto/hash.h"
#include "proto/memory.h"
#include "proto/number.h"

#define SUBJECTS_MAX 10000 /* pipelines, and as many channels: a page without end must not fill the memory */

/* How the number of a series becomes a fact. */
enum manner {
        FOR_NOW,      /* valid until its time ends */
        LASTS,        /* valid until the next number */
        AGE_OF_DATE,  /* the number is a date; the age is valid until its time ends */
        AGE_OF_ALARM, /* the age of a row that reports a timeout */
        LINK,         /* the number is the id of the pipeline's channel */
};

struct ob_fact_source {
        const char *series;
        enum ob_fact fact;
        enum manner manner;
        bool is_channel; /* a fact about a channel, not about a pipeline */
};

static const struct ob_fact_source fact_sources[] = {
        { "delay_ms", OB_FACT_DELAY, LASTS },
        { "delay_age_s", OB_FACT_DELAY_AGE, FOR_NOW },
        { "throughput_age_s", OB_FACT_THROUGHPUT_AGE, FOR_NOW },
        { "log.records", OB_FACT_ALARM_AGE, AGE_OF_ALARM },
        { "last_sync", OB_FACT_SYNC_AGE, AGE_OF_DATE },
        { "last_position", OB_FACT_POSITION_AGE, AGE_OF_DATE },
        { "mainstem_state", OB_FACT_MAINSTEM, LASTS },
        { "in_flight", OB_FACT_IN_FLIGHT, FOR_NOW },
        { "binlog_lag_ms", OB_FACT_BINLOG_LAG, FOR_NOW },
        { "channel", OB_FACT_CHANNEL, LINK },
        { "channel_state", OB_FACT_CHANNEL, LASTS, true },
};

/* Facts that grow with time. */
static const bool is_age[OB_FACTS] = { [OB_FACT_DELAY_AGE] = true,
        [OB_FACT_THROUGHPUT_AGE] = true,
        [OB_FACT_ALARM_AGE] = true,
        [OB_FACT_SYNC_AGE] = true,
        [OB_FACT_POSITION_AGE] = true };

struct seen {
        bool is_known;
        int64_t value;
        int64_t time;  /* of the row: an older row changes nothing */
        int64_t at;    /* on ob_clock_ms() */
        int64_t until; /* on ob_clock_ms(); INT64_MAX: no end */
};

/* A pipeline, or a channel, which has only OB_FACT_CHANNEL. */
struct ob_health_subject {
        UT_hash_handle hh;
        char *id; /* ours */
        struct seen seen[OB_FACTS];
        enum ob_state state;     /* as reported; OB_STATES: none */
        enum ob_state evaluated; /* the state of the last evaluation */
        int64_t evaluated_since; /* on ob_clock_ms() */
        int64_t told_at;         /* on ob_clock_ms(): when `state` began */
        char why[OB_WHY_MAX];    /* the reason for `state` */
        char channel[24];        /* the id of the pipeline's channel; "": unknown */
};

/* The facts of a pipeline at one moment. */
struct copy {
        struct ob_health_subject *subject; /* subjects are only freed after all threads have ended */
        struct ob_facts facts;
        bool is_gone;
};

struct ob_pipeline_health {
        pthread_mutex_t lock;
        const struct ob_health_settings *settings;
        struct ob_health_subject *pipelines, *channels; /* ours */
        bool is_full;      /* a pipeline or channel was left out, and this was logged */
        int64_t listed_at; /* ob_clock_ms() when the pages last listed all pipelines; 0: never */

        /* Used without the lock by the thread that evaluates. */
        struct copy *copies;               /* ours */
        struct ob_evaluation *evaluations; /* ours */
        size_t n, room, room_evaluations;
};

struct ob_pipeline_health *ob_pipeline_health_new(const struct ob_health_settings *settings)
{
        struct ob_pipeline_health *s = ob_alloc(1, sizeof(*s));

        pthread_mutex_init(&s->lock, NULL);
        s->settings = settings;
        return s;
}

static void free_subject(struct ob_health_subject *one)
{
        free(one->id);
        free(one);
}

void ob_pipeline_health_free(struct ob_pipeline_health *s)
{
        if (!s)
                return;
        OB_HASH_FREE_ALL(s->pipelines, free_subject);
        OB_HASH_FREE_ALL(s->channels, free_subject);
        free(s->copies);
        free(s->evaluations);
        pthread_mutex_destroy(&s->lock);
        free(s);
}

const struct ob_fact_source *ob_fact_source_find(const char *name)
{
        for (size_t i = 0; name && i < sizeof(fact_sources) / sizeof(*fact_sources); i++)
                if (!strcmp(fact_sources[i].series, name))
                        return &fact_sources[i];
        return NULL;
}

bool ob_fact_source_lists(const struct ob_fact_source *fact_source)
{
        return fact_source && fact_source->fact == OB_FACT_MAINSTEM;
}

static const char *find_tag(const struct ob_series *series, const char *key)
{
        for (unsigned i = 0; i < series->n_tags; i++)
                if (!strcmp(series->tags[i].key, key))
                        return series->tags[i].value;
        return NULL;
}

/* Titles in LOG_RECORD that report a timeout, see MonitorName in Otter. */
static bool is_alarm(const struct ob_series *series)
{
        const char *title = find_tag(series, "title");

        return title && (!strcmp(title, "pipelinetimeout") || !strcmp(title, "processtimeout") ||
                                !strcmp(title, "positiontimeout"));
}

/* NULL: the subject is not known, and there are too many to add it. */
static struct ob_health_subject *find(struct ob_health_subject **all, const char *id)
{
        struct ob_health_subject *one;
        size_t length = strlen(id);

        HASH_FIND(hh, *all, id, length, one);
        if (one || HASH_COUNT(*all) == SUBJECTS_MAX)
                return one;
        one = ob_alloc(1, sizeof(*one));
        one->id = ob_copy(id);
        one->state = one->evaluated = OB_STATES;
        HASH_ADD_KEYPTR(hh, *all, one->id, length, one);
        return one;
}

static void note(
        struct ob_health_subject *one, const struct ob_fact_source *fact_source, const struct ob_sighting *at)
{
        struct seen *seen = &one->seen[fact_source->fact];

        if (seen->is_known && ob_sighting_is_old(at, seen->time))
                return;
        *seen = (struct seen) { true, at->value, at->time, at->now, INT64_MAX };
        if (fact_source->manner == AGE_OF_ALARM)
                seen->value = ob_number_minus(at->clock, at->time);
        if (fact_source->manner == AGE_OF_DATE)
                seen->value = ob_number_minus(at->clock, at->value);
        if (fact_source->manner == FOR_NOW || fact_source->manner == AGE_OF_DATE)
                seen->until = at->now + at->valid;
}

struct ob_health_subject *ob_pipeline_health_subject(
        struct ob_pipeline_health *s, const struct ob_fact_source *fact_source, const struct ob_series *series)
{
        const char *id = find_tag(series, fact_source->is_channel ? "channel" : "pipeline");
        struct ob_health_subject *one;
        bool is_news;

        if (!id || !strcmp(id, "none") || (fact_source->manner == AGE_OF_ALARM && !is_alarm(series)))
                return NULL;
        pthread_mutex_lock(&s->lock);
        one = find(fact_source->is_channel ? &s->channels : &s->pipelines, id);
        is_news = !one && ob_log_change(&s->is_full, true);
        pthread_mutex_unlock(&s->lock);
        if (is_news) {
                const char *manager = find_tag(series, "manager");

                ob_log(OB_LOG_WARN,
                        "event=health_full manager=%s first_left_out=%.40s why=\"the pages or tables of this manager "
                        "name more than %d pipelines or channels; further ones have no state until the next start\"",
                        manager ? manager : "", id, SUBJECTS_MAX);
        }
        return one;
}

void ob_pipeline_health_note(struct ob_pipeline_health *s, struct ob_health_subject *subject,
        const struct ob_fact_source *fact_source, const struct ob_sighting *at)
{
        if (!subject)
                return;
        pthread_mutex_lock(&s->lock);
        if (fact_source->manner == LINK)
                snprintf(subject->channel, sizeof(subject->channel), "%" PRId64, at->value);
        else
                note(subject, fact_source, at);
        pthread_mutex_unlock(&s->lock);
}

static void take_facts(const struct ob_health_subject *one, int64_t now, struct ob_facts *f)
{
        for (int i = 0; i < OB_FACTS; i++) {
                const struct seen *seen = &one->seen[i];

                if (!seen->is_known || now > seen->until)
                        continue;
                f->has[i] = true;
                f->value[i] = ob_number_plus(seen->value, is_age[i] ? (now - seen->at) / 1000 : 0);
        }
}

void ob_pipeline_health_list_is_whole(struct ob_pipeline_health *s, int64_t now)
{
        pthread_mutex_lock(&s->lock);
        s->listed_at = now;
        pthread_mutex_unlock(&s->lock);
}

/* True: the pages list all other pipelines, so this one was deleted, although it still has rows. */
static bool is_gone(const struct ob_pipeline_health *s, const struct ob_health_subject *one)
{
        return s->listed_at > one->seen[OB_FACT_MAINSTEM].at;
}

/* Copies the facts of every pipeline, so that no rule is evaluated under the lock. */
static void copy_facts(struct ob_pipeline_health *s, int64_t now)
{
        struct ob_health_subject *one, *next, *channel;

        s->n = 0;
        pthread_mutex_lock(&s->lock);
        s->copies = ob_grow(s->copies, &s->room, HASH_COUNT(s->pipelines), sizeof(*s->copies));
        HASH_ITER (hh, s->pipelines, one, next) {
                struct copy *c = &s->copies[s->n++];

                *c = (struct copy) { .subject = one, .is_gone = is_gone(s, one) };
                HASH_FIND_STR(s->channels, one->channel, channel);
                if (channel)
                        take_facts(channel, now, &c->facts);
                take_facts(one, now, &c->facts);
        }
        pthread_mutex_unlock(&s->lock);
}

/*
 * A state, also the first one, is reported when it has lasted for `hold` seconds. Only this thread writes the
 * evaluated states; the lock protects threads that list them.
 */
static void evaluate(struct ob_pipeline_health *s, struct copy *c, int64_t now, struct ob_evaluation *v)
{
        struct ob_health_subject *one = c->subject;
        enum ob_state state = OB_STATES;

        ob_facts_conclude(&c->facts);
        if (!c->is_gone)
                state = ob_health_rules_evaluate(&c->facts, s->settings, one->state, v->why);
        pthread_mutex_lock(&s->lock);
        if (state != one->evaluated)
                one->evaluated_since = now;
        one->evaluated = state;
        if (state != one->state && now - one->evaluated_since >= s->settings->hold * INT64_C(1000)) {
                one->state = state;
                one->told_at = now;
        }
        if (state == one->state)
                memcpy(one->why, v->why, sizeof(one->why));
        else
                memcpy(v->why, one->why, sizeof(v->why));
        pthread_mutex_unlock(&s->lock);
        v->pipeline = one->id;
        v->state = state == OB_STATES ? OB_STATES : one->state;
}

const struct ob_evaluation *ob_pipeline_health_evaluate(struct ob_pipeline_health *s, int64_t now, size_t *n)
{
        *n = 0;
        copy_facts(s, now);
        s->evaluations = ob_grow(s->evaluations, &s->room_evaluations, s->n, sizeof(*s->evaluations));
        for (size_t i = 0; i < s->n; i++) {
                s->evaluations[*n].why[0] = '\0';
                evaluate(s, &s->copies[i], now, &s->evaluations[*n]);
                *n += s->evaluations[*n].state != OB_STATES;
        }
        return s->evaluations;
}

static size_t count(struct ob_pipeline_health *s)
{
        size_t n;

        pthread_mutex_lock(&s->lock);
        n = HASH_COUNT(s->pipelines);
        pthread_mutex_unlock(&s->lock);
        return n;
}

/* Leaves out pipelines that are added between counting and copying. */
struct ob_pipeline *ob_pipeline_health_list(struct ob_pipeline_health *s, size_t *n)
{
        size_t room = count(s);
        struct ob_pipeline *all = ob_alloc(room, sizeof(*all));
        struct ob_health_subject *one, *next;

        *n = 0;
        pthread_mutex_lock(&s->lock);
        HASH_ITER (hh, s->pipelines, one, next) {
                struct ob_pipeline *p = &all[*n];

                if (*n == room || one->evaluated == OB_STATES || one->state == OB_STATES)
                        continue;
                snprintf(p->id, sizeof(p->id), "%s", one->id);
                memcpy(p->why, one->why, sizeof(p->why));
                p->state = one->state;
                p->since = one->told_at;
                (*n)++;
        }
        pthread_mutex_unlock(&s->lock);
        return all;
}
