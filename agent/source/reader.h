/*
 * Readers of rows. A row is an array of texts, one for each column of the source in its order, NULL for no value;
 * times are seconds since 1970. Readers know nothing of metrics. A reader belongs to one thread.
 */
#ifndef OB_SOURCE_READER_H
#define OB_SOURCE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/source.h"
#include "proto/error.h"

struct ob_pages;
struct ob_session;

/* The rows of the last read; the reader's, valid until the next call. */
struct ob_rows {
        const char **cells;  /* n rows, one after another */
        size_t n, width;     /* a row has at least the cells of the source's columns */
        const bool *is_same; /* for each row: the row says nothing new since the last read; NULL: unknown */
        bool has_more;       /* with a cursor: more rows may follow the last one */
        bool is_skipped;     /* no rows: the first row is too large to be read; more rows may follow it */
        int64_t skipped;     /* the id of that row */
};
#define OB_ROW_TOO_LARGE "the row is larger than 1 MB; it is left out"

/* The clock of the source's server, and the highest id there. */
struct ob_reading {
        int64_t now; /* seconds since 1970 */
        bool has_rows;
        int64_t max_id; /* valid when there are rows, and the source has a cursor */
};

#define OB_LIST_WORDS (OB_CHUNK_IDS / 64)

struct ob_reader;

struct ob_reader_ops {
        /* Prepares reading, also after a failure; cheap when nothing has changed. */
        int (*open)(struct ob_reader *r, struct ob_err *err);

        int (*read_clock)(struct ob_reader *r, struct ob_reading *at, struct ob_err *err);

        /* Up to `limit` rows from the id `from` on, in order; fewer when they are large. Without a cursor: all
         * rows. */
        int (*read)(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err);

        /*
         * Reads rows as `read` does, and the clock in the same query; `at->max_id` becomes the id of the last row.
         * 1: the answer has no clock or no id, so both must be asked for. Only with a cursor. NULL for readers
         * whose clock costs nothing.
         */
        int (*read_with_clock)(struct ob_reader *r, int64_t from, unsigned limit, struct ob_reading *at,
                struct ob_rows *rows, struct ob_err *err);

        /*
         * The ids from `from` up to but not including `end`: a row for each chunk that has ids, in no order: the
         * chunk's number (id / OB_CHUNK_IDS, rounded down), then OB_LIST_WORDS numbers of 64 bits, one bit for
         * each id, the lowest first. NULL for readers whose ids have no order.
         */
        int (*list)(struct ob_reader *r, int64_t from, int64_t end, struct ob_rows *rows, struct ob_err *err);

        void (*free)(struct ob_reader *r);
};

struct ob_reader {
        const struct ob_reader_ops *ops;
        const struct ob_source *source; /* borrowed */
        /* Valid after open: */
        const char *identity;     /* of the database; "" when there is just one */
        const char *plan;         /* in words: how the table is read, and why */
        bool has[OB_COLUMNS_MAX]; /* whether each column exists */
        const char *missing;      /* in words: the columns that do not exist; "" */
        /* After a read: some rows could not be read, which was logged. */
        bool is_partial;
        /* After a failed read: the failure was logged, perhaps for several readers at once. */
        bool is_logged;
};

/* A reader of a table, over a session that several readers of one thread share. */
struct ob_reader *ob_reader_mysql_new(const struct ob_source *source, struct ob_session *session);

/* The server's plan of the query for up to `limit` rows from an id on, for an open reader of a table. */
struct ob_explained {
        char access[32]; /* "range", "ref", …; "ALL": the whole table */
        char index[260]; /* "": none */
        int64_t rows;    /* that the server expects to examine */
};
int ob_reader_mysql_explain(
        struct ob_reader *r, int64_t from, unsigned limit, struct ob_explained *e, struct ob_err *err);

/* A reader of a manager's page. The sources of a worker share `pages`. The source's table is the page's name. */
struct ob_reader *ob_reader_page_new(const struct ob_source *source, struct ob_pages *pages);

void ob_reader_free(struct ob_reader *r);

#endif
