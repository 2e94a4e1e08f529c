#include "agent/source/tracked_rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

static void free_entry(struct ob_tracked_rows *k, struct ob_tracked_row *e)
{
        HASH_DEL(k->entries, e);
        free(e->successor);
        free(e);
}

void ob_tracked_rows_add_total(struct ob_tracked_rows *k, const char *column)
{
        k->columns[k->n_totals++] = column;
}

void ob_tracked_rows_free(struct ob_tracked_rows *k)
{
        struct ob_tracked_row *e, *next;

        HASH_ITER (hh, k->entries, e, next)
                free_entry(k, e);
        free(k->changed);
        *k = (struct ob_tracked_rows) { .n_totals = 0 };
}

static bool has_key(const struct ob_tracked_row *e, const struct ob_bytes *key)
{
        return e->key.length == key->length && !memcmp(e->key.data, key->data, key->length);
}

/*
 * Rows come in the same order at each poll. So the wanted row is nearly always the one that followed the last found
 * row at the previous poll. The order of insertion does not help: after a restart it is the order of the store.
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
        __builtin_prefetch(e->behind); /* a table has more rows than the cache of the processor */
        return e;
}

struct ob_tracked_row *ob_tracked_rows_add(struct ob_tracked_rows *k, const void *key, size_t length)
{
        size_t totals = 2 * k->n_totals * sizeof(int64_t);
        struct ob_tracked_row *e = ob_alloc(1, sizeof(*e) + totals + length);

        e->totals = (int64_t *)(e + 1);
        e->stored = e->totals + k->n_totals;
        e->key = (struct ob_bytes) { .data = (unsigned char *)e + sizeof(*e) + totals, .length = length };
        memcpy(e->key.data, key, length);
        for (unsigned i = 0; i < k->n_totals; i++)
                e->stored[i] = OB_TOTAL_UNKNOWN;
        HASH_ADD_KEYPTR(hh, k->entries, e->key.data, e->key.length, e);
        return e;
}

void ob_tracked_rows_forget_others(struct ob_tracked_rows *k, uint64_t met)
{
        struct ob_tracked_row *e, *next;

        assert(!k->n_totals);
        k->found = NULL;
        HASH_ITER (hh, k->entries, e, next)
                if (e->behind && e->behind->met != met)
                        e->behind = NULL;
        HASH_ITER (hh, k->entries, e, next)
                if (e->met != met)
                        free_entry(k, e);
}

void ob_tracked_rows_mark_changed(struct ob_tracked_rows *k, struct ob_tracked_row *e, bool is_row)
{
        if (!k->n_totals)
                return;
        e->is_row_changed |= is_row;
        if (e->is_changed)
                return;
        e->is_changed = true;
        k->changed = ob_grow(k->changed, &k->room_changed, k->n_changed, sizeof(*k->changed));
        k->changed[k->n_changed++] = e;
}

/* What a load needs to know. */
struct load {
        struct ob_tracked_rows *rows;
        struct ob_store *store;
        uint64_t hash; /* of the columns, as version 3 of the store knew them */
        bool has_old;  /* the store has totals that are to be deleted or to be stored anew */
        bool is_cleaning;
};

static int load_row(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct load *l = ctx;
        struct ob_tracked_row *e = ob_tracked_rows_add(l->rows, row[1].data, row[1].length);

        (void)err;
        e->id = row[2].number;
        e->made = row[3].number;
        e->below_since = row[4].number;
        for (unsigned i = 0; i < l->rows->n_totals; i++)
                e->totals[i] = OB_TOTAL_UNKNOWN;
        return 0;
}

/* Returns the column's number in the name of a total from version 3; n_totals + 1 for any other name. */
static unsigned column_3(const struct load *l, const char *column)
{
        unsigned i = 0;

        for (; i <= l->rows->n_totals; i++) {
                ob_cleanup(ob_free_at) char *name = ob_format(OB_STORE_COLUMN_3, l->hash, i);

                if (!strcmp(name, column))
                        break;
        }
        return i;
}

