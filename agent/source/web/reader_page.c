#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/source/reader.h"
#include "agent/source/web/crawl.h"
#include "agent/source/web/pages.h"
#include "proto/bytes.h"
#include "proto/hash.h"
#include "proto/memory.h"
#include "proto/number.h"

#define ROWS_MAX 20000 /* of all pages of a read: each row takes memory in many places */

/* The index of the row of each key. */
struct known {
        UT_hash_handle hh;
        struct ob_bytes key; /* ours */
        size_t row;
        uint64_t texts; /* the fingerprint of the texts on the page: the text of a date stays when its age grows
                         */
};

struct reader_page {
        struct ob_reader reader; /* first */
        struct ob_pages *pages;
        const struct ob_page *page;
        int column[OB_COLUMNS_MAX]; /* by the source's columns: the page's column; -1: none */
        struct ob_crawl crawl;
        struct ob_log_once late;
        char *plan;           /* ours */
        const char *bad_path; /* an invalid XPath of the page; NULL: all are valid */

        char **cells; /* ours, and the texts */
        size_t n, room;
        bool *is_same;       /* ours; as many as rows */
        struct known *known; /* ours; by key */
        struct known *last;  /* ours; of the last read */
};

static struct reader_page *self(struct ob_reader *r)
{
        return (struct reader_page *)r;
}

static size_t width(const struct reader_page *p)
{
        return p->reader.source->n_columns;
}

static void free_known(struct known *k)
{
        ob_bytes_free(&k->key);
        free(k);
}

static void forget_rows(struct reader_page *p)
{
        OB_HASH_FREE_ALL(p->last, free_known);
        p->last = p->known;
        p->known = NULL;
        for (size_t i = 0; i < p->n * width(p); i++)
                free(p->cells[i]);
        p->n = 0;
}

/* Finds an invalid XPath: the config can't check them. */
static const char *find_bad_path(const struct ob_page *page)
{
        if (page->rows && !ob_doc_is_path(page->rows))
                return page->rows;
        for (unsigned c = 0; c < page->n_columns; c++)
                if (page->columns[c].path && !ob_doc_is_path(page->columns[c].path))
                        return page->columns[c].path;
        return NULL;
}

static int open_page(struct ob_reader *r, struct ob_err *err)
{
        struct reader_page *p = self(r);

        if (!p->page)
                return ob_fail(err, "there is no page \"%s\" with these columns", r->source->table);
        if (p->bad_path)
                return ob_fail(err, "\"%s\" is no XPath", p->bad_path);
        r->is_logged = false;
        return 0;
}

static int read_clock_page(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        (void)r;
        (void)err;
        *at = (struct ob_reading) { .now = ob_clock_wall(), .has_rows = true };
        return 0;
}

static bool is_key(enum ob_role role)
{
        return role == OB_KEY || role == OB_ENUM;
}

/* Converts the cells of one row of a page for the source; -1: the row has no key. */
static int take_cells(
        struct reader_page *p, const char *asked, char *const *row, int64_t now, char **cells, struct ob_err *err)
{
        const struct ob_cell_world world = ob_pages_world(p->pages, now);

        for (unsigned i = 0; i < width(p); i++) {
                const struct ob_column *c = &p->reader.source->columns[i];
                const struct ob_page_column *from = &p->page->columns[p->column[i]];
                char room[OB_CELL_MAX];
                const char *read = ob_cell_read(from, &world, row[p->column[i]], room);

                /* The page was requested by this value, which its rows need not repeat. */
                if (p->page->each.column && !strcmp(from->name, p->page->each.column))
                        read = asked;
                if (is_key(c->role) && (!read || !strcmp(read, "?")))
                        return ob_fail(err, "a row has no %s that could be read%s%s", from->name,
                                from->header ? ": column " : "", from->header ? from->header : "");
                cells[i] = read ? ob_copy(read) : NULL;
        }
        return 0;
}

static void make_key(const struct reader_page *p, char *const *cells, struct ob_bytes *key)
{
        ob_bytes_add(key, "", 1);
        for (unsigned i = 0; i < width(p); i++)
                if (is_key(p->reader.source->columns[i].role))
                        ob_bytes_add(key, cells[i], strlen(cells[i]) + 1);
}

/* Joins two rows with one key: the larger peak, and all other cells of the first row. */
static void join_rows(struct reader_page *p, char **first, char **second)
{
        for (unsigned i = 0; i < width(p); i++) {
                struct ob_metric_value a, b;

                if (p->reader.source->columns[i].role != OB_PEAK || !second[i] ||
                        !ob_number_parse(second[i], &b, NULL))
                        continue;
                if (first[i] && ob_number_parse(first[i], &a, NULL) && ob_number_compare(a, b) >= 0)
                        continue;
                free(first[i]);
                first[i] = ob_take(second[i]);
        }
}

static uint64_t fingerprint(const struct reader_page *p, char *const *row)
{
        uint64_t texts = 0;

        for (unsigned i = 0; i < width(p); i++) {
                const char *text = row[p->column[i]];

                texts = ob_bytes_fingerprint(texts, text ? text : "", text ? strlen(text) + 1 : 0);
        }
        return texts;
}

