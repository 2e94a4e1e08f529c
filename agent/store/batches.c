/* The batches of the queue, and the position of each sink in them. */
#include <string.h>

#include "agent/store/statement.h"
#include "agent/store/store.h"
#include "proto/memory.h"

#define DROP_MOST                                                                                                  \
        64 /* batches at a time: the changed pages go to the write-ahead log first, which has to stay small */

int ob_store_put_batch(struct ob_store *st, unsigned points, const struct ob_bytes *body, struct ob_err *err)
{
        return OB_PUT(st, OB_SQL_PUT_BATCH, err, ob_value_number(points), ob_value_number((int64_t)body->length),
                ob_value_blob(body->data, body->length));
}

int64_t ob_store_last_put(const struct ob_store *st)
{
        return st->engine->last_put(st->db);
}

static void release_sealed(struct ob_stored_batch *b)
{
        ob_sealed_batch_release(b->sealed);
        b->sealed = NULL;
}

void ob_stored_batch_free(struct ob_stored_batch *b)
{
        release_sealed(b);
        ob_bytes_free(&b->body);
}

bool ob_stored_batch_open(const struct ob_stored_batch *b, struct ob_batch_reader *r)
{
        if (!b->sealed)
                return ob_batch_open(r, b->body.data, b->body.length);
        ob_batch_open_sealed(r, b->sealed);
        return true;
}

bool ob_stored_batch_open_events(const struct ob_stored_batch *b, struct ob_batch_reader *r)
{
        const struct ob_bytes *blob = b->sealed ? ob_sealed_batch_blob(b->sealed) : &b->body;

        return ob_batch_open_events(r, blob->data, blob->length);
}

int ob_store_next_batch(struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_number(after) };
        struct ob_value row[3];
        struct ob_statement *q;
        int got = ob_statement_first(st, OB_SQL_NEXT_BATCH, values, 1, &q, err);

        if (got < 1)
                return got;
        release_sealed(b);
        b->seq = ob_statement_number(q, 0);
        if (!ob_statement_read(q, 1, OB_BATCH_TYPES, row)) {
                ob_cleanup(ob_free_at) char *which = ob_format("batch %lld", (long long)b->seq);

                return ob_statement_corrupt(st, q, err, which);
        }
        b->points = (unsigned)row[0].number;
        b->body.length = 0;
        ob_bytes_add(&b->body, row[2].data, row[2].length);
        b->bytes = (int64_t)b->body.length;
        ob_statement_reset(q);
        return 1;
}

int ob_store_sum_batches(struct ob_store *st, int64_t after, int64_t *points, int64_t *bytes, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_number(after) };
        struct ob_statement *q;

        if (ob_statement_first(st, OB_SQL_SUM_BATCHES, values, 1, &q, err) < 1)
                return -1;
        *points = ob_statement_number(q, 0); /* the sum of nothing is NULL, which reads as 0 */
        *bytes = ob_statement_number(q, 1);
        ob_statement_reset(q);
        return 0;
}

int ob_store_drop_acked(struct ob_store *st, int64_t *points, int64_t *bytes, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_number(DROP_MOST) };
        int64_t n, last;
        struct ob_statement *q;

        if (ob_statement_first(st, OB_SQL_SUM_OLDEST, values, 1, &q, err) < 1)
                return -1;
        *points = ob_statement_number(q, 0);
        *bytes = ob_statement_number(q, 1);
        n = ob_statement_number(q, 2);
        last = ob_statement_number(q, 3);
        ob_statement_reset(q);
        if (n && OB_RUN(st, OB_SQL_DROP_BATCHES, err, ob_value_number(last)))
                return -1;
        return n == DROP_MOST;
}

int ob_store_get_delivery(struct ob_store *st, const char *sink, struct ob_delivery *p, struct ob_err *err)
{
        const struct ob_value key = ob_value_text(sink);
        struct ob_value row[OB_ROW_COLUMNS];
        struct ob_statement *q;
        int got = ob_statement_first(st, OB_SQL_OF(OB_TABLE_SINKS, OB_ROW_GET), &key, 1, &q, err);

        p->saved_state.length = 0;
        if (got < 0)
                return -1;
        if (!got) {
                if (ob_statement_first(st, OB_SQL_FIRST_ACKED, NULL, 0, &q, err) < 1)
                        return -1;
                p->acked = p->sent_upto = ob_statement_number(q, 0);
                ob_statement_reset(q);
                return ob_store_put_delivery(st, sink, p, err);
        }
        if (!ob_statement_read_row(q, OB_TABLE_SINKS, row))
                return ob_statement_corrupt(st, q, err, "the position of a sink");
        p->acked = row[1].number;
        p->sent_upto = row[2].number;
        ob_bytes_add(&p->saved_state, row[3].data, row[3].length);
        ob_statement_reset(q);
        return 0;
}

int ob_store_put_delivery(struct ob_store *st, const char *sink, const struct ob_delivery *p, struct ob_err *err)
{
        return OB_PUT_ROW(st, OB_TABLE_SINKS, err, ob_value_text(sink), ob_value_number(p->acked),
                ob_value_number(p->sent_upto), ob_value_blob(p->saved_state.data, p->saved_state.length));
}

static bool is_kept(const char *name, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!strcmp(names[i], name))
                        return true;
        return false;
}

int ob_store_keep_sinks(struct ob_store *st, const char *const *names, size_t n, struct ob_err *err)
{
        struct ob_statement *q = ob_statement_prepare(st, OB_SQL_OF(OB_TABLE_SINKS, OB_ROWS_EACH), NULL, 0, err);
        int forgotten = 0, got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(st, q, err)) == 1) {
                const char *name = ob_statement_text(q, 0);

                if (is_kept(name, names, n))
                        continue;
                if (ob_store_forget_rows(st, OB_TABLE_SINK_TOTALS, name, err) ||
                        ob_store_forget_rows(st, OB_TABLE_SINK_TOTALS_UPTO, name, err) ||
                        ob_store_forget_rows(st, OB_TABLE_SINKS, name, err))
                        got = -1;
                forgotten++;
        }
        if (got)
                ob_statement_reset(q);
        return got ? -1 : forgotten;
}
