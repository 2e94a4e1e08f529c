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

#endif
