#include "tests/unit/world.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/store/state_session.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"

/* The port of a server on loopback that deploy/state.sql was run on: worlds "in memory" are there then. */
static const char port_variable[] = "OB_UNIT_STATE_PORT";

/* Deletes what an earlier test has left, by the rights that an agent has. */
static int empty(struct world *w)
{
        static const char *const tables[] = { "sources", "seen_ids", "tracked_rows", "tracked_totals", "names",
                "event_signatures", "event_values", "pipeline_states", "batches", "sinks", "sink_totals",
                "sink_totals_upto", "agents" };
        struct ob_state_session session = { .settings = &w->settings };
        ob_cleanup(ob_free_at) char *sql = ob_copy("UPDATE leases SET owner = '', expires = 0, last_batch = 0");
        struct ob_state_answer ignored;
        struct ob_stop never;
        int got;

        for (size_t i = 0; i < LENGTH(tables); i++)
                ob_append(&sql, "; ", "DELETE FROM %s", tables[i]);
        ob_stop_init(&never);
        session.stop = &never;
        got = ob_state_session_open(&session, &w->err) || ob_state_session_run(&session, sql, &ignored, &w->err);
        ob_state_session_close(&session);
        ob_stop_fini(&never);
        return got ? -1 : 0;
}

static int share(struct world *w, const char *port)
{
        w->settings = (struct ob_state_settings) {
                .hosts = { "127.0.0.1" },
                .n_hosts = 1,
                .mysql = { .user = "otterbeat_agent",
                        .password = "change-me-2",
                        .database = "otterbeat",
                        .password_file = "",
                        .socket = "",
                        .ca = "",
                        .cert = "",
                        .key = "",
                        .port = (int)strtol(port, NULL, 10),
                        .connect_timeout = 5,
                        .query_timeout = 12 },
                .lease = 30,
                .agent = "unit",
        };
        w->manager = (struct ob_manager) { .name = "" };
        if (empty(w) || ob_membership_open(&w->membership, &w->settings, &w->manager, 1, &w->err))
                return -1;
        w->lease = &w->membership.leases[0];
        if (!ob_membership_wait(&w->membership, ob_clock_ms() + 10000))
                return ob_fail(&w->err, "the lease was not taken");
        return ob_state_dir_share(&w->state_dir, w->lease, &w->err);
}

static int make_world(void **state, char *folder)
{
        struct world *w = ob_alloc(1, sizeof(*w));
        const char *port = folder ? NULL : getenv(port_variable);

        w->folder = folder;
        *state = w;
        if (port ? share(w, port) : ob_state_dir_open(&w->state_dir, folder ? folder : "", &w->err)) {
                print_error("%s\n", w->err.text);
                return -1;
        }
        w->st = ob_store_open(&w->state_dir, &w->err);
        return w->st ? 0 : -1;
}

int world_on_disk(void **state)
{
        return make_world(state, folder_new());
}

int world_in_memory(void **state)
{
        return make_world(state, NULL);
}

int world_tear_down(void **state)
{
        struct world *w = *state;

        ob_store_close(w->st);
        ob_state_dir_close(&w->state_dir);
        ob_membership_close(&w->membership);
        if (w->folder)
                folder_remove(w->folder);
        free(w);
        return 0;
}

void world_ok(const struct world *w, int result)
{
        if (result < 0)
                fail_msg("%s", w->err.text);
}

struct ob_bytes world_bytes(const char *text)
{
        return (struct ob_bytes) { .data = (unsigned char *)text, .length = strlen(text) };
}
