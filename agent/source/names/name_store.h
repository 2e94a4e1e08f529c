/* Stores the names of a manager, past names too. Owned by the thread that owns the store. */
#ifndef OB_SOURCE_NAMES_NAME_STORE_H
#define OB_SOURCE_NAMES_NAME_STORE_H

#include "agent/source/names/name_table.h"
#include "agent/store/store.h"

/* Reads all stored names of a manager into the book. */
int ob_name_store_load(struct ob_store *st, const char *manager, struct ob_name_book *b, struct ob_err *err);

/* Stores the names of the book from index `from` on, in one transaction. */
int ob_name_store_keep(
        struct ob_store *st, const char *manager, const struct ob_name_book *b, size_t from, struct ob_err *err);

#endif
