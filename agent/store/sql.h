/* All SQL of the store, in words that SQLite and MariaDB share. */
#ifndef OB_STORE_SQL_H
#define OB_STORE_SQL_H

#include "agent/store/table.h"

/* The two numbers in the file that say that it is a store, and of which version. */
#define OB_STORE_APPLICATION_ID 0x6f626561 /* "obea" */
#define OB_STORE_VERSION        4

/* What every table of typed rows has a statement for. */
enum ob_row_verb {
        OB_ROWS_EACH,          /* reads all rows of the table */
        OB_ROWS_OF,            /* reads all rows of an owner */
        OB_ROW_GET,            /* reads the row of a key */
        OB_ROW_PUT,            /* writes a row */
        OB_ROW_FORGET,         /* deletes the row of a key */
        OB_ROWS_FORGET,        /* deletes all rows of an owner */
        OB_ROWS_CLEAR,         /* deletes all rows of the table */
        OB_ROWS_ANY,           /* whether the table has a row: reads the number 1 */
        OB_ROW_FORGET_CORRUPT, /* deletes the row of a key whose values may have types that the columns do not have
                                */
        OB_ROW_VERBS
};

enum ob_sql {
        OB_SQL_FIRST_CHUNK_SINCE,
        OB_SQL_LAST_CHUNK,
        OB_SQL_FORGET_CHUNKS_FROM,
        OB_SQL_FORGET_CHUNKS_BELOW,
        OB_SQL_FORGET_SIGNATURES,
        OB_SQL_PUT_BATCH,
        OB_SQL_COPY_BATCH,
        OB_SQL_EMPTY_BATCH,
        OB_SQL_NEXT_BATCH,
        OB_SQL_SUM_BATCHES,
        OB_SQL_SUM_OLDEST,
        OB_SQL_DROP_BATCHES,
        OB_SQL_FIRST_ACKED,
        OB_SQL_OF_TABLES, /* from here on: those of each table */
        OB_SQL_STATEMENTS = OB_SQL_OF_TABLES + OB_TABLES * OB_ROW_VERBS
};

#define OB_SQL_OF(table, verb) ((enum ob_sql)(OB_SQL_OF_TABLES + (int)(table)*OB_ROW_VERBS + (int)(verb)))

extern const char *const ob_sql[OB_SQL_STATEMENTS];

struct ob_table_facts {
        const char *what;  /* what a row of the table is, in an error */
        const char *types; /* a letter for each column but the checksum: n number, t text, b blob */
        int n;             /* how many columns that is */
        int n_key;         /* how many of the first columns are the primary key */
};

extern const struct ob_table_facts ob_table_facts[OB_TABLES];

/* The columns of a batch after its number: points, bytes, body. */
#define OB_BATCH_TYPES "nnb"

/* Makes the tables. */
extern const char ob_sql_schema[];

/* Returns "ok", or what is wrong with the numbers of the batches. */
extern const char ob_sql_gaps[];

#endif
