#include "agent/source/names.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/stop.h"
#include "agent/process/thread.h"
#include "agent/source/name_store.h"
#include "proto/memory.h"
#include "proto/number.h"

#define FIRST_WAIT_MS 10000 /* for the first reading */
#define ASKED_WAIT_MS 3000  /* for one that was asked for */
#define ASK_EVERY_MS  60000

static void *run(void *arg)
{
        struct ob_names *n = arg;

        pthread_mutex_lock(&n->lock);
        while (!n->is_stopping) {
                struct timespec deadline;
                int64_t due;

                pthread_mutex_unlock(&n->lock);
                due = ob_names_read(n);
                deadline = ob_clock_deadline(due);
                pthread_mutex_lock(&n->lock);
                n->tries++;
                n->is_asked = n->is_settled = false;
                n->may_ask = ob_clock_ms() + ASK_EVERY_MS;
                pthread_cond_broadcast(&n->changed);
                while (!n->is_stopping && !n->is_asked && ob_clock_ms() < due)
                        pthread_cond_timedwait(&n->changed, &n->lock, &deadline);
        }
        pthread_cond_broadcast(&n->changed);
        pthread_mutex_unlock(&n->lock);
        return NULL;
}

int ob_names_start(struct ob_names *n, struct ob_store *kept, struct ob_err *err)
{
        pthread_mutex_init(&n->lock, NULL);
        ob_cond_init(&n->changed);
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                n->read_at[kind] = INT64_MIN;
        n->name = ob_format("%s%sotter.names", n->manager->name, *n->manager->name ? "/" : "");
        ob_session_init(&n->session, &n->manager->mysql, n->stop);
        n->session.turn.turns = n->turns;
        n->store = ob_store_open(n->state_dir, err);
        if (!n->store || ob_name_store_load(kept, n->manager->name, &n->book, err))
                return -1;
        ob_name_table_fill(&n->table, &n->book);
        return ob_thread_start(&n->thread, run, n, n->name, err);
}

void ob_names_stop(struct ob_names *n)
{
        if (n->thread) {
                pthread_mutex_lock(&n->lock);
                n->is_stopping = true;
                pthread_cond_broadcast(&n->changed);
                pthread_mutex_unlock(&n->lock);
                pthread_join(n->thread, NULL);
        }
        ob_session_fini(&n->session);
        ob_store_close(n->store);
        ob_name_table_free(&n->table);
        ob_name_book_free(&n->book);
        pthread_cond_destroy(&n->changed);
        pthread_mutex_destroy(&n->lock);
        free(n->name);
        n->thread = 0;
}

/* Until there was one more try, or `deadline`. Under the lock. */
static void wait_for_try(struct ob_names *n, uint64_t tries, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);

        while (n->tries == tries && !n->is_stopping && ob_clock_ms() < deadline)
                pthread_cond_timedwait(&n->changed, &n->lock, &until);
}

void ob_names_wait(struct ob_names *n)
{
        pthread_mutex_lock(&n->lock);
        wait_for_try(n, 0, ob_clock_ms() + FIRST_WAIT_MS);
        pthread_mutex_unlock(&n->lock);
}

/* Notes that something is told of without a name. Under the lock. */
static void miss(struct ob_names *n, enum ob_named_kind kind, int64_t id)
{
        if (n->read_at[kind] == INT64_MIN) {
                n->was_told[kind] = true;
                return;
        }
        for (size_t i = 0; i < n->n_missed; i++)
                if (n->missed[i].kind == kind && n->missed[i].id == id)
                        return;
        if (n->n_missed == OB_NAMES_MISSED)
                return; /* the names of the others hold from their beginning: only what is told again may differ */
        n->missed[n->n_missed++] = (struct ob_names_missed) { kind, id };
}

