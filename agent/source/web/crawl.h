/*
 * The crawl of a source through its pages: one page, a long list, or a page for each row of another page. Pages
 * for which a cycle had no time come first in the next cycle. One worker's thread.
 */
#ifndef OB_SOURCE_WEB_CRAWL_H
#define OB_SOURCE_WEB_CRAWL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/source/web/pages.h"

struct ob_crawl {
        bool is_evaluator; /* set by the owner: reads whole rows, so it may log that a page recovered */
        unsigned n_read, n_bad, n_left; /* pages of the last cycle */
        bool is_whole;                  /* all pages for which there was time could be read */
};

/* Visits one page. The rows are borrowed. -1: the rows are invalid, and the page counts as not read. */
typedef int ob_visit_fn(
        void *ctx, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err);

/* Calls `visit` for each page of this kind. -1: no page could be read, or the list of pages is not known. */
int ob_crawl_run(struct ob_crawl *crawl, struct ob_pages *p, const struct ob_page *page, ob_visit_fn *visit,
        void *ctx, struct ob_err *err);

#endif
