/*
 * uthash, as all of otterbeat uses it: its macros, memory that does not fail, a cheaper hash.
 *
 * Include this and not <uthash.h>. An item has a `UT_hash_handle hh`; the table's head is a pointer to an item,
 * NULL when it is empty. Not safe between threads.
 */
#ifndef OB_PROTO_HASH_H
#define OB_PROTO_HASH_H

#include "proto/memory.h"

#define uthash_malloc(size)    ob_alloc(1, size)
#define uthash_free(at, size_) free(at)
#define HASH_FUNCTION          HASH_SFH /* less than half of what the usual one costs */
#include <uthash.h>

/*
 * HASH_FIND for items that are asked for in the order in which they were added, again and again: looks at the one
 * behind `last` first, which spares the cache the bucket and its chain. `last` becomes what is found; it is NULL at
 * first and must be NULL again when its item is deleted.
 */
#define OB_HASH_FIND_BEHIND(head, last, text, length, item)                                                        \
        do {                                                                                                       \
                (item) = (last) && (last)->hh.next ? (last)->hh.next : (head);                                     \
                if ((item) && ((item)->hh.keylen != (length) || memcmp((item)->hh.key, (text), (length)) != 0))    \
                        HASH_FIND(hh, head, text, length, item);                                                   \
                if (item)                                                                                          \
                        (last) = (item);                                                                           \
        } while (0)

#endif
