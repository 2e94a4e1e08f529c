/*
 * Sends events to graphite-web, which stores an event twice if it comes twice. So the position in a batch is
 * committed after each event: a crash repeats at most the event that was on its way, and so may a request without
 * an answer. Points are skipped. A late commit after batches without events only costs reading them again.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sink/dry_run.h"
#include "agent/sink/event_post.h"
#include "agent/sink/sink.h"
#include "proto/batch.h"
#include "proto/dogstatsd.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/utf8.h"

#define LOOKED_MAX 64  /* batches without an event between two commits */
#define TRIES_MAX  10  /* an event is dropped after so many error answers */
#define TAG_MAX    50  /* bytes: django-tagging's limit, in characters */
#define TAGS_MAX   255 /* bytes of the column that holds all tags */

struct events {
        struct ob_event_post post;
        struct ob_stored_batch batch;
        struct ob_batch_reader reader; /* of the batch's events */
        bool is_loaded;
        bool has_event; /* `event` is valid */
        struct ob_event event;
        uint64_t skip;   /* events of the next batch that an earlier run sent */
        uint64_t told;   /* events of the loaded batch that are done */
        int64_t brought; /* points of the loaded batch that count for this run */
        unsigned looked, tries;
};

/* Blanks and commas separate tags, and quotes join words. */
static bool is_tag_char(char c)
{
        return c > ' ' && c < 0x7f && c != ',' && c != '"' && c != '\'';
}

static void add_tag(json_t *tags, size_t *length, const char *key, const char *value)
{
        char room[TAG_MAX];
        struct ob_text tag = ob_text_over(room, sizeof(room));

        ob_text_add_mapped(&tag, key, is_tag_char);
        if (*key && value)
                ob_text_add_char(&tag, ':');
        if (value)
                ob_text_add_mapped(&tag, value, is_tag_char); /* a longer value is cut */
        if (!tag.length || *length + tag.length + 1 > TAGS_MAX)
                return;
        *length += tag.length + 1;
        json_array_append_new(tags, json_stringn(room, tag.length));
}

static json_t *make_tags(const struct ob_sink *s, const struct ob_event *e)
{
        json_t *tags = json_array();
        size_t length = 0;

        add_tag(tags, &length, ob_name_mark(s->prefix), NULL);
        add_tag(tags, &length, e->kind, NULL);
        add_tag(tags, &length, ob_dog_alerts[e->alert], NULL);
        for (unsigned i = 0; i < e->n_tags; i++)
                if (*e->tags[i].value)
                        add_tag(tags, &length, e->tags[i].key, e->tags[i].value);
        for (unsigned i = 0; i < s->settings->n_tags; i++)
                add_tag(tags, &length, s->settings->tags[i].key, s->settings->tags[i].value);
        return tags;
}

/* A text as a JSON string of valid UTF-8. */
static json_t *make_text(const char *text, size_t most)
{
        ob_cleanup(ob_free_at) char *room = ob_alloc(most, 1);
        struct ob_text clean = ob_text_over(room, most);

        ob_utf8_add(&clean, text, most);
        return json_stringn(room, clean.length);
}

/* Returns the request's body, which the caller frees. */
static char *make_body(const struct ob_sink *s, const struct ob_event *e)
{
        json_t *body = json_pack("{s:o, s:o, s:I, s:o}", "what", make_text(e->title, OB_EVENT_TITLE_MAX), "tags",
                make_tags(s, e), "when", (json_int_t)e->time, "data", make_text(e->text, OB_EVENT_TEXT_MAX));
        char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        char *line;

        json_decref(body);
        if (!text)
                abort(); /* no memory */
        line = ob_format("%s\n", text);
        free(text);
        return line;
}

static void pass_event(struct events *ev)
{
        ev->has_event = false;
        ev->told++;
        ev->tries = 0;
}

static int commit(struct ob_sink *s, struct events *ev, struct ob_err *err)
{
        s->delivery.sent_upto = s->delivery.acked;
        s->delivery.saved_state.length = 0;
        if (ev->told)
                ob_bytes_add_unsigned(&s->delivery.saved_state, ev->told);
        ev->looked = 0;
        return ob_sink_commit(s, err);
}

static int start_events(struct ob_sink *s, struct ob_err *err)
{
        struct events *ev = ob_alloc(1, sizeof(*ev));
        struct ob_bytes_reader saved_state = { s->delivery.saved_state.data,
                s->delivery.saved_state.data + s->delivery.saved_state.length };

        (void)err;
        s->state = ev;
        ev->post = (struct ob_event_post) { .base = s->settings->url, .stop = s->stop, .permit = s->permit };
        if (s->delivery.saved_state.length)
                ob_bytes_read_unsigned(&saved_state, &ev->skip);
        ev->told = ev->skip; /* until the batch is loaded */
        s->delivery.sent_upto = s->delivery.acked;
        return 0;
}

static void pass_batch(struct ob_sink *s, struct events *ev)
{
        s->delivery.acked = ev->batch.seq;
        s->counters->behind -= ev->brought;
        ev->is_loaded = false;
        ev->told = 0;
        ev->looked++;
}

static enum ob_step load(struct ob_sink *s, struct events *ev, struct ob_err *err)
{
        int got = ob_queue_next(s->queue, s->store, s->delivery.acked, &ev->batch, err);
        struct ob_event ignored;
        int64_t others;

