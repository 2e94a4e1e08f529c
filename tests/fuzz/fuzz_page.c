/* A page off a network: it is read as every page that there is, or refused with a reason. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/web/cell.h"
#include "agent/source/web/parse.h"
#include "proto/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct ob_zone *zone;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        struct ob_err err;

        (void)argc;
        (void)argv;
        zone = ob_zone_load("Europe/Berlin", &err);
        return 0;
}

/* A cell that is not text is a number, or none. */
static void read_cell(const struct ob_page_column *c, const char *raw)
{
        const struct ob_cell_world world = { .zone = zone, .now = 1587351060 };
        char room[OB_CELL_MAX];
        const char *read = ob_cell_read(c, &world, raw, room);
        struct ob_metric_value value;

        if (read && c->cell != OB_CELL_TEXT && strcmp(read, "?") != 0)
                assert(ob_number_parse(read, &value, NULL));
}

static void read_page(const struct ob_page *page, struct ob_doc *doc)
{
        struct ob_page named = *page;
        struct ob_page_rows rows = { .n = 0 };
        struct ob_err err = { .text = "" };

        named.heading = NULL; /* a fuzzer need not find out by itself what stands there */
        if (ob_page_read(&named, doc, NULL, &rows, &err))
                assert(*err.text);
        for (size_t i = 0; i < rows.n * rows.width; i++)
                read_cell(&page->columns[i % rows.width], rows.cells[i]);
        ob_page_rows_free(&rows);
}

/* With an end, which it would only guess at random. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char end[] = "</html>";
        const struct ob_terms terms = {
                .deadline = INT64_MAX, .pages = ob_builtin_pages, .n_pages = ob_n_builtin_pages
        };
        char *bytes = malloc(size + sizeof(end));
        struct ob_err err = { .text = "" };
        struct ob_doc *doc;

        assert(bytes);
        memcpy(bytes, data, size);
        memcpy(bytes + size, end, sizeof(end));
        doc = ob_doc_parse(bytes, size + sizeof(end) - 1, &terms, &err);
        assert(doc || *err.text);
        for (unsigned i = 0; doc && i < ob_n_builtin_pages; i++)
                read_page(&ob_builtin_pages[i], doc);
        ob_doc_free(doc);
        bytes[size] = '\0'; /* and as a cell, whatever it is */
        for (enum ob_cell c = 0; c < OB_CELLS; c++)
                read_cell(&(struct ob_page_column) { "c", c }, bytes);
        free(bytes);
        return 0;
}
