/*
 * What became visible after its overlap was over, as on a replica that was stopped: the database says which ids there
 * are, a bit each, and the ids that were seen are taken off. What was deleted hides nothing, as it would hide from a
 * comparison of counts.
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

/* A run of ids: which of them there are, as the database says. */
struct run {
        int64_t first;
        uint64_t ids; /* bit i: the id first + i */
};

/* False: no such run was asked for, so nothing may be reckoned with it. */
static bool read_run(const char *const *row, int64_t from, int64_t end, struct run *r)
{
        int64_t number;
        __int128 ids;

        if (!row[0] || !row[1] || !ob_number_parse_int(row[0], strlen(row[0]), &number) ||
                !ob_number_parse(row[1], strlen(row[1]), &ids))
                return false;
        ids /= OB_MICROS;
        if (number < from / OB_RUN_IDS - 1 || number > end / OB_RUN_IDS || ids < 0 || ids > UINT64_MAX)
                return false;
        *r = (struct run) { number * OB_RUN_IDS, (uint64_t)ids };
        return true;
}

/* Which ids of the run were seen. */
static uint64_t seen_of(const struct ob_chunk *c, int64_t first)
{
        size_t at = (size_t)(first & (OB_CHUNK_IDS - 1)) / 8;
        uint64_t seen = 0;

        for (size_t i = 0; i < OB_RUN_IDS / 8; i++)
                seen |= (uint64_t)c->bits[at + i] << i * 8;
        return seen;
}

/* The chunks in which there are rows that were not seen. */
struct found {
        int64_t from, end; /* that were asked for */
        int64_t chunks[CHUNKS_MAX];
        size_t n;
};

static int compare(struct ob_feed *f, const struct ob_rows *runs, struct found *found, struct ob_err *err)
{
        struct ob_chunk c;
        bool has_chunk = false;

        for (size_t i = 0; i < runs->n && found->n < CHUNKS_MAX; i++) {
                struct run r;
                int64_t number;

                if (!read_run(runs->cells + i * runs->width, found->from, found->end, &r))
                        continue;
                number = ob_seen_chunk_of(r.first);
                if (found->n && found->chunks[found->n - 1] == number)
                        continue;
                if ((!has_chunk || c.number != number) &&
                        ob_store_get_chunk(f->store, f->name, number, &c, err) < 0)
                        return -1;
                has_chunk = true;
                if (r.ids & ~seen_of(&c, r.first))
                        found->chunks[found->n++] = number;
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
        struct ob_rows runs;
        int64_t counted = f->counters->rows;
        int got;

        if (!f->reader->ops->list || !is_due(f, l))
                return 0;
        got = find_range(f, &found.from, &found.end, err);
        if (got > 0 && (f->reader->ops->list(f->reader, found.from, found.end, &runs, err) ||
                               compare(f, &runs, &found, err)))
                got = -1;
        if (got < 0)
                return -1;
        l->audited_at = f->now;
        for (size_t i = 0; i < found.n; i++) {
                int64_t from = ob_seen_first_id(found.chunks[i]);

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
