#include "agent/source/web/crawl.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define NUMBERS_MAX 1000 /* pages of a list */
#define SILENT      "the manager does not answer: the rest of this round is left out"

/* The values of {} in the addresses of the pages, in the order of the pages. */
struct names {
        char **all; /* ours, and the texts */
        size_t n, room;
};

static void add_name(struct names *list, char *name)
{
        list->all = ob_grow(list->all, &list->room, list->n, sizeof(*list->all));
        list->all[list->n++] = name;
}

static void free_names(struct names *list)
{
        for (size_t i = 0; i < list->n; i++)
                free(list->all[i]);
        free(list->all);
}

/* The arguments of one crawl. */
struct way {
        struct ob_crawl *crawl;
        struct ob_pages *pages;
        const struct ob_page *page;
        ob_visit_fn *visit;
        void *ctx;
        int64_t deadline;
        const char *missing; /* headers; borrowed from one of the cycle's pages */
        struct ob_err why;   /* of the last page that could not be read */
};

static int go(struct way *w, struct ob_err *err);

static bool is_stopped(const struct way *w)
{
        struct ob_stop *stop = ob_pages_setting(w->pages)->stop;

        return stop && ob_stop_is_wanted(stop);
}

/* Collects the names in the rows of another page. */
struct naming {
        struct names *names;
        const struct ob_pages *pages;
        const struct ob_page *page;
        const struct ob_page_each *each;
};

static int note_names(
        void *ctx, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err)
{
        const struct naming *n = ctx;
        const struct ob_cell_world world = ob_pages_world(n->pages, now);
        int column = ob_page_column(n->page, n->each->column);
        int where = n->each->where ? ob_page_column(n->page, n->each->where) : -1;

        (void)asked;
        (void)err;
        for (size_t i = 0; i < rows->n; i++) {
                char *const *row = rows->cells + i * rows->width;
                char room[OB_CELL_MAX], number[OB_CELL_MAX];
                const char *name = ob_cell_read(&n->page->columns[column], &world, row[column], room);
                const char *is =
                        where < 0 ? NULL : ob_cell_read(&n->page->columns[where], &world, row[where], number);

                if (where >= 0 && (!is || strtol(is, NULL, 10) != n->each->number))
                        continue;
                if (name && *name != '?')
                        add_name(n->names, ob_copy(name));
        }
        return 0;
}

static int name_each(struct way *w, struct names *names, struct ob_err *err)
{
        const struct ob_pages_setting *s = ob_pages_setting(w->pages);
        struct naming naming = { .names = names, .pages = w->pages, .each = &w->page->each };
        struct ob_crawl crawl = { .is_evaluator = false };
        struct way other = {
                .crawl = &crawl, .pages = w->pages, .visit = note_names, .ctx = &naming, .deadline = w->deadline
        };

        naming.page = other.page = ob_page_find(s->config->pages, s->config->n_pages, w->page->each.page);
        if (go(&other, err))
                return -1;
        w->crawl->is_whole &= crawl.is_whole;
        w->crawl->n_left += crawl.n_left;
        return 0;
}

/* Reads the number of pages from the first page of a list. */
static int name_numbers(struct way *w, struct names *names, struct ob_err *err)
{
        const struct ob_fetched_page *first = ob_pages_get(w->pages, w->page, "1");

        if (!first || first->why)
                return ob_fail(err, "%s", first ? first->why : SILENT);
        for (int i = 1; i == 1 || (i <= first->rows.numbers && i <= NUMBERS_MAX); i++)
                add_name(names, ob_format("%d", i));
        return 0;
}

static int name_pages(struct way *w, struct names *names, struct ob_err *err)
{
        if (w->page->each.page)
                return name_each(w, names, err);
        if (w->page->is_long)
                return name_numbers(w, names, err);
        add_name(names, ob_copy(""));
        return 0;
}

/* The page where the last cycle ended, if the page still exists. */
static size_t find_first(struct way *w, const struct names *names)
{
        const char *start = ob_pages_start(w->pages, w->page);

        for (size_t i = 0; start && i < names->n; i++)
                if (!strcmp(names->all[i], start))
                        return i;
        return 0;
}