        if (got < 1)
                return got ? OB_STEP_FAILED : OB_STEP_IDLE;
        if (!ob_stored_batch_open_events(&ev->batch, &ev->reader)) {
                ob_sink_lose(s, OB_LOSS_CORRUPT, ev->batch.points, "");
                ev->reader.n_events = 0;
        } else {
                others = (int64_t)ev->batch.points - ev->reader.n_events;
                ob_sink_sent(s, 0, others > 0 ? others : 0);
        }
        for (ev->told = 0; ev->told < ev->skip && ob_batch_next_event(&ev->reader, &ignored) == 1;)
                ev->told++;
        /* Events that an earlier run sent do not count for this run. */
        ev->brought = ev->batch.points - (int64_t)ev->told;
        s->counters->points -= (int64_t)ev->told;
        s->counters->behind -= (int64_t)ev->told;
        ev->skip = 0;
        ev->has_event = false;
        ev->is_loaded = true;
        return OB_STEP_BUSY;
}

/* Makes `event` the next event to send. False: the batch has no more. */
static bool find_event(struct ob_sink *s, struct events *ev)
{
        while (!ev->has_event && ob_batch_next_event(&ev->reader, &ev->event) == 1) {
                ev->has_event = true;
                if (*ev->event.title)
                        break;
                ob_sink_sent(s, 0, 1); /* the event is only a service check */
                pass_event(ev);
        }
        return ev->has_event;
}

/* An event that the server refuses, or fails to store TRIES_MAX times, must not block the others. */
static bool must_drop(struct events *ev)
{
        ev->tries += ev->post.is_answered;
        return ev->post.is_refused || ev->tries >= TRIES_MAX;
}

static int send_event(struct ob_sink *s, const char *body, struct ob_err *err)
{
        struct events *ev = s->state;

        return s->is_dry ? ob_dry_run_print("graphite POST /events/", body, strlen(body), s->stop, err)
                         : ob_event_post_send(&ev->post, body, strlen(body), err);
}

static enum ob_step tell(struct ob_sink *s, struct events *ev, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *body = NULL;

        if (ob_sink_connect(s, err))
                return OB_STEP_FAILED;
        body = make_body(s, &ev->event);
        if (!send_event(s, body, err))
                ob_sink_sent(s, 1, 0);
        else if (must_drop(ev))
                ob_sink_lose(s, OB_LOSS_REFUSED, 1, ev->event.kind);
        else
                return OB_STEP_FAILED;
        pass_event(ev);
        return commit(s, ev, err) ? OB_STEP_FAILED : OB_STEP_BUSY;
}

static enum ob_step step_events(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct events *ev = s->state;
        enum ob_step did;

        (void)wake;
        if (!ev->is_loaded) {
                did = load(s, ev, err);
                if (did == OB_STEP_IDLE && ev->looked && commit(s, ev, err))
                        return OB_STEP_FAILED;
                if (did != OB_STEP_BUSY)
                        return did;
        }
        if (find_event(s, ev))
                return tell(s, ev, err);
        pass_batch(s, ev);
        if (ev->looked >= LOOKED_MAX && commit(s, ev, err))
                return OB_STEP_FAILED;
        return OB_STEP_BUSY;
}

static int connect_events(struct ob_sink *s, struct ob_err *err)
{
        struct events *ev = s->state;

        return ob_event_post_connect(&ev->post, err);
}

static bool disconnect_events(struct ob_sink *s)
{
        struct events *ev = s->state;
        bool was_open = ev->post.http.curl;

        ob_event_post_close(&ev->post);
        return was_open;
}

static int drop_oldest_events(struct ob_sink *s, int64_t last, int64_t bytes, struct ob_err *err)
{
        struct events *ev = s->state;

        while (bytes > 0 && s->delivery.acked < last) {
                enum ob_step did = ev->is_loaded ? OB_STEP_BUSY : load(s, ev, err);

                if (did != OB_STEP_BUSY)
                        return did == OB_STEP_FAILED ? -1 : 0;
                while (find_event(s, ev)) {
                        ob_sink_lose(s, OB_LOSS_QUEUE, 1, ev->event.kind);
                        pass_event(ev);
                }
                bytes -= ev->batch.bytes;
                pass_batch(s, ev);
        }
        s->delivery.sent_upto = s->delivery.acked;
        s->delivery.saved_state.length = 0;
        return 0;
}

static int stop_events(struct ob_sink *s, struct ob_err *err)
{
        struct events *ev = s->state;

        if (ev->is_loaded) /* only unsent events stay in `behind` */
                s->counters->behind -= ev->brought - ((int64_t)ev->reader.n_events - (int64_t)ev->told);
        return commit(s, s->state, err);
}

static void free_events(struct ob_sink *s)
{
        struct events *ev = s->state;

        if (!ev)
                return;
        ob_stored_batch_free(&ev->batch);
        free(ev);
        s->state = NULL;
}

static int divide_events(const struct ob_sink_settings *s, const struct ob_sink_part *part,
        struct ob_delivery *delivery, struct ob_err *err)
{
        (void)s;
        (void)err;
        if (!part->has_next)
                delivery->saved_state.length = 0;
        return 0;
}

static bool has_begun_events(const struct ob_bytes *saved)
{
        return saved->length;
}

/* At most one of the two has begun a batch. */
static int unite_events(
        const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more, struct ob_err *err)
{
        (void)s;
        (void)err;
        if (more->length)
                saved->length = 0;
        ob_bytes_add(saved, more->data, more->length);
        return 0;
}

const struct ob_sink_ops ob_sink_events = {
        .start = start_events,
        .step = step_events,
        .connect = connect_events,
        .disconnect = disconnect_events,
        .drop_oldest = drop_oldest_events,
        .stop = stop_events,
        .free = free_events,
        .divide = divide_events,
        .unite = unite_events,
        .has_begun = has_begun_events,
};
