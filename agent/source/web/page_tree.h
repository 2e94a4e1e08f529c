/*
 * From a page's bytes to a tree of HTML. The cost is bounded while the tree is built, since the server at the
 * manager's address may send anything. No I/O.
 */
#ifndef OB_SOURCE_WEB_PAGE_TREE_H
#define OB_SOURCE_WEB_PAGE_TREE_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "config/page.h"
#include "proto/error.h"

#define OB_TREE_TOKEN_MAX      32768      /* bytes of one tag or comment */
#define OB_TREE_ATTRIBUTES_MAX 64         /* of one tag */
#define OB_TREE_DEPTH_MAX      100        /* of tags within tags */
#define OB_TREE_MEMORY_MAX     (36 << 20) /* bytes, as estimated; a list of 2,000 pipelines takes 33 MB */

/* The limits for working on a page. Borrowed. */
struct ob_terms {
        struct ob_stop *stop;        /* ends the work; NULL: only the deadline does */
        int64_t deadline;            /* on ob_clock_ms() */
        const struct ob_page *pages; /* attributes that are in none of their paths are left out */
        size_t n_pages;              /* 0: all attributes are kept */
};

/* 0 while there is time and no stop is wanted. */
int ob_terms_check(const struct ob_terms *of, struct ob_err *err);

/* The caller frees the tree with xmlFreeDoc(). NULL: too expensive, or no HTML. `bytes` are UTF-8. */
xmlDoc *ob_tree_parse(const void *bytes, size_t length, const struct ob_terms *of, struct ob_err *err);

#endif