/* Logs a header that is missing on the pages of a kind. The other columns are used. */
static void tell_layout(struct way *w)
{
        if (!w->missing) {
                if (w->crawl->is_evaluator && w->crawl->n_read)
                        ob_pages_tell_good(w->pages, w->page->name);
                return;
        }
        w->crawl->is_whole = false;
        if (!w->crawl->is_evaluator)
                return;
        ob_fail(&w->why, "the layout has changed: the page has no column %s", w->missing);
        ob_pages_tell_bad(w->pages, w->page->name, "layout_drift", w->page->address, w->why.text);
}

/* When a list became shorter while it was read, its last page is shown instead of later pages. */
static bool is_repeated(const struct ob_page *page, const char *asked, const struct ob_page_rows *rows)
{
        return page->is_long && rows->number > 0 && rows->number < strtol(asked, NULL, 10);
}

/* 1: the manager is silent, or a stop is wanted: the crawl ends. */
static int visit_one(struct way *w, const char *asked)
{
        const struct ob_fetched_page *s = ob_pages_get(w->pages, w->page, asked);

        if (!s) {
                ob_fail(&w->why, "%s", SILENT);
                return 1;
        }
        if (s->why && is_stopped(w))
                return 1;
        if (s->why) {
                ob_fail(&w->why, "%s", s->why);
        } else if (is_repeated(w->page, asked, &s->rows)) {
                return 0;
        } else if (!w->visit(w->ctx, asked, &s->rows, s->now, &w->why)) {
                w->crawl->n_read++;
                w->missing = s->rows.missing ? s->rows.missing : w->missing;
                if (w->crawl->is_evaluator)
                        ob_pages_tell_good(w->pages, s->key);
                return 0;
        } else {
                ob_pages_tell_bad(w->pages, s->key, "page_failed", s->address, w->why.text);
        }
        w->crawl->n_bad++;
        w->crawl->is_whole = false;
        return 0;
}

/* Visits pages from the end of the last cycle until the deadline. Returns the number of visited pages. */
static size_t visit_all(struct way *w, const struct names *names)
{
        size_t first = find_first(w, names), i;

        for (i = 0; i < names->n; i++) {
                const char *asked = names->all[(first + i) % names->n];

                if (is_stopped(w) || (i && ob_clock_ms() > w->deadline))
                        break;
                if (visit_one(w, asked)) {
                        w->crawl->is_whole = false;
                        break;
                }
        }
        ob_pages_leave(w->pages, w->page, i < names->n ? names->all[(first + i) % names->n] : NULL);
        return i;
}

static int go(struct way *w, struct ob_err *err)
{
        ob_cleanup(free_names) struct names names = { .n = 0 };
        struct ob_crawl *t = w->crawl;

        t->n_read = t->n_bad = t->n_left = 0;
        t->is_whole = true;
        if (name_pages(w, &names, err))
                return is_stopped(w) ? 0 : -1; /* a stop that ends a wait is no failure */
        t->n_left += (unsigned)(names.n - visit_all(w, &names));
        tell_layout(w);
        if (t->n_read || t->is_whole || is_stopped(w))
                return 0;
        if (names.n <= 1)
                return ob_fail(err, "%s", w->why.text);
        return ob_fail(err, "none of %zu pages could be read: %s", names.n, w->why.text);
}

int ob_crawl_run(struct ob_crawl *crawl, struct ob_pages *p, const struct ob_page *page, ob_visit_fn *visit,
        void *ctx, struct ob_err *err)
{
        const struct ob_pages_setting *s = ob_pages_setting(p);
        int64_t budget = s->manager->page.budget * INT64_C(1000);
        struct way w = {
                .crawl = crawl,
                .pages = p,
                .page = page,
                .visit = visit,
                .ctx = ctx,
                .deadline = s->is_patient ? INT64_MAX : ob_clock_ms() + budget,
        };

        return go(&w, err);
}
