/*
 * A page's bytes as a document to ask with XPath. Bytes may come from anywhere and be anything; no I/O. A
 * document is one thread's.
 */
#ifndef OB_SOURCE_WEB_HTML_H
#define OB_SOURCE_WEB_HTML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/source/web/page_tree.h"
#include "proto/error.h"

#define OB_PAGE_BYTES_MAX (4 << 20) /* a list of 2,000 pipelines has 2.7 million */

struct ob_doc;

struct ob_nodes {
        xmlNode **all; /* ours; the nodes are the document's */
        size_t n, room;
};

void ob_nodes_add(struct ob_nodes *list, xmlNode *node);
void ob_nodes_free(struct ob_nodes *list);

/*
 * NULL, and `err` says what it is instead: too large, no UTF-8, cut short, too dear, or the manager's page for
 * those who must log in, may not see it, or have met an error. The document is the caller's; `of` is borrowed by
 * it.
 */
struct ob_doc *ob_doc_parse(const void *bytes, size_t length, const struct ob_terms *of, struct ob_err *err);
void ob_doc_free(struct ob_doc *doc);

/* For ob_cleanup. */
void ob_doc_free_at(struct ob_doc **doc);

/* Its first h2; "". */
const char *ob_doc_heading(const struct ob_doc *doc);

/* -1: no time or steps were left for some of what was asked of the document, so that answers may be wrong. */
int ob_doc_check(const struct ob_doc *doc, struct ob_err *err);

/* The text that an XPath finds, tidied, the caller's; NULL where it finds nothing, or takes too long to. */
char *ob_doc_text(struct ob_doc *doc, xmlNode *from, const char *path);

/* Appends the elements that an XPath finds. */
void ob_doc_nodes(struct ob_doc *doc, const char *path, struct ob_nodes *list);

/* Blanks, and what &nbsp; stands for, become one, and none at the ends; other control characters go. The caller's.
 */
char *ob_doc_tidy(const xmlChar *text);

/* Whether a text is an XPath that could be asked. */
bool ob_doc_is_path(const char *path);

#endif
