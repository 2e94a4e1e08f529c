/*
 * A source's way through its pages: one, those of a long list, or one for each row of another page. What there
 * was no time for in a round comes first in the next. One worker's thread.
 */
#ifndef OB_SOURCE_WEB_CRAWL_H
#define OB_SOURCE_WEB_CRAWL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/source/web/pages.h"

struct ob_crawl {
        bool is_evaluator; /* set by the owner: it reads all of a row, so it may say that a page is good */
        unsigned n_read, n_bad, n_left; /* pages of the last round */
        bool is_whole;                  /* every page could be read, but for those that there was no time for */
};

/* One page. The rows are borrowed. -1: they make no sense, and it is as if the page had not been read. */
typedef int ob_visit_fn(
        void *ctx, const char *asked, const struct ob_page_rows *rows, int64_t now, struct ob_err *err);

/* Calls `visit` for each page of this kind. -1: none could be read, or it is not known which there are. */
int ob_crawl_run(struct ob_crawl *crawl, struct ob_pages *p, const struct ob_page *page, ob_visit_fn *visit,
        void *ctx, struct ob_err *err);

#endif
