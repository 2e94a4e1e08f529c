#include "agent/source/names/names.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/names/name_store.h"
#include "proto/memory.h"
#include "proto/number.h"

#define FIRST_WAIT_MS 10000
#define LOOK_MS       20 /* from look to look while waiting */

int ob_names_open(struct ob_names *n, struct ob_store *stored, struct ob_err *err)
{
        pthread_mutex_init(&n->lock, NULL);
        n->name = ob_format("%s%sotter.names", n->manager->name, *n->manager->name ? "/" : "");
        n->newest = ob_alloc(1, sizeof(*n->newest));
        *n->newest = (struct ob_names_snapshot) { .names = n, .pipelines_read_at = INT64_MIN, .users = 1 };
        if (ob_name_store_load(stored, n->manager->name, &n->book, err))
                return -1;
        ob_name_table_fill(&n->newest->table, &n->book);
        return 0;
}

static void free_snapshot(struct ob_names_snapshot *s)
{
        ob_name_table_free(&s->table);
        free(s);
}

void ob_names_close(struct ob_names *n)
{
        free_snapshot(n->newest);
        ob_name_book_free(&n->book);
        pthread_mutex_destroy(&n->lock);
        free(n->name);
}

/* Whether a worker may begin. One that waits no longer decides so under the lock: see `is_in_use`. */
static bool may_begin(struct ob_names *n, int64_t deadline)
{
        bool may;

        pthread_mutex_lock(&n->lock);
        n->is_in_use |= ob_clock_ms() >= deadline && !n->is_publishing;
        may = n->is_in_use;
        pthread_mutex_unlock(&n->lock);
        return may;
}

void ob_names_wait(struct ob_names *n)
{
        int64_t deadline = ob_clock_ms() + FIRST_WAIT_MS;

        while (!may_begin(n, deadline) && !ob_stop_wait(n->stop, ob_clock_ms() + LOOK_MS))
                ;
}

const struct ob_names_snapshot *ob_names_take(struct ob_names *n)
{
        struct ob_names_snapshot *s;

        if (!n)
                return NULL;
        pthread_mutex_lock(&n->lock);
        s = n->newest;
        s->users++;
        pthread_mutex_unlock(&n->lock);
        return s;
}

/* Under the lock. True: nobody uses the snapshot any more. */
static bool leave(struct ob_names_snapshot *s)
{
        return !--s->users;
}

void ob_names_release(const struct ob_names_snapshot *s)
{
        struct ob_names_snapshot *ours = (struct ob_names_snapshot *)s; /* const for readers, all but `users` */
        bool is_last;

        if (!s)
                return;
        pthread_mutex_lock(&s->names->lock);
        is_last = leave(ours);
        pthread_mutex_unlock(&s->names->lock);
        if (is_last)
                free_snapshot(ours);
}

void ob_names_publish(struct ob_names *n, struct ob_names_snapshot *s)
{
        const struct ob_names_snapshot *old;

        s->users = 1;
        pthread_mutex_lock(&n->lock);
        s->version = ++n->version;
        old = n->newest;
        n->newest = s;
        pthread_mutex_unlock(&n->lock);
        ob_names_release(old);
}

/* The name of an id at a time; NULL: there is none. Raises `*since` to the time of the newest name. */
static const struct ob_name *find(
        const struct ob_names_snapshot *s, enum ob_named_kind kind, int64_t id, int64_t time, int64_t *since)
{
        const struct ob_named *found = ob_name_table_find(&s->table, kind, id);

        if (!found && ob_name_table_is_new(&s->table, kind, id))
                s->names->has_met_new_id = true;
        if (found && found->newest && *since < found->newest->since)
                *since = found->newest->since;
        return found ? ob_named_at(found, time) : NULL;
}

static bool read_id(const struct ob_tag *tag, int64_t *id)
{
        return ob_number_parse_int(tag->value, id);
}

static bool has_tag(const struct ob_series *s, const char *key)
{
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!strcmp(s->tags[i].key, key))
                        return true;
        return false;
}

/* Labels for which there is no room are left out: a label says in words what the id says. */
static void add_labels(struct ob_series *s, const struct ob_name *name)
{
        for (unsigned i = 0; i < OB_NAME_LABELS; i++) {
                const char *label = ob_name_facts[name->kind].labels[i];

                if (label && *name->texts[i] && s->n_tags < OB_TAGS_MAX && !has_tag(s, label))
                        s->tags[s->n_tags++] = (struct ob_tag) { label, name->texts[i] };
        }
}

/* The node of a pair is unique only among the pairs of its pipeline. */
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

uint64_t ob_names_version(const struct ob_names_snapshot *s)
{
        return s ? s->version : 0;
}

int64_t ob_names_add(const struct ob_names_snapshot *s, struct ob_series *series, int64_t time)
{
        const struct ob_names *n = s ? s->names : NULL;
        unsigned given = n && (n->wants_labels || n->wants_nodes) ? series->n_tags : 0;
        int64_t since = INT64_MIN;

        for (unsigned i = 0; i < given; i++) {
                enum ob_named_kind kind = ob_name_kind_of(series->tags[i].key);
                const struct ob_name *name;
                int64_t id;

                if (kind == OB_NAMED_KINDS || !read_id(&series->tags[i], &id))
                        continue;
                name = find(s, kind, id, time, &since);
                if (name && n->wants_labels)
                        add_labels(series, name);
                if (name && n->wants_nodes && i < series->n_identity && *name->node && is_unique(series, name))
                        series->tags[i].node = name->node;
        }
        return since;
}

enum ob_presence ob_names_presence(const struct ob_names_snapshot *s, int64_t pipeline, int64_t seen)
{
        const struct ob_named *found = s ? ob_name_table_find(&s->table, OB_NAMED_PIPELINE, pipeline) : NULL;

        if (found && found->is_there)
                return OB_PRESENCE_THERE;
        return s && s->pipelines_read_at > seen ? OB_PRESENCE_GONE : OB_PRESENCE_UNKNOWN;
}

bool ob_names_next_pipeline(const struct ob_names_snapshot *s, int64_t *pipeline, int64_t *made)
{
        const struct ob_named *next = s ? ob_name_table_next(&s->table, OB_NAMED_PIPELINE, *pipeline) : NULL;

        if (!next)
                return false;
        *pipeline = next->id;
        *made = next->made;
        return true;
}
