/* The tables of typed rows, and the values of such a row. The functions may be called from any thread. */
#ifndef OB_STORE_TABLE_H
#define OB_STORE_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum ob_store_table {
        OB_TABLE_SOURCES,
        OB_TABLE_SEEN_IDS,
        OB_TABLE_TRACKED_ROWS,
        OB_TABLE_TRACKED_TOTALS,
        OB_TABLE_NAMES,
        OB_TABLE_EVENT_SIGNATURES,
        OB_TABLE_EVENT_VALUES,
        OB_TABLE_PIPELINE_STATES,
        OB_TABLE_SINKS,
        OB_TABLE_SINK_TOTALS,
        OB_TABLE_SINK_TOTALS_UPTO,
        OB_TABLES
};

#define OB_ROW_COLUMNS 8 /* the most columns that a table has, without the checksum */

/* One value. The data is borrowed; the data of a text ends in a NUL. */
struct ob_value {
        enum { OB_VALUE_NUMBER, OB_VALUE_TEXT, OB_VALUE_BLOB } type;
        int64_t number;
        const void *data;
        size_t length;
};

struct ob_value ob_value_number(int64_t n);
struct ob_value ob_value_text(const char *t);
struct ob_value ob_value_blob(const void *data, size_t length);

#endif
