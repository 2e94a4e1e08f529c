/*
 * From a page to rows of texts. Pure: the page may come from anywhere.
 */
#ifndef OB_SOURCE_WEB_PARSE_H
#define OB_SOURCE_WEB_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/source/web/html.h"
#include "config/config.h"
#include "config/page.h"
#include "proto/error.h"

/* What was read off pages: a text for each of their columns, NULL where there is no such cell. */
struct ob_page_rows {
        char **cells; /* ours; one row behind the other */
        char *texts;  /* ours: where the cells point to */
        size_t n, width, room;
        size_t bytes;               /* that the texts take, as estimated */
        int items, number, numbers; /* of a long list: how long, and which of how many pages this is */
        char *missing;              /* ours: headers that are not there, in words; NULL: all are */
};

/* Whether its heading is that of a page. */
bool ob_page_is(const struct ob_page *page, const struct ob_doc *doc, const struct ob_page_settings *settings);

/* Its rows, into what is all zero. -1: it is not laid out as the page is, or costs too much; there are no rows
 * then. */
int ob_page_read(const struct ob_page *page, struct ob_doc *doc, const struct ob_page_settings *settings,
        struct ob_page_rows *rows, struct ob_err *err);
void ob_page_rows_free(struct ob_page_rows *rows);

#endif
