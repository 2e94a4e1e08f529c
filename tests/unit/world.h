/*
 * A store for a test: a place on disk or in memory, and one connection to it. The test's state. With the variable
 * OB_UNIT_STATE_PORT, which tests/integration/test_cluster.py sets, a database takes the place of the memory.
 */
#ifndef OB_TESTS_UNIT_WORLD_H
#define OB_TESTS_UNIT_WORLD_H

#include "agent/store/membership.h"
#include "agent/store/store.h"
#include "tests/unit/unit.h"

struct world {
        char *folder;                      /* NULL in memory */
        struct ob_state_settings settings; /* of a world in a database */
        struct ob_manager manager;
        struct ob_membership membership;
        struct ob_lease *lease; /* of the membership */
        struct ob_state_dir state_dir;
        struct ob_store *st;
        struct ob_err err;
};

int world_on_disk(void **state);
int world_in_memory(void **state);
int world_tear_down(void **state);

/* A result that must not be -1, or the test ends with what went wrong. */
void world_ok(const struct world *w, int result);

/* A test that is run in both. */
#define EVERYWHERE(test)                                                                                           \
        cmocka_unit_test_setup_teardown(test, world_on_disk, world_tear_down),                                     \
                cmocka_unit_test_setup_teardown(test, world_in_memory, world_tear_down)

/* Bytes that borrow a text. */
struct ob_bytes world_bytes(const char *text);

#endif
