/*
 * Where rows come from. A row is an array of texts, one for each column of the source in its order, NULL
 * where there is nothing; times are seconds since 1970. Readers know nothing of metrics.
 * A reader belongs to one thread.
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

/* Rows of the last read; the reader's, until it is asked again. */
struct ob_rows {
        const char **cells; /* n rows, one behind the other */
        size_t n, width;
        bool has_more;   /* of a table with a cursor: behind the last one there may be others */
        bool is_skipped; /* there is none, since the first one is too large to be read; behind it there may be
                            others */
        int64_t skipped; /* … its id */
};
#define OB_ROW_TOO_LARGE "the row is larger than 1 MB; it is left out"

/* The clock of the place that the rows come from, and the highest id there. */
struct ob_reading {
        int64_t now; /* seconds since 1970 */
        bool has_rows;
        int64_t max_id; /* when it has rows, and the source a cursor */
};

#define OB_LIST_WORDS (OB_CHUNK_IDS / 64)

struct ob_reader;

struct ob_reader_ops {
        /* Gets ready to read, also after a failure; cheap when nothing has changed since. */
        int (*open)(struct ob_reader *r, struct ob_err *err);

        int (*read_clock)(struct ob_reader *r, struct ob_reading *at, struct ob_err *err);

        /* Up to `limit` rows from the id `from` on, in order, or less where they are large. Without a cursor: all
         * rows. */
        int (*read)(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err);

        /*
         * Which ids there are, from one up to, not with, another: a row for each chunk that has any, in no order.
         * First comes the chunk's number (id / OB_CHUNK_IDS, rounded down), then OB_LIST_WORDS numbers of 64 bits,
         * a bit an id, the lowest first. NULL where ids are no order.
         */
        int (*list)(struct ob_reader *r, int64_t from, int64_t end, struct ob_rows *rows, struct ob_err *err);

        void (*free)(struct ob_reader *r);
};

struct ob_reader {
        const struct ob_reader_ops *ops;
        const struct ob_source *source; /* borrowed */
        /* After open: */
        const char *identity;     /* of the database; "" where there is just one */
        const char *plan;         /* how it is read and why, in words */
        bool has[OB_COLUMNS_MAX]; /* which columns there are */
        const char *missing;      /* … and in words, which are not; "" */
        /* After read: there was more, which could not be read, and that was told. */
        bool is_partial;
        /* After a read that failed: it was told already what is wrong, perhaps for several readers at once. */
        bool is_logged;
};

/* One of a table, over a session that several readers of one thread share. */
struct ob_reader *ob_reader_mysql_new(const struct ob_source *source, struct ob_session *session);

/* How the server goes about the query for up to `limit` rows from an id on, of a reader of a table that is open. */
struct ob_explained {
        char access[32]; /* "range", "ref", … ; "ALL": the whole table */
        char index[260]; /* "": none */
        int64_t rows;    /* that it thinks it must look at */
};
int ob_reader_mysql_explain(
        struct ob_reader *r, int64_t from, unsigned limit, struct ob_explained *e, struct ob_err *err);

/* One of the manager's pages, in the rounds that a worker's sources share. The source's table is a page's name. */
struct ob_reader *ob_reader_page_new(const struct ob_source *source, struct ob_pages *pages);

void ob_reader_free(struct ob_reader *r);

#endif
