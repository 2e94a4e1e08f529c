/* From a page to rows of texts. Pure; the page is untrusted. */
#ifndef OB_SOURCE_WEB_PARSE_H
#define OB_SOURCE_WEB_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/source/web/html.h"
#include "config/config.h"
#include "config/page.h"
#include "proto/error.h"

/* The rows of a page: a text for each column, NULL where there is no such cell. */
struct ob_page_rows {
        char **cells; /* ours; row after row */
        char *texts;  /* ours: the texts of the cells */
        size_t n, width, room;
        size_t bytes;               /* of the texts, as estimated */
        int items, number, numbers; /* of a long list: its length, the number of this page, and of pages */
        char *missing;              /* ours: headers that are missing, in words; NULL: none */
};

/* Whether the document has the heading of a page. */
bool ob_page_is(const struct ob_page *page, const struct ob_doc *doc, const struct ob_page_settings *settings);

/* Reads rows into `rows`, which is all zero. -1: another layout, or too expensive; there are no rows then. */
int ob_page_read(const struct ob_page *page, struct ob_doc *doc, const struct ob_page_settings *settings,
        struct ob_page_rows *rows, struct ob_err *err);
void ob_page_rows_free(struct ob_page_rows *rows);

#endif