/* What is known of an id; NULL: nothing, and that is noted. Somebody new is worth a reading out of turn. */
static const struct ob_name *find(struct ob_names *n, enum ob_named_kind kind, int64_t id, int64_t time)
{
        const struct ob_named *found;
        const struct ob_name *name;

        pthread_mutex_lock(&n->lock);
        found = ob_name_table_find(&n->table, kind, id);
        if (!found && n->is_settled) {
                wait_for_try(n, n->tries, ob_clock_ms() + ASKED_WAIT_MS);
        } else if (!found && n->read_at[kind] != INT64_MIN && ob_clock_ms() >= n->may_ask) {
                n->is_asked = true;
                n->may_ask = INT64_MAX;
                pthread_cond_broadcast(&n->changed);
                wait_for_try(n, n->tries, ob_clock_ms() + ASKED_WAIT_MS);
        }
        found = found ? found : ob_name_table_find(&n->table, kind, id);
        name = found ? ob_named_at(found, time) : NULL;
        if (!found)
                miss(n, kind, id);
        pthread_mutex_unlock(&n->lock);
        return name;
}

static bool read_id(const struct ob_tag *tag, int64_t *id)
{
        return ob_number_parse_int(tag->value, strlen(tag->value), id);
}

static bool has_tag(const struct ob_series *s, const char *key)
{
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!strcmp(s->tags[i].key, key))
                        return true;
        return false;
}

/* Labels that do not fit any more are left out: they only say in words what the ids say. */
static void add_labels(struct ob_series *s, const struct ob_name *name)
{
        for (unsigned i = 0; i < OB_NAME_LABELS; i++) {
                const char *label = ob_name_facts[name->kind].labels[i];

                if (label && *name->texts[i] && s->n_tags < OB_TAGS_MAX && !has_tag(s, label))
                        s->tags[s->n_tags++] = (struct ob_tag) { label, name->texts[i] };
        }
}

/* A pair's node is its own among those of its pipeline only. */
static bool is_unique(const struct ob_series *s, const struct ob_name *name)
{
        int64_t pipeline;

        if (!ob_name_facts[name->kind].is_inside)
                return true;
        for (unsigned i = 0; i < s->n_identity; i++)
                if (ob_name_kind_of(s->tags[i].key) == OB_NAMED_PIPELINE && read_id(&s->tags[i], &pipeline))
                        return pipeline == name->parent;
        return false;
}

void ob_names_add(struct ob_names *n, struct ob_series *s, int64_t time)
{
        unsigned given = n && (n->wants_labels || n->wants_nodes) ? s->n_tags : 0;

        for (unsigned i = 0; i < given; i++) {
                enum ob_named_kind kind = ob_name_kind_of(s->tags[i].key);
                const struct ob_name *name;
                int64_t id;

                if (kind == OB_NAMED_KINDS || !read_id(&s->tags[i], &id))
                        continue;
                name = find(n, kind, id, time);
                if (name && n->wants_labels)
                        add_labels(s, name);
                if (name && n->wants_nodes && i < s->n_identity && *name->node && is_unique(s, name))
                        s->tags[i].node = name->node;
        }
}

enum ob_presence ob_names_presence(struct ob_names *n, int64_t pipeline, int64_t seen)
{
        enum ob_presence presence = OB_PRESENCE_UNKNOWN;
        const struct ob_named *found;

        if (!n)
                return presence;
        pthread_mutex_lock(&n->lock);
        found = ob_name_table_find(&n->table, OB_NAMED_PIPELINE, pipeline);
        if (found && found->is_there)
                presence = OB_PRESENCE_THERE;
        else if (n->read_at[OB_NAMED_PIPELINE] > seen)
                presence = OB_PRESENCE_GONE;
        pthread_mutex_unlock(&n->lock);
        return presence;
}

bool ob_names_next_pipeline(struct ob_names *n, int64_t *pipeline, int64_t *made)
{
        const struct ob_named *next;

        if (!n)
                return false;
        pthread_mutex_lock(&n->lock);
        next = ob_name_table_next(&n->table, OB_NAMED_PIPELINE, *pipeline);
        if (next) {
                *pipeline = next->id;
                *made = next->made;
        }
        pthread_mutex_unlock(&n->lock);
        return next != NULL;
}
