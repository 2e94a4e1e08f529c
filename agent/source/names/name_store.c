#include "agent/source/names/name_store.h"

static int load_name(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct ob_name name = { .kind = (enum ob_named_kind)row[1].number,
                .id = row[2].number,
                .since = row[3].number,
                .parent = row[4].number,
                .node = row[5].data,
                .texts = { row[6].data, row[7].data } };

        (void)err;
        if (row[1].number >= 0 && row[1].number < OB_NAMED_KINDS)
                ob_name_book_add(ctx, &name);
        return 0;
}

int ob_name_store_load(struct ob_store *st, const char *manager, struct ob_name_book *b, struct ob_err *err)
{
        return ob_store_each_row(st, OB_TABLE_NAMES, manager, load_name, b, err);
}

static int put_name(struct ob_store *st, const char *manager, const struct ob_name *name, struct ob_err *err)
{
        return OB_PUT_ROW(st, OB_TABLE_NAMES, err, ob_value_text(manager), ob_value_number(name->kind),
                ob_value_number(name->id), ob_value_number(name->since), ob_value_number(name->parent),
                ob_value_text(name->node), ob_value_text(name->texts[0]), ob_value_text(name->texts[1]));
}

int ob_name_store_keep(
        struct ob_store *st, const char *manager, const struct ob_name_book *b, size_t from, struct ob_err *err)
{
        if (from == b->n)
                return 0;
        if (ob_store_begin(st, err))
                return -1;
        for (size_t i = from; i < b->n; i++)
                if (put_name(st, manager, b->names[i], err)) {
                        ob_store_rollback(st);
                        return -1;
                }
        return ob_store_commit(st, err);
}
