/* All SQL of the store, in words that SQLite and MariaDB share. */
#ifndef OB_STORE_SQL_H
#define OB_STORE_SQL_H

enum ob_sql {
        OB_SQL_GET_CHECKPOINT,
        OB_SQL_EACH_CHECKPOINT,
        OB_SQL_PUT_CHECKPOINT,
        OB_SQL_FORGET_CHECKPOINT,
        OB_SQL_FORGET_NAMELESS_STANDINGS,
        OB_SQL_GET_CHUNK,
        OB_SQL_CHUNKS_OF,
        OB_SQL_EACH_CHUNK,
        OB_SQL_PUT_CHUNK,
        OB_SQL_FIRST_CHUNK_SINCE,
        OB_SQL_FORGET_CHUNKS_FROM,
        OB_SQL_FORGET_CHUNKS_BELOW,
        OB_SQL_FORGET_CHUNKS,
        OB_SQL_FORGET_ALL_CHUNKS,
        OB_SQL_PUT_TOTALS,
        OB_SQL_TOTALS_OF,
        OB_SQL_EACH_TOTALS,
        OB_SQL_FORGET_TOTALS,
        OB_SQL_FORGET_TOTAL,
        OB_SQL_PUT_BATCH,
        OB_SQL_EMPTY_BATCH,
        OB_SQL_NEXT_BATCH,
        OB_SQL_EACH_BATCH,
        OB_SQL_LAST_BATCH,
        OB_SQL_SUM_BATCHES,
        OB_SQL_SUM_OLDEST,
        OB_SQL_DROP_BATCHES,
        OB_SQL_GET_DELIVERY,
        OB_SQL_PUT_DELIVERY,
        OB_SQL_FIRST_ACKED,
        OB_SQL_EACH_SINK,
        OB_SQL_FORGET_SINK,
        OB_SQL_FORGET_NAMELESS_SINKS,
        OB_SQL_BEGIN,
        OB_SQL_COMMIT,
        OB_SQL_ROLLBACK,
        OB_SQL_STATEMENTS
};

extern const char *const ob_sql[OB_SQL_STATEMENTS];

/* Makes the tables where they are not there yet. */
extern const char ob_sql_schema[];

/* Answers "ok", or what is wrong with the numbers of the batches. */
extern const char ob_sql_gaps[];

#endif
