/*
 * How far the dates on the pages differ from the times in the tables: the time of a pipeline's last
 * synchronisation is on its page in the manager's zone, and in THROUGHPUT_STAT as an instant.
 */
#include "agent/source/web/zone.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/own_point.h"
#include "agent/source/web/crawl.h"
#include "config/config.h"
#include "proto/memory.h"
#include "proto/number.h"

#define STEP 900 /* seconds: zones differ by quarters of an hour */
#define NEAR 180 /* seconds: a row may have been added in between */

static int take_dates(
        void *ctx, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err)
{
        const struct ob_cell_world world = { .now = now };
        struct ob_zone_check *z = ctx;

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

/* 1: the table has no row of the pipeline. */
static int ask(struct ob_zone_check *z, const struct ob_zone_date *d, int64_t *epoch, struct ob_err *err)
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

/* False: the difference is not one of zones. */
static bool find_skew(const struct ob_zone_check *z, const struct ob_zone_date *d, int64_t epoch, int64_t *skew)
{
        int64_t off = ob_zone_epoch(ob_pages_zone(z->pages), d->local, d->now) - epoch;
        int64_t half = off < 0 ? -STEP / 2 : STEP / 2;

        *skew = (off + half) / STEP * STEP;
        return llabs(off - *skew) <= NEAR;
}

/* 1: no pipeline can be compared. */
static int compare(struct ob_zone_check *z, int64_t *skew, struct ob_err *err)
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

/* Without the database a zone that was set is used; "auto" fails. */
static int measure(struct ob_zone_check *z, int64_t *skew, struct ob_err *err)
{
        int got = compare(z, skew, err);

        return got < 0 && !ob_pages_is_auto(z->pages) ? 1 : got;
}

static int read_pages(struct ob_zone_check *z, struct ob_err *err)
{
        struct ob_crawl crawl = { .is_evaluator = false };

        z->dates = (struct ob_zone_dates) { .n = 0 };
        z->is_logged = ob_crawl_run(&crawl, z->pages, z->page, take_dates, z, err);
        z->is_partial = !z->is_logged && !crawl.is_whole;
        return z->is_logged ? -1 : 0;
}

int ob_zone_check_measure(struct ob_zone_check *z, int64_t *skew, struct ob_err *err)
{
        int got;

        if (read_pages(z, err))
                return -1;
        got = measure(z, skew, err);
        if (!got)
                ob_pages_set_skew(z->pages, *skew);
        return got;
}

int ob_zone_check_poll(struct ob_zone_check *z, struct ob_err *err)
{
        const struct ob_owner owner = { .manager = z->manager };
        int64_t skew, now = ob_clock_wall();
        int got;

        if (z->sent && !ob_repeat_is_due(z->repeat, z->sent, now)) {
                z->is_logged = z->is_partial = false;
                return 0;
        }
        z->sent = 0;
        got = ob_zone_check_measure(z, &skew, err);
        if (got)
                return got < 0 ? -1 : 0;
        ob_outbox_start(&z->outbox, now);
        ob_own_point_add(&z->outbox, OB_OWN_ZONE_SKEW, &owner, now, skew);
        got = ob_outbox_commit(&z->outbox, NULL, NULL, err);
        if (!got)
                z->sent = now;
        return got;
}

void ob_zone_check_init(struct ob_zone_check *z)
{
        z->page = ob_page_find(ob_builtin_pages, ob_n_builtin_pages, "pipelines");
        z->id = ob_page_column(z->page, "pipeline_id");
        z->last_sync = ob_page_column(z->page, "last_sync");
}

void ob_zone_check_fini(struct ob_zone_check *z)
{
        ob_outbox_free(&z->outbox);
}
