/*
 * Names stand among the totals, which are bytes by a key: a kind, an id and since when is the key, all else the
 * amounts. No source is called as their owner is.
 */
#include "agent/source/names/name_store.h"

#include <string.h>

#include "proto/bytes.h"
#include "proto/memory.h"

/* One that can't be read is one that was never kept. */
static int load_name(void *ctx, const void *key, size_t key_length, int64_t id, const void *amounts, size_t length)
{
        struct ob_bytes_reader at_key = { key, (const unsigned char *)key + key_length };
        struct ob_bytes_reader at = { amounts, (const unsigned char *)amounts + length };
        struct ob_name name = { .id = id };
        int64_t key_id;
        uint64_t kind;

        if (!ob_bytes_read_unsigned(&at_key, &kind) || kind >= OB_NAMED_KINDS ||
                !ob_bytes_read_signed(&at_key, &key_id) || key_id != id ||
                !ob_bytes_read_signed(&at_key, &name.since) || !ob_bytes_read_signed(&at, &name.parent) ||
                !ob_bytes_read_string(&at, &name.node))
                return 0;
        name.kind = (enum ob_named_kind)kind;
        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                if (!ob_bytes_read_string(&at, &name.texts[i]))
                        return 0;
        ob_name_book_add(ctx, &name);
        return 0;
}

int ob_name_store_load(struct ob_store *st, const char *owner, struct ob_name_book *b, struct ob_err *err)
{
        return ob_store_each_totals(st, owner, load_name, b, err);
}

static void add_string(struct ob_bytes *out, const char *text)
{
        ob_bytes_add(out, text, strlen(text) + 1);
}

static int keep_name(struct ob_store *st, const char *owner, const struct ob_name *name, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes key = { .length = 0 };
        ob_cleanup(ob_bytes_free) struct ob_bytes rest = { .length = 0 };

        ob_bytes_add_unsigned(&key, name->kind);
        ob_bytes_add_signed(&key, name->id);
        ob_bytes_add_signed(&key, name->since);
        ob_bytes_add_signed(&rest, name->parent);
        add_string(&rest, name->node);
        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                add_string(&rest, name->texts[i]);
        return ob_store_put_totals(st, owner, &key, name->id, &rest, err);
}

int ob_name_store_keep(
        struct ob_store *st, const char *owner, const struct ob_name_book *b, size_t from, struct ob_err *err)
{
        if (from == b->n)
                return 0;
        if (ob_store_begin(st, err))
                return -1;
        for (size_t i = from; i < b->n; i++)
                if (keep_name(st, owner, b->names[i], err)) {
                        ob_store_rollback(st);
                        return -1;
                }
        return ob_store_commit(st, err);
}
