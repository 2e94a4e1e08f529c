/*
 * Parses a page's bytes into a document for XPath queries. The bytes are untrusted; no I/O. A document belongs to
 * one thread.
 */
#ifndef OB_SOURCE_WEB_HTML_H
#define OB_SOURCE_WEB_HTML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/source/web/page_tree.h"
#include "proto/error.h"

#define OB_PAGE_BYTES_MAX (4 << 20) /* a list of 2,000 pipelines has 2.7 MB */

struct ob_doc;

struct ob_nodes {
        xmlNode **all; /* ours; the nodes are the document's */
        size_t n, room;
};

void ob_nodes_add(struct ob_nodes *list, xmlNode *node);
void ob_nodes_free(struct ob_nodes *list);

/*
 * NULL: `err` says why: too large, no UTF-8, cut short, too expensive, or the manager's login, forbidden or error
 * page instead. The document is the caller's, and borrows `of`.
 */
struct ob_doc *ob_doc_parse(const void *bytes, size_t length, const struct ob_terms *of, struct ob_err *err);
void ob_doc_free(struct ob_doc *doc);

/* For ob_cleanup. */
void ob_doc_free_at(struct ob_doc **doc);

/* The text of the first h2; "". */
const char *ob_doc_heading(const struct ob_doc *doc);

/* -1: some queries ran out of time or steps, so that their results may be wrong. */
int ob_doc_check(const struct ob_doc *doc, struct ob_err *err);

/* The tidied text that an XPath finds, the caller's; NULL when it finds nothing, or takes too long. */
char *ob_doc_text(struct ob_doc *doc, xmlNode *from, const char *path);

/* Appends the elements that an XPath finds. */
void ob_doc_nodes(struct ob_doc *doc, const char *path, struct ob_nodes *list);

/*
 * Each run of blanks and &nbsp; becomes one blank, and none stays at the ends; other control characters are
 * removed. The caller's.
 */
char *ob_doc_tidy(const xmlChar *text);

/* Whether a text is a valid XPath. */
bool ob_doc_is_path(const char *path);

#endif
