#include "agent/face/check.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/process/stop.h"
#include "agent/sink/wire.h"
#include "agent/source/name_rows.h"
#include "agent/source/pages.h"
#include "agent/source/reader.h"
#include "agent/source/session.h"
#include "proto/memory.h"

/* A line: whether it is well, what it is about, and what there is to say. */
static bool say(bool is_well, const char *what, const char *name, const char *said)
{
        printf("%s  %s %s: %s\n", is_well ? "ok " : "BAD", what, name, said);
        return is_well;
}

static bool check_source(const struct ob_source *source, struct ob_session *session)
{
        struct ob_reader *reader = ob_reader_mysql_new(source, session);
        struct ob_reading at;
        struct ob_err err;
        bool is_well;

        if (reader->ops->open(reader, &err) || reader->ops->look(reader, &at, &err))
                is_well = say(false, "source", source->name, err.text);
        else if (*reader->missing)
                is_well = say(false, "source", source->name,
                        (ob_fail(&err, "table %s has none of these columns: %s", source->table, reader->missing),
                                err.text));
        else
                is_well = say(true, "source", source->name,
                        (ob_fail(&err, "table %s, %s", source->table, reader->plan), err.text));
        ob_reader_free(reader);
        return is_well;
}

static void count_row(void *n, const struct ob_name_row *row)
{
        (void)row;
        ++*(size_t *)n;
}

/* Without names there are ids, so that is not bad. */
static bool check_names(struct ob_session *session)
{
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++) {
                ob_cleanup(ob_free_at) char *grant = NULL;
                struct ob_err err, said;
                size_t n = 0;
                int got = ob_name_rows_read(session, kind, count_row, &n, &err);

                if (!got)
                        grant = ob_name_rows_grant(session, kind, &err);
                if (got < 0 || (!got && !grant))
                        return say(false, "names", ob_name_facts[kind].key, err.text);
                if (got)
                        ob_fail(&said, "%zu are known", n);
                else
                        ob_fail(&said, "shown by ids alone: %s; this would help: %s", err.text, grant);
                say(true, "names", ob_name_facts[kind].key, said.text);
        }
        return true;
}

static bool check_manager(const struct ob_config *c, const struct ob_manager *m)
{
        struct ob_session session;
        struct ob_err err;
        bool is_well = true;

        ob_session_init(&session, &m->mysql);
        if (ob_session_open(&session, &err))
                return say(false, "manager", *m->name ? m->name : m->mysql.database, err.text);
        for (size_t i = 0; i < c->n_sources; i++)
                if (c->sources[i].enabled && c->sources[i].reader == OB_READER_MYSQL)
                        is_well &= check_source(&c->sources[i], &session);
        if (c->names.enabled)
                is_well &= check_names(&session);
        ob_session_close(&session);
        return is_well;
}

/* Reads every page once. */
static bool check_page(const struct ob_source *source, struct ob_reader *reader)
{
        struct ob_reading at;
        struct ob_rows rows;
        struct ob_err err;

        if (reader->ops->open(reader, &err) || reader->ops->look(reader, &at, &err) ||
                reader->ops->read(reader, INT64_MIN, (unsigned)source->batch, &rows, &err))
                return say(false, "source", source->name, err.text);
        ob_fail(&err, "%s%zu rows read: %s", reader->is_partial ? "not all pages could be read; " : "", rows.n,
                reader->plan);
        return say(!reader->is_partial, "source", source->name, err.text);
}

static bool check_pages(const struct ob_config *c, const struct ob_manager *m)
{
        struct ob_source_counters counters = { .name = "page" };
        struct ob_pages *pages = ob_pages_new(&(struct ob_pages_setting) {
                .config = c, .manager = m, .name = "page", .counters = &counters, .is_patient = true });
        struct ob_session session;
        bool is_well = true;

        ob_session_init(&session, &m->mysql);
        for (size_t i = 0; i < c->n_sources; i++) {
                const struct ob_source *s = &c->sources[i];
                struct ob_reader *reader = NULL;

                if (s->enabled && s->reader == OB_READER_PAGE)
                        reader = ob_reader_page_new(s, pages);
                if (s->enabled && s->reader == OB_READER_ZONE)
                        reader = ob_reader_zone_new(s, pages, &session);
                is_well &= !reader || check_page(s, reader);
                ob_reader_free(reader);
        }
        ob_pages_free(pages);
        ob_session_close(&session);
        return is_well;
}

static const struct ob_wire_ops *const wires[OB_SINK_TYPES] = {
        [OB_SINK_STATSD] = &ob_wire_datagram,
        [OB_SINK_GRAPHITE] = &ob_wire_tcp,
        [OB_SINK_EVENTS] = &ob_wire_http,
};

static bool check_sink(const struct ob_sink_settings *s)
{
        struct ob_stop never;
        struct ob_wire wire;
        struct ob_err err;
        bool is_well;

        ob_stop_init(&never);
        ob_wire_init(&wire, wires[s->type], s, &never);
        is_well = !wire.ops->open(&wire, &err);
        if (is_well)
                wire.ops->abort(&wire);
        ob_stop_fini(&never);
        return say(is_well, "sink", s->name,
                !is_well                    ? err.text
                : s->type == OB_SINK_STATSD ? "its address is known; a datagram tells no more"
                                            : "there is somebody who listens");
}

static bool check_state(const char *dir)
{
        struct ob_err err;

        if (!*dir)
                return say(true, "state", "\"\"", "in memory: nothing survives the end of the process");
        if (access(dir, F_OK))
                return say(true, "state", dir, "will be made");
        if (access(dir, R_OK | W_OK | X_OK))
                return say(false, "state", dir, (ob_fail(&err, "%m"), err.text));
        return say(true, "state", dir, "can be written");
}

bool ob_check(const struct ob_config *c)
{
        bool is_well = check_state(c->state_dir);

        for (size_t i = 0; i < c->n_managers; i++) {
                is_well &= check_manager(c, &c->managers[i]);
                is_well &= check_pages(c, &c->managers[i]);
        }
        for (size_t i = 0; i < c->n_sinks; i++)
                is_well &= check_sink(&c->sinks[i]);
        return is_well;
}
