/*
 * A page: a table that stands on one of the manager's web pages, as a list of columns that are found by the
 * words above them. Nothing that fetches or reads asks which page it is; another one is a literal in pages.c,
 * or a source with an `address` in the user's config. Values; const once the config is loaded.
 */
#ifndef OB_CONFIG_PAGE_H
#define OB_CONFIG_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/source.h"

/* How the text of a cell becomes what sources read. */
enum ob_cell {
        OB_CELL_TEXT,
        OB_CELL_WHOLE,    /* a whole number; whatever stands between groups of three digits is left out */
        OB_CELL_NUMBER,   /* a number, whose decimal mark may be a comma */
        OB_CELL_DURATION, /* "1 h 2 m 3.456 s", as NumberFormatUtil.formatDelay prints it: milliseconds */
        OB_CELL_WORD,     /* one of `words`: its number */
        OB_CELL_DATE,     /* "2020-04-20 10:50:57" in the manager's zone: seconds since 1970 */
        OB_CELL_AGE,      /* the same: seconds from then to now */
        OB_CELL_LAG,      /* milliseconds since 1970: milliseconds from then to now */
        OB_CELLS
};

struct ob_word {
        const char *word; /* NULL: the end */
        int number;
};

struct ob_page_column {
        const char *name; /* as sources call it */
        enum ob_cell cell;
        const char *header;          /* the word above the cell; NULL: it is found from the row */
        const char *path;            /* XPath from there, in the place of the whole text; NULL */
        const struct ob_word *words; /* of an OB_CELL_WORD */
        bool is_of_page;             /* the path begins at the page, not at the row: the same for all rows */
};

struct ob_page {
        const char *name;
        const char *address; /* below the manager's url; {} stands for what `each` says, or the page's number */
        const char *heading; /* what its h2 says; NULL: nothing */
        const char *rows; /* XPath of the rows; where columns have headers, of tables that may be it. NULL: any */

        /* {} is the column of another page, in its rows where `where` is `number`. */
        struct ob_page_each {
                const char *page; /* NULL: there is just one such page */
                const char *column, *where;
                int number;
        } each;

        bool is_long; /* ten rows a page: {} is the number of the page */
        unsigned n_columns;
        struct ob_page_column columns[OB_COLUMNS_MAX];
};

/* The pages that every config begins with. */
extern const struct ob_page ob_builtin_pages[];
extern const unsigned ob_n_builtin_pages;

/* The word of an OB_CELL. */
extern const char *const ob_cells[OB_CELLS];

/* By its name; NULL. */
const struct ob_page *ob_page_find(const struct ob_page *pages, size_t n, const char *name);

/* Whether it is a table with words above its columns; else each row is found by itself. */
bool ob_page_has_headers(const struct ob_page *page);

/* The position of a column, or -1. */
int ob_page_column(const struct ob_page *page, const char *name);

#endif
