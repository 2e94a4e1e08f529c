/*
 * What became visible after its overlap was over, as on a replica that was stopped: per chunk of ids, the table
 * has more rows then than were seen.
 */
#include "agent/process/log.h"
#include "agent/source/delta_log.h"
#include "proto/number.h"

#include <string.h>

#define LONGEST    60  /* seconds from audit to audit; with a short overlap, half of that */
#define CHUNKS_MAX 256 /* that are read again at once; there is a next audit */

/* A clock that was set makes it early, not late. */
static bool is_due(const struct ob_feed *f, const struct ob_log *l)
{
        int64_t every = f->source->overlap / 2, passed = f->now - l->audited_at;

        if (every > LONGEST)
                every = LONGEST;
        return passed < 0 || passed >= every;
}

static unsigned count_bits(const struct ob_chunk *c)
{
        unsigned n = 0;

        for (size_t i = 0; i < sizeof(c->bits); i++)
                n += (unsigned)__builtin_popcount(c->bits[i]);
        return n;
}

/* The chunks that have more rows than were seen of them. */
struct found {
        int64_t chunks[CHUNKS_MAX];
        size_t n;
        int64_t rows; /* how many more */
};

static int compare(struct ob_feed *f, const struct ob_rows *counts, struct found *found, struct ob_err *err)
{
        for (size_t i = 0; i < counts->n && found->n < CHUNKS_MAX; i++) {
                const char *const *row = counts->cells + i * counts->width;
                struct ob_chunk c;
                int64_t number, rows, seen;

                if (!row[0] || !row[1] || !ob_number_parse_int(row[0], strlen(row[0]), &number) ||
                        !ob_number_parse_int(row[1], strlen(row[1]), &rows) || rows > OB_CHUNK_IDS)
                        continue;
                if (ob_store_get_chunk(f->store, f->name, number, &c, err) < 0)
                        return -1;
                seen = count_bits(&c);
                if (rows <= seen)
                        continue;
                found->chunks[found->n++] = number;
                found->rows += rows - seen;
        }
        return 0;
}

/* What is behind the overlap and still remembered. 0: nothing; 1. */
static int find_range(struct ob_feed *f, int64_t *from, int64_t *end, struct ob_err *err)
{
        int64_t first, inside;
        int got = ob_store_first_chunk_since(f->store, f->name, INT64_MIN, &first, err);

        if (got < 1)
                return got;
        got = ob_store_first_chunk_since(
                f->store, f->name, ob_log_before(f->now, f->source->overlap), &inside, err);
        if (got < 0)
                return -1;
        *from = ob_seen_first_id(first);
        *end = got ? ob_seen_first_id(inside) : f->standing.cursor;
        return *from < *end;
}

int ob_log_audit(struct ob_feed *f, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        struct found found = { .n = 0 };
        struct ob_rows counts;
        int64_t from, end, counted = f->counters->rows;
        int got;

        if (!f->reader->ops->count || !is_due(f, l))
                return 0;
        got = find_range(f, &from, &end, err);
        if (got > 0 && (f->reader->ops->count(f->reader, from, end, OB_CHUNK_IDS, &counts, err) ||
                               compare(f, &counts, &found, err)))
                got = -1;
        if (got < 0)
                return -1;
        l->audited_at = f->now;
        for (size_t i = 0; i < found.n; i++) {
                from = ob_seen_first_id(found.chunks[i]);
                got = ob_log_read(f, from, from + (OB_CHUNK_IDS - 1), err);
                if (got || l->is_remade) /* the poll follows that first */
                        return got;
        }
        if (counted != f->counters->rows)
                ob_log(OB_LOG_WARN,
                        "source=%s event=late_rows table=%s rows=%lld why=\"they became visible after the overlap, and "
                        "are counted now; Graphite may have closed their steps: a longer overlap keeps them open\"",
                        f->name, f->source->table, (long long)(f->counters->rows - counted));
        return 0;
}
