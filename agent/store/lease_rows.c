#include "agent/store/lease_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

int ob_lease_ms(const struct ob_state_settings *settings)
{
        return settings->lease * 1000;
}

static void take_text(char to[OB_LEASE_NAME_MAX], const char *cell)
{
        snprintf(to, OB_LEASE_NAME_MAX, "%s", cell);
}

static void add_lease(void *ctx, const char *const *cells)
{
        struct ob_lease_rows *rows = ctx;
        struct ob_lease_row *row;

        rows->leases = ob_grow(rows->leases, &rows->lease_room, rows->n_leases, sizeof(*rows->leases));
        row = &rows->leases[rows->n_leases++];
        row->unit = ob_state_number(cells[0]);
        take_text(row->manager, cells[1]);
        take_text(row->owner, cells[2]);
        row->instance = ob_state_number(cells[3]);
        row->generation = ob_state_number(cells[4]);
        row->left = ob_state_number(cells[5]);
        row->asked = ob_state_number(cells[6]);
}

static void add_agent(void *ctx, const char *const *cells)
{
        struct ob_lease_rows *rows = ctx;
        struct ob_agent_row *row;

        rows->agents = ob_grow(rows->agents, &rows->agent_room, rows->n_agents, sizeof(*rows->agents));
        row = &rows->agents[rows->n_agents++];
        take_text(row->name, cells[0]);
        row->instance = ob_state_number(cells[1]);
        row->left = ob_state_number(cells[2]);
        row->rests = ob_state_number(cells[3]);
}

int ob_lease_rows_read(struct ob_state_session *s, struct ob_lease_rows *rows, struct ob_err *err)
{
        rows->n_leases = rows->n_agents = 0;
        if (ob_state_session_each(s,
                    "SELECT l.unit, l.manager, l.owner, l.instance, l.generation, l.expires - " OB_STATE_NOW
                    ", r.generation FROM leases l LEFT JOIN releases r ON r.unit = l.unit ORDER BY l.unit",
                    7, add_lease, rows, err))
                return -1;
        return ob_state_session_each(s,
                "SELECT name, instance, expires - " OB_STATE_NOW ", rests_until - " OB_STATE_NOW
                " FROM agents ORDER BY name",
                4, add_agent, rows, err);
}

int ob_lease_rows_read_once(
        const struct ob_state_settings *settings, struct ob_lease_rows *rows, struct ob_err *err)
{
        struct ob_state_session session = { .settings = settings };
        struct ob_stop never;
        int got;

        ob_stop_init(&never);
        session.stop = &never;
        got = ob_state_session_open(&session, err) || ob_lease_rows_read(&session, rows, err) ? -1 : 0;
        ob_state_session_close(&session);
        ob_stop_fini(&never);
        return got;
}

void ob_lease_rows_free(struct ob_lease_rows *rows)
{
        free(rows->leases);
        free(rows->agents);
        *rows = (struct ob_lease_rows) { .leases = NULL };
}

const struct ob_lease_row *ob_lease_rows_find(const struct ob_lease_rows *rows, const char *manager)
{
        for (size_t i = 0; i < rows->n_leases; i++)
                if (!strcmp(rows->leases[i].manager, manager))
                        return &rows->leases[i];
        return NULL;
}

bool ob_lease_row_is_owned(const struct ob_lease_row *row)
{
        return *row->owner && row->left >= 0;
}

static int run(struct ob_state_session *s, const char *sql, struct ob_err *err)
{
        struct ob_state_answer a;

        return ob_state_session_run(s, sql, &a, err);
}

/* Two agents may make the same row at once: then one of them makes none. */
int ob_lease_rows_add(struct ob_state_session *s, const char *manager, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(manager);
        ob_cleanup(ob_free_at) char *sql = ob_format(
                "INSERT IGNORE INTO leases (manager, owner, instance, generation, beats, expires, last_batch)"
                " VALUES (%s, '', 0, 0, 0, 0, 0)",
                name);

        return run(s, sql, err);
}

int ob_lease_rows_ask(struct ob_state_session *s, const struct ob_lease_row *row, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *sql = ob_format("INSERT INTO releases (unit, generation) VALUES (%lld, %lld)"
                                                     " ON DUPLICATE KEY UPDATE generation = %lld",
                (long long)row->unit, (long long)row->generation, (long long)row->generation);

        return run(s, sql, err);
}

int ob_lease_rows_rest(struct ob_state_session *s, const char *agent, int64_t ms, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(agent);
        ob_cleanup(ob_free_at) char *sql = ob_format(
                "UPDATE agents SET rests_until = CASE WHEN name = %s THEN " OB_STATE_NOW " + %lld ELSE 0 END", name,
                (long long)ms);

        return run(s, sql, err);
}

/* A sink that the database does not know begins with the oldest batch, or, beside other sinks, with the next one.
 */
int ob_lease_rows_backlog(
        struct ob_state_session *s, int64_t unit, const char *sink, struct ob_backlog *backlog, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_state_literal(sink ? sink : "");
        ob_cleanup(ob_free_at) char *after =
                sink ? ob_format(" AND seq > (SELECT sent_upto FROM sinks WHERE unit = %lld AND name = %s)",
                               (long long)unit, name)
                     : ob_copy("");
        ob_cleanup(ob_free_at) char *sql = ob_format(
                "SELECT SUM(points), SUM(bytes) FROM batches WHERE unit = %lld%s", (long long)unit, after);
        struct ob_state_answer a;

        if (ob_state_session_run(s, sql, &a, err))
                return -1;
        *backlog = (struct ob_backlog) { ob_state_number(a.cells[0]), ob_state_number(a.cells[1]) };
        return 0;
}
