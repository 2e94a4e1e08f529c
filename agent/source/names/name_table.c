#include "agent/source/names/name_table.h"

#include <stdlib.h>
#include <string.h>

#include "proto/hash.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/text.h"

/* A longer name is not cut, since two names may be the same when they are cut: the id stands for it. Carbon's limit
 * is 251. */
#define NODE_MAX 200

#define NOT_DATED INT64_MAX /* `since` of a name that was just read */

const struct ob_name_facts ob_name_facts[OB_NAMED_KINDS] = {
        [OB_NAMED_CHANNEL] = { "channel", { "channel_name" } },
        [OB_NAMED_PIPELINE] = { "pipeline", { "pipeline_name", "channel_name" } },
        [OB_NAMED_PAIR] = { "pair", { "source_table", "target_table" }, .is_inside = true },
        [OB_NAMED_NODE] = { "node", { "node_name" } },
};

/* A node of a path, and the id to which the node belongs. */
struct ob_name_node {
        UT_hash_handle hh;
        int64_t id;
        size_t length;
        char key[]; /* kind and pipeline, then the node */
};

enum ob_named_kind ob_name_kind_of(const char *key)
{
        enum ob_named_kind kind = 0;

        while (kind < OB_NAMED_KINDS && strcmp(ob_name_facts[kind].key, key) != 0)
                kind++;
        return kind;
}

void ob_name_book_cut(struct ob_name_book *b, size_t n)
{
        while (b->n > n)
                free(b->names[--b->n]);
}

void ob_name_book_date(struct ob_name_book *b, size_t n, int64_t since)
{
        for (size_t i = n; i < b->n; i++) {
                const struct ob_name *before = b->names[i]->before;

                if (b->names[i]->since == NOT_DATED) /* the database's clock may have gone back */
                        b->names[i]->since = before && before->since > since ? before->since : since;
        }
}

void ob_name_book_free(struct ob_name_book *b)
{
        ob_name_book_cut(b, 0);
        OB_HASH_FREE_ALL(b->nodes, free);
        free(b->names);
        *b = (struct ob_name_book) { .n = 0 };
}

/* True: the node belongs to the name's id; a free node does so from now on. */
static bool take_node(struct ob_name_book *b, const struct ob_name *name, const char *node)
{
        int64_t scope = ob_name_facts[name->kind].is_inside ? name->parent : 0;
        ob_cleanup(ob_free_at) char *key = ob_format("%d %lld %s", (int)name->kind, (long long)scope, node);
        size_t length = strlen(key);
        struct ob_name_node *found;

        HASH_FIND(hh, b->nodes, key, length, found);
        if (found)
                return found->id == name->id;
        found = ob_alloc(1, sizeof(*found) + length + 1);
        found->id = name->id;
        found->length = length;
        memcpy(found->key, key, length);
        HASH_ADD_KEYPTR(hh, b->nodes, found->key, found->length, found);
        return true;
}

static bool has_letter_or_digit(const char *node)
{
        return node[strspn(node, "_-")] != '\0';
}

/* Nodes of this form stand for ids that have no name, and for "no id". */
static bool looks_like_an_id(const char *node)
{
        return !strcmp(node, "none") || !node[strspn(node, "0123456789-")];
}

/*
 * A node that no other id has: the name, followed by the id when another id has the name as its node. The caller's
 * to free. "": no letter or digit is left of the name.
 */
static char *make_node(struct ob_name_book *b, const struct ob_name *name)
{
        char room[NODE_MAX + 1];
        struct ob_text text = ob_text_over(room, NODE_MAX);
        char *node;

        ob_text_add_mapped(&text, name->texts[0], ob_name_is_node_char);
        if (text.too_long)
                return ob_copy("");
        room[text.length] = '\0';
        if (!has_letter_or_digit(room))
                return ob_copy("");
        node = looks_like_an_id(room) ? ob_format("%s_%lld", room, (long long)name->id) : ob_copy(room);
        while (!take_node(b, name, node))
                ob_append(&node, "", "_%lld", (long long)name->id);
        return node;
}

static const char *put_text(char **at, const char *text)
{
        size_t size = strlen(text) + 1;
        char *to = memcpy(*at, text, size);

        *at += size;
        return to;
}

/* Adds a copy of a name, in one allocation with its texts. */
static struct ob_name *add_copy(struct ob_name_book *b, const struct ob_name *name, const char *node)
{
        size_t length = strlen(node) + 1;
        struct ob_name *copy;
        char *texts;

        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                length += strlen(name->texts[i]) + 1;
        copy = ob_alloc(1, sizeof(*copy) + length);
        texts = (char *)(copy + 1);
        *copy = *name;
        copy->node = put_text(&texts, node);
        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                copy->texts[i] = put_text(&texts, name->texts[i]);
        b->names = ob_grow(b->names, &b->room, b->n, sizeof(struct ob_name *));
        return b->names[b->n++] = copy;
}

struct ob_name *ob_name_book_add(struct ob_name_book *b, const struct ob_name *name)
{
        if (*name->node)
                take_node(b, name, name->node);
        return add_copy(b, name, name->node);
}

void ob_name_table_free(struct ob_name_table *t)
{
        free(t->all);
        *t = (struct ob_name_table) { .n = 0 };
}

