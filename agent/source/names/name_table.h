/*
 * What a manager's channels, pipelines, nodes and pairs of tables are called, and were called. Ids tell series
 * apart; names are what they are shown by, and may change. So each name holds from a time on, and what came to
 * pass before is told under the name of then, also when it is told late, or again.
 *
 * Not locked. A book is one thread's; a table is const once others may see it.
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
        const char *labels[OB_NAME_LABELS]; /* what the texts are called; NULL: there is no such text */
        bool is_inside;                     /* its node is one of its pipeline's, not of all */
};
extern const struct ob_name_facts ob_name_facts[OB_NAMED_KINDS];

/* The kind whose ids a tag holds; OB_NAMED_KINDS: it is another tag. */
enum ob_named_kind ob_name_kind_of(const char *key);

/* How something was called from a time on. Const; lives as long as its book. */
struct ob_name {
        enum ob_named_kind kind;
        int64_t id;
        int64_t parent;                    /* of a pair: its pipeline; 0 */
        int64_t since;                     /* seconds since 1970; INT64_MIN: it was never called otherwise */
        const char *texts[OB_NAME_LABELS]; /* in the order of the labels; "" where there is none */
        const char *node;                  /* what stands for the id in a path of names; "": the id itself */
        const struct ob_name *before;      /* the name it had before */
};

/* All names there ever were, and whose each node is: it is not given to another one any more. */
struct ob_name_node;
struct ob_name_book {
        struct ob_name **names; /* ours, in the order they came in */
        size_t n, room;
        struct ob_name_node *nodes; /* ours */
};

void ob_name_book_free(struct ob_name_book *b);

/* Adds a copy of a name that was kept: all of it is as it is. */
struct ob_name *ob_name_book_add(struct ob_name_book *b, const struct ob_name *name);

/* Takes back the last names, down to `n`; their nodes stay theirs. */
void ob_name_book_cut(struct ob_name_book *b, size_t n);

/* A row of what the manager says now. */
struct ob_name_row {
        enum ob_named_kind kind;
        int64_t id, parent;
        int64_t made;                      /* seconds since 1970; 0: it is not known */
        const char *texts[OB_NAME_LABELS]; /* NULL: there is none */
};

/* Something that has, or had, a name. */
struct ob_named {
        enum ob_named_kind kind;
        int64_t id, made;
        bool is_there;                /* at the last whole reading of its kind */
        bool is_met;                  /* in the reading that is going on */
        const struct ob_name *newest; /* the book's */
};

struct ob_name_table {
        struct ob_named *all; /* ours; by kind and id, but for those that were added since the last sorting */
        size_t n, n_sorted, room;
};

void ob_name_table_free(struct ob_name_table *t);

/* Makes `t` of what the book has. */
void ob_name_table_fill(struct ob_name_table *t, const struct ob_name_book *b);
void ob_name_table_copy(struct ob_name_table *t, const struct ob_name_table *from);

/*
 * Reading: each row says what is there; what has a new name has it from `renamed` on, what is new from `added` on.
 * What had no row by the end of its kind is gone. Sorting ends it all.
 */
void ob_name_table_row(struct ob_name_table *t, struct ob_name_book *b, const struct ob_name_row *row,
        int64_t added, int64_t renamed);
void ob_name_table_end(struct ob_name_table *t, enum ob_named_kind kind);
void ob_name_table_sort(struct ob_name_table *t);

/* Something that was told of without a name: should it get one, it has it only from then on. */
void ob_name_table_miss(struct ob_name_table *t, struct ob_name_book *b, enum ob_named_kind kind, int64_t id);

/* Among the sorted. NULL: it was never heard of. */
const struct ob_named *ob_name_table_find(const struct ob_name_table *t, enum ob_named_kind kind, int64_t id);

/* The first one of a kind that is there with an id behind `after`; NULL. */
const struct ob_named *ob_name_table_next(const struct ob_name_table *t, enum ob_named_kind kind, int64_t after);

/* What it was called at a time; NULL: it had no name. */
const struct ob_name *ob_named_at(const struct ob_named *named, int64_t time);

#endif
