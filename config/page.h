/*
 * A page describes a table on one of the manager's web pages as a list of columns, which are found by their
 * headers. The code that fetches and parses pages never asks which page it has: a new page is a literal in pages.c,
 * or a source with an `address` in the user's config. Values; const once the config is loaded.
 */
#ifndef OB_CONFIG_PAGE_H
#define OB_CONFIG_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/source.h"

/* How the text of a cell becomes the value that sources read. */
enum ob_cell {
        OB_CELL_TEXT,
        OB_CELL_WHOLE,    /* a whole number; separators between groups of three digits are skipped */
        OB_CELL_NUMBER,   /* a number, whose decimal mark may be a comma */
        OB_CELL_DURATION, /* "1 h 2 m 3.456 s", as NumberFormatUtil.formatDelay prints it: milliseconds */
        OB_CELL_WORD,     /* one of `words`; the value is its number */
        OB_CELL_DATE,     /* "2020-04-20 10:50:57" in the manager's zone: seconds since 1970 */
        OB_CELL_AGE,      /* the same text; the value is the seconds from that date to now */
        OB_CELL_LAG,      /* milliseconds since 1970; the value is the milliseconds from then to now */
        OB_CELLS
};

struct ob_word {
        const char *word; /* NULL ends the list */
        int number;
};

struct ob_page_column {
        const char *name; /* by which sources refer to this column */
        enum ob_cell cell;
        const char *header; /* the text of the table header; NULL: `path` finds the cell from the row */
        const char *path;   /* XPath from the cell (or row) to the text; NULL: the whole text of the cell */
        const struct ob_word *words; /* of an OB_CELL_WORD */
        bool is_of_page;             /* `path` begins at the page: all rows have the same value */
};

struct ob_page {
        const char *name;
        const char *address; /* below the manager's url; {} is replaced as `each` or `is_long` says */
        const char *heading; /* the text that the h2 of the page must have; NULL: any text */
        const char *rows;    /* XPath of the rows; of the candidate tables when columns have headers. NULL: all */

        /* {} is replaced by each value of `column` on another page, in the rows where `where` equals `number`. */
        struct ob_page_each {
                const char *page; /* NULL: there is one page only */
                const char *column, *where;
                int number;
        } each;

        bool is_long; /* ten rows are on one page: {} is replaced by the number of the page */
        unsigned n_columns;
        struct ob_page_column columns[OB_COLUMNS_MAX];
};

/* The pages that every config begins with. */
extern const struct ob_page ob_builtin_pages[];
extern const unsigned ob_n_builtin_pages;

/* The config's word for each kind of cell. */
extern const char *const ob_cells[OB_CELLS];

/* Finds a page by its name. NULL when there is none. */
const struct ob_page *ob_page_find(const struct ob_page *pages, size_t n, const char *name);

/* Whether columns are found by headers; else the cells are found from each of the page's `rows`. */
bool ob_page_has_headers(const struct ob_page *page);

/* The position of the column with this name, or -1. */
int ob_page_column(const struct ob_page *page, const char *name);

#endif
