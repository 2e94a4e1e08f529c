/* The age of the newest row of each key. There may be several rows a key: the youngest stands. */
#include <string.h>

#include "agent/source/row.h"
#include "proto/number.h"

static int begin_newest(struct ob_feed *f, const struct ob_reading *at, struct ob_standing next, struct ob_err *err)
{
        (void)at;
        return ob_feed_commit(f, &next, NULL, err);
}

static bool same_key(const struct ob_source *s, const char *const *a, const char *const *b)
{
        for (unsigned i = 0; i < s->n_columns; i++)
                if (ob_roles[s->columns[i].role].is_tag &&
                        (!a[i] || !b[i] ? a[i] != b[i] : strcmp(a[i], b[i]) != 0))
                        return false;
        return true;
}

/* Rows of one key follow each other, since the query groups by the key first. */
static int poll_newest(struct ob_feed *f, const struct ob_reading *at, struct ob_err *err)
{
        unsigned column = (unsigned)ob_source_find(f->source, OB_AGE);
        struct ob_amounts age = { .has = { false } };
        struct ob_rows rows;

        (void)at;
        if (f->reader->ops->read(f->reader, 0, 0, &rows, err))
                return -1;
        for (size_t i = 0; i < rows.n; i++) {
                const char *const *row = rows.cells + i * rows.width;
                int64_t time, seconds;

                if (!ob_row_time(f, row, OB_AGE, &time))
                        continue; /* only zero dates: nobody knows how old */
                seconds = f->now > time ? f->now - time : 0;
                if (!age.has[column] || age.value[column] > (__int128)seconds * OB_MICROS)
                        age.value[column] = (__int128)seconds * OB_MICROS;
                age.has[column] = true;
                if (i + 1 < rows.n && same_key(f->source, row, row + rows.width))
                        continue;
                ob_row_emit(f, row, f->now, &age);
                age.has[column] = false;
        }
        return f->outbox.points || rows.n ? ob_feed_commit(f, &f->standing, NULL, err) : 0;
}

static void reset_newest(struct ob_feed *f)
{
        (void)f;
}

const struct ob_delta_ops ob_delta_newest = {
        .begin = begin_newest,
        .poll = poll_newest,
        .reset = reset_newest,
};
