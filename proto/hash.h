/*
 * uthash, as all of otterbeat uses it: its macros, memory that does not fail, a cheaper hash function.
 *
 * Include this header and not <uthash.h>. An item has a `UT_hash_handle hh`; the head of a table is a pointer to an
 * item, and NULL when the table is empty. A table belongs to one thread.
 */
#ifndef OB_PROTO_HASH_H
#define OB_PROTO_HASH_H

#include "proto/memory.h"

#define uthash_malloc(size)    ob_alloc(1, size)
#define uthash_free(at, size_) free(at)
#define HASH_FUNCTION          HASH_SFH /* costs less than half of the usual function */
#include <uthash.h>

/*
 * Empties the table and calls release(item) for each of its items, which frees the item and what it owns. The order
 * is the one in which the items were added.
 */
#define OB_HASH_FREE_ALL(head, release)                                                                            \
        do {                                                                                                       \
                __typeof__(head) all_ = (head), next_;                                                             \
                HASH_CLEAR(hh, head);                                                                              \
                for (; all_; all_ = next_) {                                                                       \
                        next_ = all_->hh.next;                                                                     \
                        release(all_);                                                                             \
                }                                                                                                  \
        } while (0)

/*
 * HASH_FIND for items that are looked up again and again in the order in which they were added. The macro checks
 * the item after `last` first, which saves a look into a bucket and its chain. `last` becomes the item that was
 * found; it is NULL at first, and must be NULL again when that item is deleted.
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
