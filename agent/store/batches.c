/* The SQL of the queue: batches, and the delivery of each sink. */
#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/statement.h"
#include "agent/store/store.h"
#include "proto/memory.h"

#define DROP_MOST 64 /* batches at a time: changed pages go to the write-ahead log first, which must stay small */

int ob_store_put_batch(struct ob_store *st, unsigned points, const struct ob_bytes *body, struct ob_err *err)
{
        return OB_PUT(st, OB_SQL_PUT_BATCH, err, ob_value_number(points), ob_value_number((int64_t)body->length),
                ob_value_blob(body->data, body->length));
}

int ob_store_next_batch(struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_number(after) };
        sqlite3_stmt *q;
        int got = ob_statement_first(st, OB_SQL_NEXT_BATCH, values, 1, &q, err);

        if (got < 1)
                return got;
        b->seq = sqlite3_column_int64(q, 0);
        if (!ob_statement_is_sound(q, 1, 3)) {
                ob_cleanup(ob_free_at) char *which = ob_format("batch %lld", (long long)b->seq);

                return ob_statement_corrupt(st, q, err, which);
        }
        b->points = (unsigned)sqlite3_column_int64(q, 1);
        b->body.length = 0;
        ob_bytes_add(&b->body, sqlite3_column_blob(q, 3), (size_t)sqlite3_column_bytes(q, 3));
        sqlite3_reset(q);
        return 1;
}

int ob_store_sum_batches(struct ob_store *st, int64_t after, int64_t *points, int64_t *bytes, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_number(after) };
        sqlite3_stmt *q;

        if (ob_statement_first(st, OB_SQL_SUM_BATCHES, values, 1, &q, err) < 1)
                return -1;
        *points = sqlite3_column_int64(q, 0); /* the sum of nothing is NULL, which reads as 0 */
        *bytes = sqlite3_column_int64(q, 1);
        sqlite3_reset(q);
        return 0;
}

int ob_store_drop_acked(struct ob_store *st, int64_t *points, int64_t *bytes, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_number(DROP_MOST) };
        int64_t n, last;
        sqlite3_stmt *q;

        if (ob_statement_first(st, OB_SQL_SUM_OLDEST, values, 1, &q, err) < 1)
                return -1;
        *points = sqlite3_column_int64(q, 0);
        *bytes = sqlite3_column_int64(q, 1);
        n = sqlite3_column_int64(q, 2);
        last = sqlite3_column_int64(q, 3);
        sqlite3_reset(q);
        if (n && OB_RUN(st, OB_SQL_DROP_BATCHES, err, ob_value_number(last)))
                return -1;
        return n == DROP_MOST;
}

int ob_store_get_delivery(struct ob_store *st, const char *sink, struct ob_delivery *p, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(sink) };
        sqlite3_stmt *q;
        int got = ob_statement_first(st, OB_SQL_GET_DELIVERY, values, 1, &q, err);

        p->saved_state.length = 0;
        if (got < 0)
                return -1;
        if (!got) {
                if (ob_statement_first(st, OB_SQL_FIRST_ACKED, NULL, 0, &q, err) < 1)
                        return -1;
                p->acked = p->sent_upto = sqlite3_column_int64(q, 0);
                sqlite3_reset(q);
                return ob_store_put_delivery(st, sink, p, err);
        }
        if (!ob_statement_is_sound(q, 0, 4))
                return ob_statement_corrupt(st, q, err, "what a sink has passed");
        p->acked = sqlite3_column_int64(q, 1);
        p->sent_upto = sqlite3_column_int64(q, 2);
        ob_bytes_add(&p->saved_state, sqlite3_column_blob(q, 3), (size_t)sqlite3_column_bytes(q, 3));
        sqlite3_reset(q);
        return 0;
}

int ob_store_put_delivery(struct ob_store *st, const char *sink, const struct ob_delivery *p, struct ob_err *err)
{
        return OB_PUT(st, OB_SQL_PUT_DELIVERY, err, ob_value_text(sink), ob_value_number(p->acked),
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
        sqlite3_stmt *q = ob_statement_prepare(st, OB_SQL_EACH_SINK, NULL, 0, err);
        int forgotten = 0, got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(st, q, err)) == 1) {
                const char *name = ob_connection_cell(q, 0);
                ob_cleanup(ob_free_at) char *totals = ob_format(OB_TOTALS_OF_SINK "%s", name);

                if (is_kept(name, names, n))
                        continue;
                if (OB_RUN(st, OB_SQL_FORGET_TOTALS, err, ob_value_text(totals)) ||
                        OB_RUN(st, OB_SQL_FORGET_SINK, err, ob_value_text(name)))
                        got = -1;
                forgotten++;
        }
        if (got)
                sqlite3_reset(q);
        return got ? -1 : forgotten;
}
