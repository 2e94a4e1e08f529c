/*
 * Rewinding moves the standing of a source back and puts into the queue, behind all that was counted before, the
 * word that Graphite's sinks begin its series from nothing. So the steps from there on are added up anew, from all
 * their rows. StatsD is never told them twice: what was counted before is marked so.
 */
#include "agent/ops/rewind.h"

#include <stdio.h>
#include <string.h>

#include "agent/ops/exit.h"
#include "agent/ops/history.h"
#include "agent/process/clock.h"
#include "agent/source/reader.h"
#include "agent/source/rewind.h"
#include "agent/source/session.h"
#include "agent/source/worker.h"
#include "agent/store/store.h"
#include "proto/date.h"
#include "proto/memory.h"
#include "proto/number.h"

/* What is taken back, and to where. */
struct rewind {
        const struct ob_config *config;
        const struct ob_manager *manager;
        const struct ob_source *source;
        const char *name; /* [manager/]source */
        int64_t step, since;
        struct ob_checkpoint checkpoint;
};

/* Finds the source by its name in the store. */
static int find_source(struct rewind *r, struct ob_err *err)
{
        const struct ob_config *c = r->config;

        for (size_t m = 0; m < c->n_managers; m++)
                for (size_t i = 0; i < c->n_sources; i++) {
                        const struct ob_worker w = { .manager = &c->managers[m] };
                        ob_cleanup(ob_free_at) char *name = ob_worker_name(&w, c->sources[i].name);

                        if (strcmp(name, r->name) != 0)
                                continue;
                        r->manager = &c->managers[m];
                        r->source = &c->sources[i];
                        return ob_rewind_has_history(r->source)
                                       ? 0
                                       : ob_fail(err,
                                                 "source %s keeps no history that could be read again: only tables "
                                                 "whose rows have times and stay as they are do",
                                                 name);
                }
        return ob_fail(err, "there is no source '%s'; `otterbeat cursor` lists them", r->name);
}

/* The time of the first row from an id on. */
static int time_of(const struct rewind *r, int64_t id, int64_t *time, struct ob_err *err)
{
        struct ob_session session;
        struct ob_reader *reader;
        struct ob_rows rows;
        const char *cell = NULL;
        int got = -1;

        ob_session_init(&session, &r->manager->mysql, NULL);
        reader = ob_reader_mysql_new(r->source, &session);
        if (!reader->ops->open(reader, err) && !reader->ops->read(reader, id, 1, &rows, err)) {
                cell = rows.n ? rows.cells[ob_source_find(r->source, OB_TIME)] : NULL;
                if (cell && ob_number_parse_time(cell, strlen(cell), time)) {
                        got = 0;
                } else {
                        ob_fail(err, "table %s has no row with a time from id %lld on", r->source->table,
                                (long long)id);
                }
        }
        ob_reader_free(reader);
        ob_session_fini(&session);
        return got;
}

static int find_time(struct rewind *r, const char *to, struct ob_err *err)
{
        int64_t id;
        int code;

        if (ob_number_parse_int(to, strlen(to), &id)) {
                code = time_of(r, id, &r->since, err);
                r->since -= code ? 0 : r->since % r->step;
                return code;
        }
        *err->text = '\0';
        return ob_history_time(to, ob_clock_wall(), r->step, &r->since) ? 0 : -1;
}

static int commit(const struct rewind *r, struct ob_store *st, struct ob_err *err)
{
        if (ob_store_begin(st, err))
                return -1;
        if (ob_rewind_source(st, r->manager, r->source, r->name, r->since, r->checkpoint.newest + 1, err)) {
                ob_store_rollback(st);
                return -1;
        }
        return ob_store_commit(st, err);
}

static int rewind_in(struct rewind *r, struct ob_store *st, const char *to, struct ob_err *err)
{
        if (find_source(r, err) || ob_store_get_checkpoint(st, r->name, &r->checkpoint, err))
                return -1;
        if (!r->checkpoint.known || r->checkpoint.newest == INT64_MIN)
                return ob_fail(err,
                        "nothing of source %s was counted yet; its setting `start` says where it begins", r->name);
        if (find_time(r, to, err))
                return -1;
        if (r->since > r->checkpoint.newest)
                return ob_fail(err, "that is not back: source %s has counted rows up to less than that", r->name);
        return commit(r, st, err);
}

int ob_rewind(const struct ob_config *c, const char *source, const char *to)
{
        struct rewind r = { .config = c, .name = source, .step = ob_rewind_step(c) };
        struct ob_state_dir state_dir = { .lock_fd = -1 };
        char since[OB_DATE_SIZE];
        struct ob_err err;
        int got;

        if (!r.step || !*c->state_dir) {
                fputs(r.step ? "otterbeat: state_dir is empty: nothing is kept that could be rewound\n"
                             : "otterbeat: refused: the config has no Graphite sink, and StatsD would count the rows "
                               "twice\n",
                        stderr);
                return EXIT_CONFIG;
        }
        got = ob_state_dir_open(&state_dir, c->state_dir, &err) || rewind_in(&r, state_dir.anchor, to, &err);
        ob_state_dir_close(&state_dir);
        if (got) {
                if (*err.text)
                        fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_UNREACHED;
        }
        printf("source %s begins again at %s (UTC) with the next start. Graphite is told all from there on again; "
               "StatsD is not.\n",
                source, ob_date_format(r.since, since));
        return EXIT_FINE;
}
