#include "agent/process/mysql/result.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "proto/memory.h"
#include "proto/number.h"

#define BLOCK (64U << 10) /* bytes; the first is kept for the next result */

struct ob_result_block {
        struct ob_result_block *before;
        size_t size, used;
        char bytes[];
};

static void free_blocks(struct ob_result *r, bool keeps_first)
{
        while (r->blocks && (r->blocks->before || !keeps_first)) {
                struct ob_result_block *before = r->blocks->before;

                free(r->blocks);
                r->blocks = before;
        }
}

void ob_result_free(struct ob_result *r)
{
        free_blocks(r, false);
        free(r->cells);
        free(r->names);
        *r = (struct ob_result) { .n = 0 };
}

static char *take(struct ob_result *r, size_t bytes)
{
        struct ob_result_block *b = r->blocks;
        char *at;

        if (!b || b->size - b->used < bytes) {
                size_t size = bytes > BLOCK ? bytes : BLOCK;

                b = ob_realloc(NULL, 1, sizeof(*b) + size);
                *b = (struct ob_result_block) { .before = r->blocks, .size = size };
                r->blocks = b;
        }
        at = b->bytes + b->used;
        b->used += bytes;
        return at;
}

void ob_result_begin(struct ob_result *r, const char *about, size_t width, size_t most)
{
        free_blocks(r, true);
        if (r->blocks)
                r->blocks->used = 0;
        if (r->blocks && r->blocks->size > BLOCK)
                free_blocks(r, false);
        free(r->names);
        r->about = about;
        r->names = NULL;
        r->n = r->bytes = 0;
        r->width = width;
        r->most = most;
        r->is_cut = false;
        memset(r->is_number, 0, sizeof(r->is_number));
}

void ob_result_set_number(struct ob_result *r, size_t column)
{
        if (column < OB_RESULT_COLUMNS_MAX)
                r->is_number[column] = true;
}

void ob_result_name_columns(struct ob_result *r, const char *const *names)
{
        r->names = ob_alloc(r->width, sizeof(*r->names));
        for (size_t i = 0; i < r->width; i++) {
                size_t size = strlen(names[i]) + 1;

                r->names[i] = memcpy(take(r, size), names[i], size);
        }
}

/* A NUL inside a text becomes a '?', so that the rest of the cell is not lost. */
static void replace_nuls(char *text, size_t length)
{
        char *nul = text;

        while ((nul = memchr(nul, '\0', length - (size_t)(nul - text))))
                *nul = '?';
}

bool ob_result_add(struct ob_result *r, char *const *cells, const unsigned long *lengths)
{
        size_t needed = r->width * sizeof(*r->cells), texts = 0, first = r->n * r->width;
        char *at;

        for (size_t i = 0; i < r->width; i++)
                texts += cells[i] ? lengths[i] + 1 : 0;
        if (texts + needed > r->most - r->bytes)
                return false;
        if (first + r->width > r->room) {
                r->room = first + r->width > 2 * r->room ? first + r->width : 2 * r->room;
                r->cells = ob_realloc(r->cells, r->room, sizeof(*r->cells));
        }
        at = take(r, texts);
        for (size_t i = 0; i < r->width; i++) {
                size_t length = lengths[i];

                r->cells[first + i] = cells[i] ? at : NULL;
                if (!cells[i])
                        continue;
                memcpy(at, cells[i], length);
                if (i >= OB_RESULT_COLUMNS_MAX || !r->is_number[i])
                        replace_nuls(at, length);
                at[length] = '\0';
                at += length + 1;
        }
        r->bytes += texts + needed;
        r->n++;
        return true;
}

const char *ob_result_cell(const struct ob_result *r, size_t row, size_t column)
{
        return row < r->n && column < r->width ? r->cells[row * r->width + column] : NULL;
}

const char *ob_result_text(const struct ob_result *r, size_t row, size_t column, struct ob_err *err)
{
        const char *cell = ob_result_cell(r, row, column);

        if (!cell)
                ob_fail(err, "mysql: the answer about %s has no text in row %zu, column %zu", r->about, row + 1,
                        column + 1);
        return cell;
}

bool ob_result_time(const struct ob_result *r, size_t row, size_t column, int64_t *time)
{
        const char *cell = ob_result_cell(r, row, column);

        return cell && ob_number_parse_time(cell, time);
}

const char *ob_result_named(const struct ob_result *r, size_t row, const char *column)
{
        for (size_t i = 0; r->names && i < r->width; i++)
                if (!strcmp(r->names[i], column))
                        return ob_result_cell(r, row, i) ? ob_result_cell(r, row, i) : "";
        return "";
}
