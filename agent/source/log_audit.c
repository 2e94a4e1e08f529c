/*
 * What became visible after its overlap was over, as on a replica that was stopped: the database says which ids
 * there are, a bit each, and the ids that were seen are taken off. What was deleted hides nothing, as it would hide
 * from a comparison of counts.
 */
#include "agent/process/log.h"
#include "agent/source/delta_log.h"
#include "proto/number.h"

#include <string.h>

#define LONGEST    100 /* seconds from audit to audit; with a short overlap, half of that */
#define CHUNKS_MAX 256 /* that are read again at once; there is a next audit */

/* A clock that was set makes it early, not late. */
static bool is_due(const struct ob_task *f, const struct ob_log *l)
{
        int64_t every = f->source->overlap / 2, delivery = f->now - l->audited_at;

        if (every > LONGEST)
                every = LONGEST;
        return delivery < 0 || delivery >= every;
}

/* The chunks in which there are rows that were not seen. */
struct found {
        int64_t from, end; /* ids that were asked for */
        int64_t chunks[CHUNKS_MAX];
        size_t n;
};

/* The number of a chunk. False: it was not asked for, so nothing may be reckoned with it. */
static bool read_number(const char *text, const struct found *asked, int64_t *number)
{
        return text && ob_number_parse_int(text, strlen(text), number) &&
               *number >= ob_seen_chunk_of(asked->from) && *number <= ob_seen_chunk_of(asked->end);
}

static bool read_word(const char *text, uint64_t *word)
{
        __int128 micros;

        if (!text || !ob_number_parse(text, strlen(text), &micros) || micros < 0 || micros / OB_MICROS > UINT64_MAX)
                return false;
        *word = (uint64_t)(micros / OB_MICROS);
        return true;
}

/* Whether the database has an id of the chunk that was not seen. */
static bool has_unseen(const char *const *words, const struct ob_chunk *c)
{
        for (size_t i = 0; i < OB_LIST_WORDS; i++) {
                uint64_t there, seen_ids = 0;

                for (size_t byte = 0; byte < 8; byte++)
                        seen_ids |= (uint64_t)c->bits[i * 8 + byte] << byte * 8;
                if (read_word(words[i], &there) && there & ~seen_ids)
                        return true;
        }
        return false;
}

static int compare(struct ob_task *f, const struct ob_rows *ids, struct found *found, struct ob_err *err)
{
        for (size_t i = 0; i < ids->n && found->n < CHUNKS_MAX; i++) {
                const char *const *row = ids->cells + i * ids->width;
                struct ob_chunk c;
                int64_t number;

                if (!read_number(row[0], found, &number))
                        continue;
                if (ob_store_get_chunk(f->outbox.store, f->name, number, &c, err) < 0)
                        return -1;
                if (has_unseen(row + 1, &c))
                        found->chunks[found->n++] = number;
        }
        return 0;
}

/* What is behind the overlap and still remembered. 0: nothing; 1. */
static int find_range(struct ob_task *f, int64_t *from, int64_t *end, struct ob_err *err)
{
        int64_t first, inside;
        int got = ob_store_first_chunk_since(f->outbox.store, f->name, INT64_MIN, &first, err);

        if (got < 1)
                return got;
        got = ob_store_first_chunk_since(
                f->outbox.store, f->name, ob_log_before(f->now, f->source->overlap), &inside, err);
        if (got < 0)
                return -1;
        *from = ob_seen_ids_first_id(first);
        *end = got ? ob_seen_ids_first_id(inside) : f->checkpoint.cursor;
        return *from < *end;
}

int ob_log_audit(struct ob_task *f, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        struct found found = { .n = 0 };
        struct ob_rows ids;
        int64_t counted = f->counters->rows;
        int got;

        if (!f->reader->ops->list || !is_due(f, l))
                return 0;
        got = find_range(f, &found.from, &found.end, err);
        if (got > 0 && (f->reader->ops->list(f->reader, found.from, found.end, &ids, err) ||
                               compare(f, &ids, &found, err)))
                got = -1;
        if (got < 0)
                return -1;
        l->audited_at = f->now;
        for (size_t i = 0; i < found.n; i++) {
                int64_t from = ob_seen_ids_first_id(found.chunks[i]);

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
