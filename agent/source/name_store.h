/* The names that the channels, pipelines, nodes and pairs of a manager have and had, as the store keeps them. Owned
 * by the thread that owns the store's connection. */
#ifndef OB_SOURCE_NAME_STORE_H
#define OB_SOURCE_NAME_STORE_H

#include "agent/source/name_table.h"
#include "agent/store/store.h"

/* Reads all names of a manager from the store into the book. */
int ob_name_store_load(struct ob_store *st, const char *manager, struct ob_name_book *b, struct ob_err *err);

/* Stores the names of the book from number `from` on, in one transaction. */
int ob_name_store_keep(
        struct ob_store *st, const char *manager, const struct ob_name_book *b, size_t from, struct ob_err *err);

#endif
