#include "agent/source/tracked_rows.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

static void free_entry(struct ob_tracked_rows *k, struct ob_tracked_row *e)
{
        HASH_DEL(k->entries, e);
        free(e->successor);
        free(e->totals);
        ob_bytes_free(&e->key);
        ob_bytes_free(&e->coded);
        free(e);
}

/* FNV-1a, with the NULs between: the same in every run. */
void ob_tracked_rows_add_total(struct ob_tracked_rows *k, const char *column)
{
        k->n_totals++;
        for (size_t i = 0, end = strlen(column) + 1; i < end; i++)
                k->columns = (k->columns ^ (unsigned char)column[i]) * UINT64_C(0x100000001b3);
}

void ob_tracked_rows_free(struct ob_tracked_rows *k)
{
        struct ob_tracked_row *e, *next;

        HASH_ITER (hh, k->entries, e, next)
                free_entry(k, e);
        free(k->changed);
        *k = (struct ob_tracked_rows) { .n_totals = k->n_totals, .columns = k->columns };
}

static bool has_key(const struct ob_tracked_row *e, const struct ob_bytes *key)
{
        return e->key.length == key->length && !memcmp(e->key.data, key->data, key->length);
}

/*
 * Rows come in the same order each time, so it is nearly always the one that was behind the last one: not in the
 * order of adding, which is the store's after a restart.
 */
struct ob_tracked_row *ob_tracked_rows_find(struct ob_tracked_rows *k, const struct ob_bytes *key)
{
        struct ob_tracked_row *e = k->found ? k->found->behind : NULL;

        if (!e || !has_key(e, key))
                HASH_FIND(hh, k->entries, key->data, key->length, e);
        if (!e)
                return NULL;
        if (k->found)
                k->found->behind = e;
        k->found = e;
        return e;
}

struct ob_tracked_row *ob_tracked_rows_add(struct ob_tracked_rows *k, const void *key, size_t length)
{
        struct ob_tracked_row *e = ob_alloc(1, sizeof(*e));

        ob_bytes_add(&e->key, key, length);
        e->totals = ob_alloc(k->n_totals, sizeof(*e->totals));
        HASH_ADD_KEYPTR(hh, k->entries, e->key.data, e->key.length, e);
        return e;
}

void ob_tracked_rows_mark_changed(struct ob_tracked_rows *k, struct ob_tracked_row *e)
{
        if (e->is_changed)
                return;
        e->is_changed = true;
        k->changed = ob_grow(k->changed, &k->room_changed, k->n_changed, sizeof(*k->changed));
        k->changed[k->n_changed++] = e;
}

/* A store of before may have an unknown total as a number with a fraction. */
static bool read_total(struct ob_bytes_reader *at, int64_t *total)
{
        struct ob_metric_value value;

        if (!ob_bytes_read_value(at, &value))
                return false;
        *total = value.is_real ? OB_TOTAL_UNKNOWN : value.whole;
        return true;
}

/* The totals, where they are of the columns that there are now. False: they can't be read. */
static bool read_totals(const struct ob_tracked_rows *k, struct ob_bytes_reader *at, struct ob_tracked_row *e)
{
        uint64_t columns;
        bool is_sound = ob_bytes_read_unsigned(at, &columns);

        for (unsigned i = 0; i < k->n_totals; i++) {
                e->totals[i] = OB_TOTAL_UNKNOWN;
                is_sound = is_sound && (columns != k->columns || read_total(at, &e->totals[i]));
        }
        if (is_sound && columns == k->columns && at->at != at->end)
                is_sound = ob_bytes_read_signed(at, &e->below);
        return is_sound && (columns != k->columns || at->at == at->end);
}

/* An entry that can't be read is a key of first sight. */
static int load_entry(void *ctx, const void *key, size_t key_length, int64_t id, const void *amounts, size_t length)
{
        struct ob_tracked_rows *k = ctx;
        struct ob_bytes_reader at = { amounts, (const unsigned char *)amounts + length };
        struct ob_tracked_row *e = ob_tracked_rows_add(k, key, key_length);

        e->id = id;
        if (!ob_bytes_read_signed(&at, &e->made) || !read_totals(k, &at, e))
                free_entry(k, e);
        return 0;
}

int ob_tracked_rows_load(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err)
{
        return ob_store_each_totals(st, source, load_entry, k, err);
}

int ob_tracked_rows_put(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err)
{
        for (size_t i = 0; i < k->n_changed; i++) {
                struct ob_tracked_row *e = k->changed[i];

                e->coded.length = 0;
                ob_bytes_add_signed(&e->coded, e->made);
                ob_bytes_add_unsigned(&e->coded, k->columns);
                for (unsigned t = 0; t < k->n_totals; t++)
                        ob_bytes_add_value(&e->coded, ob_whole(e->totals[t]));
                if (e->below)
                        ob_bytes_add_signed(&e->coded, e->below);
                if (ob_store_put_totals(st, source, &e->key, e->id, &e->coded, err))
                        return -1;
        }
        return 0;
}

void ob_tracked_rows_settle(struct ob_tracked_rows *k)
{
        for (size_t i = 0; i < k->n_changed; i++) {
                k->changed[i]->is_changed = false;
                ob_bytes_free(&k->changed[i]->coded);
        }
        k->n_changed = 0;
}
