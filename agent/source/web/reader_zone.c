/*
 * How far the dates on the pages are from the tables': a pipeline's last synchronisation stands on its page, in
 * whatever zone the manager is, and in THROUGHPUT_STAT, as an instant.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/reader.h"
#include "agent/source/session.h"
#include "agent/source/web/crawl.h"
#include "agent/source/web/pages.h"
#include "agent/source/zone_dates.h"
#include "proto/memory.h"
#include "proto/number.h"

#define STEP 900 /* zones differ by quarters of an hour */
#define NEAR 180 /* by so many seconds the two may differ besides: a row may have come in between */

struct reader_zone {
        struct ob_reader reader; /* first */
        struct ob_pages *pages;
        struct ob_session *session;
        const struct ob_page *page;
        int id, last_sync; /* columns of the page */
        struct ob_zone_dates dates;
        const char *cells[1];
        char room[OB_CELL_MAX];
};

static struct reader_zone *self(struct ob_reader *r)
{
        return (struct reader_zone *)r;
}

static int open_zone(struct ob_reader *r, struct ob_err *err)
{
        (void)err;
        r->is_logged = false;
        return 0;
}

static int read_clock_zone(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        (void)r;
        (void)err;
        *at = (struct ob_reading) { .now = ob_clock_wall(), .has_rows = true };
        return 0;
}

static int take_dates(
        void *ctx, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err)
{
        const struct ob_cell_world world = { .now = now };
        struct reader_zone *z = ctx;

        (void)asked;
        (void)err;
        for (size_t i = 0; i < rows->n; i++) {
                char *const *row = rows->cells + i * rows->width;
                struct ob_zone_date d = { .now = now };
                const char *id = ob_cell_read(&z->page->columns[z->id], &world, row[z->id], d.pipeline);

                if (id == d.pipeline && row[z->last_sync] && ob_cell_date(row[z->last_sync], &d.local))
                        ob_zone_dates_add(&z->dates, &d);
        }
        return 0;
}

/* 1: the table does not have it. */
static int ask(struct reader_zone *z, const struct ob_zone_date *d, int64_t *epoch, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *sql =
                ob_format("SELECT UNIX_TIMESTAMP(GMT_MODIFIED) FROM THROUGHPUT_STAT WHERE PIPELINE_ID = %s AND "
                          "TYPE = 'ROW' ORDER BY GMT_CREATE DESC, ID DESC LIMIT 1",
                        d->pipeline);
        const struct ob_query query = { .about = "table THROUGHPUT_STAT", .sql = sql, .columns = 1, .rows = 1 };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };

        if (ob_session_query(z->session, &query, &result, err))
                return -1;
        return ob_result_time(&result, 0, 0, epoch) ? 0 : 1;
}

/* False: what differs is no zone. */
static bool find_skew(const struct reader_zone *z, const struct ob_zone_date *d, int64_t epoch, int64_t *skew)
{
        int64_t off = ob_zone_epoch(ob_pages_zone(z->pages), d->local, d->now) - epoch;
        int64_t half = off < 0 ? -STEP / 2 : STEP / 2;

        *skew = (off + half) / STEP * STEP;
        return llabs(off - *skew) <= NEAR;
}

/* 1: no pipeline tells. */
static int compare(struct reader_zone *z, int64_t *skew, struct ob_err *err)
{
        if (!z->dates.n || !ob_pages_zone(z->pages))
                return 1;
        if (ob_session_open(z->session, err))
                return -1;
        for (size_t i = 0; i < z->dates.n; i++) {
                int64_t epoch;
                int got = ask(z, &z->dates.all[i], &epoch, err);

                if (got < 0)
                        return -1;
                if (!got && find_skew(z, &z->dates.all[i], epoch, skew))
                        return 0;
        }
        return 1;
}

/* Without the database a zone that was set is as good as ever; one that shall be found out is not. */
static int measure(struct reader_zone *z, int64_t *skew, struct ob_err *err)
{
        int got = compare(z, skew, err);

        return got < 0 && !ob_pages_is_auto(z->pages) ? 1 : got;
}

static int read_zone(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct ob_crawl crawl = { .is_evaluator = false };
        struct reader_zone *z = self(r);
        int64_t skew = 0;
        int got;

        (void)from;
        (void)limit;
        *rows = (struct ob_rows) { .cells = z->cells, .width = 1 };
        z->dates = (struct ob_zone_dates) { .n = 0 };
        r->is_logged = ob_crawl_run(&crawl, z->pages, z->page, take_dates, z, err);
        if (r->is_logged)
                return -1;
        r->is_partial = !crawl.is_whole;
        got = measure(z, &skew, err);
        if (got)
                return got < 0 ? -1 : 0;
        ob_pages_set_skew(z->pages, skew);
        snprintf(z->room, sizeof(z->room), "%" PRId64, skew);
        z->cells[0] = z->room;
        rows->n = 1;
        return 0;
}

static void free_zone(struct ob_reader *r)
{
        free(self(r));
}

static const struct ob_reader_ops ops = {
        .open = open_zone,
        .read_clock = read_clock_zone,
        .read = read_zone,
        .free = free_zone,
};

struct ob_reader *ob_reader_zone_new(
        const struct ob_source *source, struct ob_pages *pages, struct ob_session *session)
{
        struct reader_zone *z = ob_alloc(1, sizeof(*z));

        z->reader = (struct ob_reader) { .ops = &ops, .source = source, .identity = "", .plan = "", .missing = "" };
        z->reader.plan = "the last synchronisations on the Pipeline pages, compared with THROUGHPUT_STAT";
        memset(z->reader.has, true, sizeof(z->reader.has));
        z->pages = pages;
        z->session = session;
        z->page = ob_page_find(ob_builtin_pages, ob_n_builtin_pages, source->table);
        z->id = ob_page_column(z->page, "pipeline_id");
        z->last_sync = ob_page_column(z->page, "last_sync");
        return &z->reader;
}