/* Takes a total that version 3 stored. It is stored anew, with the name of its column. */
static void take_total_3(const struct load *l, struct ob_tracked_row *e, const char *column, int64_t total)
{
        unsigned i = column_3(l, column), n = l->rows->n_totals;

        if (i < n)
                e->totals[i] = total;
        else if (i == n)
                e->below_since = (int64_t)((uint64_t)total << 1) ^ (total >> 63); /* the zigzag order */
        if (i <= n)
                ob_tracked_rows_mark_changed(l->rows, e, i == n);
}

/* A total whose row or whose column is not there any more is to be deleted. */
static int load_total(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        struct load *l = ctx;
        const struct ob_bytes key = { (unsigned char *)row[1].data, row[1].length, row[1].length };
        struct ob_tracked_row *e = ob_tracked_rows_find(l->rows, &key);
        bool is_known = false;

        for (unsigned i = 0; e && i < l->rows->n_totals; i++)
                if (!strcmp(l->rows->columns[i], row[2].data)) {
                        e->totals[i] = e->stored[i] = row[3].number;
                        is_known = true;
                }
        if (is_known)
                return 0;
        if (e)
                take_total_3(l, e, row[2].data, row[3].number);
        l->has_old = true;
        return l->is_cleaning ? ob_store_forget_row(l->store, OB_TABLE_TRACKED_TOTALS, row, err) : 0;
}

static int load_totals(struct load *l, const char *source, struct ob_err *err)
{
        return ob_store_each_row(l->store, OB_TABLE_TRACKED_TOTALS, source, load_total, l, err);
}

/* Deletes the totals that are old, and stores those of version 3 with the names of their columns. */
static int clean(struct load *l, const char *source, struct ob_err *err)
{
        l->is_cleaning = true;
        if (ob_store_begin(l->store, err))
                return -1;
        if (load_totals(l, source, err) || ob_tracked_rows_put(l->rows, l->store, source, err)) {
                ob_store_rollback(l->store);
                return -1;
        }
        if (ob_store_commit(l->store, err))
                return -1;
        ob_tracked_rows_settle(l->rows);
        return 0;
}

int ob_tracked_rows_load(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err)
{
        struct load l = { .rows = k, .store = st };

        for (unsigned i = 0; i < k->n_totals; i++)
                for (size_t c = 0; c <= strlen(k->columns[i]); c++)
                        l.hash = (l.hash ^ (unsigned char)k->columns[i][c]) * UINT64_C(0x100000001b3);
        if (ob_store_each_row(st, OB_TABLE_TRACKED_ROWS, source, load_row, &l, err) || load_totals(&l, source, err))
                return -1;
        return l.has_old ? clean(&l, source, err) : 0;
}

/* A total that is not known has no row. */
static int put_total(const struct ob_tracked_rows *k, struct ob_store *st, const char *source,
        const struct ob_tracked_row *e, unsigned i, struct ob_err *err)
{
        const struct ob_value row[] = { ob_value_text(source), ob_value_blob(e->key.data, e->key.length),
                ob_value_text(k->columns[i]), ob_value_number(e->totals[i]) };

        return e->totals[i] == OB_TOTAL_UNKNOWN ? ob_store_forget_row(st, OB_TABLE_TRACKED_TOTALS, row, err)
                                                : ob_store_put_row(st, OB_TABLE_TRACKED_TOTALS, row, err);
}

int ob_tracked_rows_put(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err)
{
        for (size_t c = 0; c < k->n_changed; c++) {
                const struct ob_tracked_row *e = k->changed[c];

                if (e->is_row_changed && OB_PUT_ROW(st, OB_TABLE_TRACKED_ROWS, err, ob_value_text(source),
                                                 ob_value_blob(e->key.data, e->key.length), ob_value_number(e->id),
                                                 ob_value_number(e->made), ob_value_number(e->below_since)))
                        return -1;
                for (unsigned i = 0; i < k->n_totals; i++)
                        if (e->totals[i] != e->stored[i] && put_total(k, st, source, e, i, err))
                                return -1;
        }
        return 0;
}

void ob_tracked_rows_settle(struct ob_tracked_rows *k)
{
        for (size_t c = 0; c < k->n_changed; c++) {
                struct ob_tracked_row *e = k->changed[c];

                e->is_changed = e->is_row_changed = false;
                memcpy(e->stored, e->totals, k->n_totals * sizeof(*e->totals));
        }
        k->n_changed = 0;
}