static int compare_ids(enum ob_named_kind a_kind, int64_t a_id, const struct ob_named *b)
{
        if (a_kind != b->kind)
                return a_kind < b->kind ? -1 : 1;
        return a_id < b->id ? -1 : a_id > b->id;
}

static int compare_named(const void *a, const void *b)
{
        const struct ob_named *left = a;

        return compare_ids(left->kind, left->id, b);
}

void ob_name_table_sort(struct ob_name_table *t)
{
        if (t->n)
                qsort(t->all, t->n, sizeof(*t->all), compare_named);
        t->n_sorted = t->n;
}

/* The index of the first one that does not sort before this kind and id. */
static size_t place_of(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id)
{
        size_t low = 0, high = t->n_sorted;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare_ids(kind, id, &t->all[middle]) > 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct ob_named *find(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id)
{
        size_t at = place_of(t, kind, id);

        return at < t->n_sorted && !compare_ids(kind, id, &t->all[at]) ? &t->all[at] : NULL;
}

const struct ob_named *ob_name_table_find(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id)
{
        return find(t, kind, id);
}

const struct ob_named *ob_name_table_next(const struct ob_name_table *t, enum ob_named_kind kind, int64_t after)
{
        size_t at = after == INT64_MAX ? t->n_sorted : place_of(t, kind, after + 1);

        while (at < t->n_sorted && t->all[at].kind == kind && !t->all[at].is_there)
                at++;
        return at < t->n_sorted && t->all[at].kind == kind ? &t->all[at] : NULL;
}

bool ob_name_table_has(const struct ob_name_table *t, enum ob_named_kind kind)
{
        size_t at = place_of(t, kind, INT64_MIN);

        return at < t->n_sorted && t->all[at].kind == kind;
}

bool ob_name_table_is_new(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id)
{
        size_t at = place_of(t, kind, id);

        return at && t->all[at - 1].kind == kind && (at == t->n_sorted || t->all[at].kind != kind);
}

const struct ob_name *ob_named_at(const struct ob_named *named, int64_t time)
{
        const struct ob_name *name = named->newest;

        while (name && name->since > time)
                name = name->before;
        return name;
}

static struct ob_named *add(struct ob_name_table *t, enum ob_named_kind kind, int64_t id)
{
        t->all = ob_grow(t->all, &t->room, t->n, sizeof(*t->all));
        t->all[t->n] = (struct ob_named) { .kind = kind, .id = id };
        return &t->all[t->n++];
}

static int compare_names(const void *a, const void *b)
{
        const struct ob_name *left = *(struct ob_name *const *)a, *right = *(struct ob_name *const *)b;

        if (left->kind != right->kind)
                return left->kind < right->kind ? -1 : 1;
        if (left->id != right->id)
                return left->id < right->id ? -1 : 1;
        return left->since < right->since ? -1 : left->since > right->since;
}

void ob_name_table_fill(struct ob_name_table *t, const struct ob_name_book *b)
{
        if (b->n)
                qsort(b->names, b->n, sizeof(struct ob_name *), compare_names);
        for (size_t i = 0; i < b->n; i++) {
                struct ob_name *name = b->names[i];
                struct ob_named *last = t->n ? &t->all[t->n - 1] : NULL;

                if (!last || compare_ids(name->kind, name->id, last))
                        last = add(t, name->kind, name->id);
                name->before = last->newest;
                last->newest = name;
        }
        t->n_sorted = t->n;
}

void ob_name_table_copy(struct ob_name_table *t, const struct ob_name_table *from)
{
        *t = *from;
        t->room = from->n;
        t->all = ob_alloc(from->n, sizeof(*t->all));
        if (from->n)
                memcpy(t->all, from->all, from->n * sizeof(*t->all));
}

void ob_name_table_end(struct ob_name_table *t, enum ob_named_kind kind)
{
        for (size_t i = 0; i < t->n; i++) {
                if (t->all[i].kind != kind)
                        continue;
                t->all[i].is_there = t->all[i].is_met;
                t->all[i].is_met = false;
        }
}

/* A text that is gone keeps its last value: a pipeline's row may outlive the row of its channel. */
static const char *text_of(const struct ob_name_row *row, const struct ob_name *last, unsigned i)
{
        if (row->texts[i] && *row->texts[i])
                return row->texts[i];
        return last ? last->texts[i] : "";
}

static bool is_same(const struct ob_name *a, const struct ob_name *b)
{
        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                if (strcmp(a->texts[i], b->texts[i]) != 0)
                        return false;
        return a->parent == b->parent;
}

void ob_name_table_row(
        struct ob_name_table *t, struct ob_name_book *b, const struct ob_name_row *row, bool is_first)
{
        struct ob_named *named = find(t, row->kind, row->id);
        const struct ob_name *last = named ? named->newest : NULL;
        struct ob_name name = { row->kind, row->id, row->parent, !last && is_first ? INT64_MIN : NOT_DATED,
                .before = last };
        ob_cleanup(ob_free_at) char *node = NULL;

        named = named ? named : add(t, row->kind, row->id);
        named->is_met = true;
        named->made = row->made;
        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                name.texts[i] = text_of(row, last, i);
        if (last && is_same(last, &name))
                return;
        node = make_node(b, &name);
        named->newest = add_copy(b, &name, node);
}
