/*
 * The names of a manager's channels, pipelines, nodes and pairs of tables: present and past. Each name holds from a
 * time on, because a row must get the name of its own time, even when the row is read late or twice.
 *
 * There is no lock here. A book belongs to the thread that reads the names; a name is const once it is dated, and a
 * table once other threads may see it.
 */
#ifndef OB_SOURCE_NAMES_NAME_TABLE_H
#define OB_SOURCE_NAMES_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ob_named_kind { OB_NAMED_CHANNEL, OB_NAMED_PIPELINE, OB_NAMED_PAIR, OB_NAMED_NODE, OB_NAMED_KINDS };

#define OB_NAME_LABELS 2

struct ob_name_facts {
        const char *key;                    /* of the tag that holds the id */
        const char *labels[OB_NAME_LABELS]; /* the labels that the texts become; NULL: there is no such text */
        bool is_inside;                     /* the node is unique only within its pipeline */
};
extern const struct ob_name_facts ob_name_facts[OB_NAMED_KINDS];

/* The kind whose ids a tag holds; OB_NAMED_KINDS: it is another tag. */
enum ob_named_kind ob_name_kind_of(const char *key);

/* What something was called from a time on. Lives as long as its book. */
struct ob_name {
        enum ob_named_kind kind;
        int64_t id;
        int64_t parent;                    /* of a pair: its pipeline; else 0 */
        int64_t since;                     /* seconds since 1970; INT64_MIN: for all the past */
        const char *texts[OB_NAME_LABELS]; /* in the order of the labels; "" where there is none */
        const char *node;                  /* stands for the id in a path of names; "": the id itself does */
        const struct ob_name *before;      /* the previous name of the object; NULL */
};

/* All names that were ever read, and the owner of each node: no other object ever gets that node. */
struct ob_name_node;
struct ob_name_book {
        struct ob_name **names; /* ours, in the order in which they came in */
        size_t n, room;
        struct ob_name_node *nodes; /* ours */
};

void ob_name_book_free(struct ob_name_book *b);

/* Adds a copy of a name that was stored. */
struct ob_name *ob_name_book_add(struct ob_name_book *b, const struct ob_name *name);

/* The names from the n-th on hold from `since` on, but for those that hold for all the past. */
void ob_name_book_date(struct ob_name_book *b, size_t n, int64_t since);

/* Removes the names from the n-th on; their nodes stay taken. */
void ob_name_book_cut(struct ob_name_book *b, size_t n);

/* A row of the manager's tables. */
struct ob_name_row {
        enum ob_named_kind kind;
        int64_t id, parent;
        int64_t made;                      /* seconds since 1970; 0: it is not known */
        const char *texts[OB_NAME_LABELS]; /* NULL: there is none */
};

/* Something that has a name, or had one. */
struct ob_named {
        enum ob_named_kind kind;
        int64_t id, made;
        bool is_there;                /* it had a row when its kind was last read as a whole */
        bool is_met;                  /* it has a row in the reading that is going on */
        const struct ob_name *newest; /* the book's */
};

struct ob_name_table {
        struct ob_named *all; /* ours; sorted by kind and id, but for those that a reading has added */
        size_t n, n_sorted, room;
};

void ob_name_table_free(struct ob_name_table *t);

/* Makes a table of a book's names. */
void ob_name_table_fill(struct ob_name_table *t, const struct ob_name_book *b);
void ob_name_table_copy(struct ob_name_table *t, const struct ob_name_table *from);

/*
 * The steps of a reading: for each kind _row for each row, then _end; at last _sort, and ob_name_book_date. An
 * object without a row at the _end of its kind does not exist any more. `is_first`: the name of an object that is
 * new in the table holds for all the past.
 */
void ob_name_table_row(
        struct ob_name_table *t, struct ob_name_book *b, const struct ob_name_row *row, bool is_first);
void ob_name_table_end(struct ob_name_table *t, enum ob_named_kind kind);
void ob_name_table_sort(struct ob_name_table *t);

/* The functions below see only what is sorted. */

/* NULL: the id never had a name. */
const struct ob_named *ob_name_table_find(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id);

/* The first one of a kind that is there and has an id above `after`; NULL. */
const struct ob_named *ob_name_table_next(const struct ob_name_table *t, enum ob_named_kind kind, int64_t after);

/* Whether anything of a kind ever had a name. */
bool ob_name_table_has(const struct ob_name_table *t, enum ob_named_kind kind);

/* Whether an id is above all ids of its kind (at least one): its object is newer than the last reading. */
bool ob_name_table_is_new(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id);

/* The name at a time; NULL: there was none yet. */
const struct ob_name *ob_named_at(const struct ob_named *named, int64_t time);

#endif
