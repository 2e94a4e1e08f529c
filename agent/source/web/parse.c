#include "agent/source/web/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/web/cell.h"
#include "proto/memory.h"

#define ROWS_MAX   20000     /* of a page; Otter shows ten, or all of a channel's pipelines */
#define BYTES_MAX  (4 << 20) /* of all its cells */
#define CELL_BYTES 40        /* of a cell, however short its text is */

/* The next node below `root` in the document's order; skips the children of `node` when `over`. */
static xmlNode *next_node(xmlNode *node, const xmlNode *root, bool over)
{
        if (!over && node->children)
                return node->children;
        while (node != root && !node->next)
                node = node->parent;
        return node == root ? NULL : node->next;
}

static bool is_called(const xmlNode *node, const char *name)
{
        return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

/* Collects the headers and cells of a table in any of its rows; not those of nested tables. */
static void cut_table(xmlNode *table, struct ob_nodes *headers, struct ob_nodes *cells)
{
        xmlNode *node = next_node(table, table, false);

        while (node) {
                bool is_header = is_called(node, "th"), is_cell = is_called(node, "td");

                if (is_header || is_cell)
                        ob_nodes_add(is_header ? headers : cells, node);
                node = next_node(node, table, is_header || is_cell || is_called(node, "table"));
        }
}

/* "DB数量(1分种)" is "DB数量". */
static bool is_header(const char *said, const char *wanted)
{
        size_t length = strlen(wanted);

        return !strncmp(said, wanted, length) &&
               (!said[length] || said[length] == '(' || !strncmp(said + length, "（", strlen("（")));
}

/* Finds the index of each column in a table; -1: none. Returns how many columns were found. */
static unsigned place_columns(const struct ob_page *page, const struct ob_page_settings *settings,
        const struct ob_nodes *headers, int place[OB_COLUMNS_MAX])
{
        unsigned n = 0;

        for (unsigned c = 0; c < page->n_columns; c++)
                place[c] = -1;
        for (size_t h = 0; h < headers->n; h++) {
                xmlChar *content = xmlNodeGetContent(headers->all[h]);
                ob_cleanup(ob_free_at) char *said = ob_doc_tidy(content ? content : (const xmlChar *)"");

                xmlFree(content);
                for (unsigned c = 0; c < page->n_columns; c++) {
                        const char *wanted = page->columns[c].header;

                        if (!wanted || place[c] >= 0 || !is_header(said, ob_cell_word(settings, wanted)))
                                continue;
                        place[c] = (int)h;
                        n++;
                }
        }
        return n;
}

/* The state of reading one page. */
struct reading {
        struct ob_doc *doc;
        const struct ob_page *page;
        const struct ob_page_settings *settings;
        struct ob_page_rows *rows;
        struct ob_nodes headers, cells; /* of the table; of a page without headers: one cell for each row */
        int place[OB_COLUMNS_MAX];
        char *of_page[OB_COLUMNS_MAX]; /* ours: values that are the same for all rows; NULL */
};

static void free_reading(struct reading *r)
{
        for (unsigned c = 0; c < OB_COLUMNS_MAX; c++)
                free(r->of_page[c]);
        ob_nodes_free(&r->headers);
        ob_nodes_free(&r->cells);
}

/* Chooses the table with most of the headers. */
static int choose_table(struct reading *r, struct ob_err *err)
{
        ob_cleanup(ob_nodes_free) struct ob_nodes tables = { .n = 0 };
        unsigned most = 0;

        ob_doc_nodes(r->doc, r->page->rows ? r->page->rows : "//table[.//th]", &tables);
        for (size_t i = 0; i < tables.n; i++) {
                ob_cleanup(free_reading) struct reading other = { .doc = r->doc };
                unsigned n;

                cut_table(tables.all[i], &other.headers, &other.cells);
                n = place_columns(r->page, r->settings, &other.headers, other.place);
                if (n <= most)
                        continue;
                most = n;
                free_reading(r);
                memcpy(r->place, other.place, sizeof(r->place));
                r->headers = other.headers;
                r->cells = other.cells;
                other.headers = other.cells = (struct ob_nodes) { .n = 0 };
        }
        if (!most)
                return ob_fail(err, "none of the headers of page \"%s\" is on it", r->page->name);
        assert(r->headers.n);
        if (r->cells.n % r->headers.n)
                return ob_fail(err, "%zu cells below %zu headers are no whole rows", r->cells.n, r->headers.n);
        return 0;
}

/* Lists the missing headers, in words. */
static void note_missing(struct reading *r)
{
        for (unsigned c = 0; c < r->page->n_columns; c++) {
                const char *header = r->page->columns[c].header;

                if (!header || r->place[c] >= 0)
                        continue;
                header = ob_cell_word(r->settings, header);
                if (r->rows->missing && strstr(r->rows->missing, header))
                        continue;
                ob_append(&r->rows->missing, ", ", "\"%s\"", header);
        }
}

/* Finds the values that are the same for all rows once, since a search for each row takes too long. */
static void find_of_page(struct reading *r)
{
        for (unsigned c = 0; c < r->page->n_columns; c++)
                if (r->page->columns[c].is_of_page)
                        r->of_page[c] = ob_doc_text(r->doc, NULL, r->page->columns[c].path);
}

static char *read_cell(const struct reading *r, unsigned column, xmlNode *row, xmlNode *const *cells)
{
        const struct ob_page_column *c = &r->page->columns[column];

        if (c->is_of_page)
                return r->of_page[column] ? ob_copy(r->of_page[column]) : NULL;
        if (c->header && r->place[column] < 0)
                return NULL;
        return ob_doc_text(r->doc, c->header ? cells[r->place[column]] : row, c->path ? c->path : ".");
}

/* -1: the page takes too much memory. */
static int add_row(struct reading *r, xmlNode *row, xmlNode *const *cells, struct ob_err *err)
{
        struct ob_page_rows *rows = r->rows;

        while (rows->room < (rows->n + 1) * rows->width) {
                rows->room = rows->room ? 2 * rows->room : 16 * rows->width;
                rows->cells = ob_realloc(rows->cells, rows->room, sizeof(*rows->cells));
        }
        for (unsigned c = 0; c < rows->width; c++) {
                char *cell = read_cell(r, c, row, cells);

                rows->cells[rows->n * rows->width + c] = cell;
                rows->bytes += CELL_BYTES + (cell ? strlen(cell) : 0);
        }
        rows->n++;
        if (rows->bytes > BYTES_MAX)
                return ob_fail(err, "what stands in its cells takes more than %d MiB: see what answers at page.url",
                        BYTES_MAX >> 20);
        return ob_doc_check(r->doc, err);
}

static bool read_number(const char **at, const char *word, int *number)
{
        char *end;
        long n;

        if (strncmp(*at, word, strlen(word)) != 0)
                return false;
        n = strtol(*at + strlen(word), &end, 10);
        *at = end;
        *number = (int)n;
        return n >= 0 && n <= 1000000;
}

/* 共27条数据  第1页/共3页 */
static int read_numbers(struct reading *r, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *said = ob_doc_text(r->doc, NULL, "//div[@class='page']");
        const char *at = said ? strstr(said, "共") : NULL;

        if (!at || !read_number(&at, "共", &r->rows->items) || !read_number(&at, "条数据 第", &r->rows->number) ||
                !read_number(&at, "页/共", &r->rows->numbers))
                return ob_fail(err, "it does not say which of how many pages it is");
        return 0;
}

/* Copies the texts into one block of memory, which takes a third of the memory of single blocks. */
static void pack(struct ob_page_rows *rows)
{
        size_t n = rows->n * rows->width, length = 0;
        char *at;

        for (size_t i = 0; i < n; i++)
                length += rows->cells[i] ? strlen(rows->cells[i]) + 1 : 0;
        at = rows->texts = ob_alloc(length + 1, 1);
        for (size_t i = 0; i < n; i++) {
                char *cell = rows->cells[i];

                if (!cell)
                        continue;
                rows->cells[i] = at;
                at = stpcpy(at, cell) + 1;
                free(cell);
        }
        rows->cells = ob_realloc(rows->cells, n + 1, sizeof(*rows->cells));
        rows->room = n + 1;
        rows->bytes = length + n * sizeof(*rows->cells);
}

static int read_rows(struct reading *r, struct ob_err *err)
{
        bool is_table = ob_page_has_headers(r->page);
        size_t width = 1;

        if (is_table) {
                if (choose_table(r, err))
                        return -1;
                note_missing(r);
                width = r->headers.n;
                assert(width);
        } else {
                ob_doc_nodes(r->doc, r->page->rows ? r->page->rows : "/*", &r->cells);
        }
        if (r->cells.n / width > ROWS_MAX)
                return ob_fail(err, "there are more than %d rows on it", ROWS_MAX);
        find_of_page(r);
        for (size_t i = 0; i + width <= r->cells.n; i += width)
                if (add_row(r, r->cells.all[i], r->cells.all + i, err))
                        return -1;
        if (ob_doc_check(r->doc, err))
                return -1;
        pack(r->rows);
        return 0;
}

bool ob_page_is(const struct ob_page *page, const struct ob_doc *doc, const struct ob_page_settings *settings)
{
        return !page->heading || !strcmp(ob_doc_heading(doc), ob_cell_word(settings, page->heading));
}

int ob_page_read(const struct ob_page *page, struct ob_doc *doc, const struct ob_page_settings *settings,
        struct ob_page_rows *rows, struct ob_err *err)
{
        ob_cleanup(
                free_reading) struct reading r = { .doc = doc, .page = page, .settings = settings, .rows = rows };

        rows->width = page->n_columns;
        if (!ob_page_is(page, doc, settings))
                return ob_fail(err, "its heading is \"%.60s\", not \"%s\"", ob_doc_heading(doc), page->heading);
        if (!(page->is_long && read_numbers(&r, err)) && !read_rows(&r, err))
                return 0;
        ob_page_rows_free(rows);
        ob_doc_check(doc, err); /* a value may be missing for want of time */
        return -1;
}

void ob_page_rows_free(struct ob_page_rows *rows)
{
        for (size_t i = 0; !rows->texts && i < rows->n * rows->width; i++)
                free(rows->cells[i]);
        free(rows->texts);
        free(rows->cells);
        free(rows->missing);
        *rows = (struct ob_page_rows) { .n = 0 };
}