/* Keeps the row that was added last, or joins it with the row that has the same key. */
static void keep_row(struct reader_page *p, uint64_t texts)
{
        char **cells = p->cells + p->n * width(p);
        ob_cleanup(ob_bytes_free) struct ob_bytes key = { .length = 0 };
        struct known *k;

        make_key(p, cells, &key);
        HASH_FIND(hh, p->known, key.data, key.length, k);
        if (k) {
                k->texts = ob_bytes_fingerprint(k->texts, &texts, sizeof(texts));
                join_rows(p, p->cells + k->row * width(p), cells);
                for (unsigned i = 0; i < width(p); i++)
                        free(cells[i]);
                return;
        }
        k = ob_alloc(1, sizeof(*k));
        k->key = key;
        k->texts = texts;
        k->row = p->n++;
        key = (struct ob_bytes) { .length = 0 };
        HASH_ADD_KEYPTR(hh, p->known, k->key.data, k->key.length, k);
}

static void make_room(struct reader_page *p)
{
        if (p->room >= (p->n + 1) * width(p))
                return;
        p->room = p->room ? 2 * p->room : 16 * width(p);
        p->cells = ob_realloc(p->cells, p->room, sizeof(*p->cells));
}

static void free_cells(const struct reader_page *p, char **cells)
{
        for (unsigned c = 0; c < width(p); c++)
                free(cells[c]);
}

/* Checks that each row has the columns that it must have. */
static int look_over(
        struct reader_page *p, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err)
{
        int got = 0;

        for (size_t i = 0; !got && i < rows->n; i++) {
                char *cells[OB_COLUMNS_MAX] = { NULL };

                got = take_cells(p, asked, rows->cells + i * rows->width, now, cells, err);
                free_cells(p, cells);
        }
        return got;
}

/* Takes all rows of a page, or none of them. */
static int take_page(void *ctx, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err)
{
        struct reader_page *p = ctx;
        char *cells[OB_COLUMNS_MAX];

        if (p->n + rows->n > ROWS_MAX)
                return ob_fail(err,
                        "the pages of this list have more than %d rows: check that page.url is the address of Otter's manager",
                        ROWS_MAX);
        if (look_over(p, asked, rows, now, err))
                return -1;
        for (size_t i = 0; i < rows->n; i++) {
                memset(cells, 0, sizeof(cells));
                make_room(p);
                if (take_cells(p, asked, rows->cells + i * rows->width, now, cells, err)) {
                        free_cells(p, cells);
                        return -1;
                }
                memcpy(p->cells + p->n * width(p), cells, width(p) * sizeof(*cells));
                keep_row(p, fingerprint(p, rows->cells + i * rows->width));
        }
        return 0;
}

/* Compares the rows with those of the last read. */
static void compare_rows(struct reader_page *p)
{
        struct known *k, *next, *last;

        p->is_same = ob_realloc(p->is_same, p->n + 1, sizeof(*p->is_same));
        HASH_ITER (hh, p->known, k, next) {
                HASH_FIND(hh, p->last, k->key.data, k->key.length, last);
                p->is_same[k->row] = last && last->texts == k->texts;
        }
}

static void tell_late(struct reader_page *p)
{
        int64_t n = ob_log_once(&p->late, p->crawl.n_left);

        if (n)
                ob_log(OB_LOG_WARN,
                        "source=%s event=budget_spent pages=%lld why=\"there was no time for them in page.budget "
                        "seconds; they come first in the next round\"",
                        p->reader.source->name, (long long)n);
}

static int read_page(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_page *p = self(r);

        (void)from;
        (void)limit;
        forget_rows(p);
        r->is_logged = ob_crawl_run(&p->crawl, p->pages, p->page, take_page, p, err);
        if (r->is_logged)
                return -1;
        r->is_partial = !p->crawl.is_whole;
        if (p->crawl.is_whole)
                tell_late(p);
        compare_rows(p);
        *rows = (struct ob_rows) {
                .cells = (const char **)p->cells, .n = p->n, .width = width(p), .is_same = p->is_same
        };
        return 0;
}

static void free_page(struct ob_reader *r)
{
        struct reader_page *p = self(r);

        forget_rows(p);
        OB_HASH_FREE_ALL(p->last, free_known);
        free(p->is_same);
        free(p->cells);
        free(p->plan);
        free(p);
}

static const struct ob_reader_ops ops = {
        .open = open_page,
        .read_clock = read_clock_page,
        .read = read_page,
        .free = free_page,
};

static char *make_plan(const struct ob_page *page)
{
        if (!page)
                return ob_copy("");
        if (page->each.page)
                return ob_format("%s, one for each row of page %s", page->address, page->each.page);
        return ob_format("%s%s", page->address, page->is_long ? ", all pages of the list" : "");
}

struct ob_reader *ob_reader_page_new(const struct ob_source *source, struct ob_pages *pages)
{
        const struct ob_config *c = ob_pages_setting(pages)->config;
        struct reader_page *p = ob_alloc(1, sizeof(*p));

        p->pages = pages;
        p->crawl.is_evaluator = true;
        p->page = ob_page_find(c->pages, c->n_pages, source->table);
        p->plan = make_plan(p->page);
        p->bad_path = p->page ? find_bad_path(p->page) : NULL;
        for (unsigned i = 0; p->page && i < source->n_columns; i++) {
                p->column[i] = ob_page_column(p->page, source->columns[i].column);
                if (p->column[i] < 0)
                        p->page = NULL;
        }
        p->reader = (struct ob_reader) {
                .ops = &ops, .source = source, .identity = "", .plan = p->plan, .missing = ""
        };
        memset(p->reader.has, true, sizeof(p->reader.has));
        return &p->reader;
}
