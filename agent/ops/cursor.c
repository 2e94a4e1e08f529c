#include "agent/ops/cursor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ops/exit.h"
#include "agent/ops/history.h"
#include "agent/process/clock.h"
#include "agent/source/mysql/session.h"
#include "agent/source/reader.h"
#include "agent/source/rewind.h"
#include "agent/source/worker.h"
#include "agent/store/membership.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/date.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "proto/utf8.h"

static void print_source(const char *name, const struct ob_checkpoint *s)
{
        char newest[OB_DATE_MAX], since[OB_DATE_MAX], position[24] = "-";

        if (s->cursor != INT64_MIN)
                snprintf(position, sizeof(position), "%lld", (long long)s->cursor);
        printf("%-24s %-20s %-20s %-20s %s\n", name, position, ob_date_format(newest, s->newest, ' '),
                ob_date_format(since, s->since, ' '), s->identity);
}

static void print_sink(const char *name, const struct ob_delivery *p, int64_t behind, int64_t kept)
{
        printf("%-24s %-20lld %-20lld %lld\n", name, (long long)p->acked, (long long)behind, (long long)kept);
}

/* The number that means "none" becomes null. */
static json_t *number_or_null(int64_t n)
{
        return n == INT64_MIN ? json_null() : json_integer(n);
}

static json_t *source_as_json(const char *name, const struct ob_checkpoint *s)
{
        return json_pack("{ss so so so ss}", "source", name, "cursor", number_or_null(s->cursor), "newest",
                number_or_null(s->newest), "since", number_or_null(s->since), "database", s->identity);
}

static json_t *sink_as_json(const char *name, const struct ob_delivery *p, int64_t behind, int64_t kept)
{
        return json_pack("{ss sI sI sI}", "sink", name, "passed", (json_int_t)p->acked, "behind",
                (json_int_t)behind, "kept", (json_int_t)kept);
}

/* Prints one object a line. */
static void print_json(json_t *object)
{
        json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
}

/* What is printed, and how. */
struct shown {
        const struct ob_config *config;
        bool as_json;
};

/* Every source of the managers, under its name in the store. */
static int show_sources(
        const struct shown *shown, const struct ob_config *c, struct ob_store *st, struct ob_err *err)
{
        for (size_t m = 0; m < c->n_managers; m++)
                for (size_t i = 0; i < c->n_sources; i++) {
                        const struct ob_worker w = { .manager = &c->managers[m] };
                        ob_cleanup(ob_free_at) char *name = ob_worker_name(&w, c->sources[i].name);
                        struct ob_checkpoint s;

                        if (c->sources[i].kind != OB_SOURCE_TABLE ||
                                ob_source_shape(&c->sources[i]) == OB_SHAPE_NEWEST)
                                continue;
                        if (ob_store_get_checkpoint(st, name, &s, err))
                                return -1;
                        ob_utf8_show_in(s.identity, sizeof(s.identity));
                        if (s.known && shown->as_json)
                                print_json(source_as_json(name, &s));
                        else if (s.known)
                                print_source(name, &s);
                }
        return 0;
}

/* In a shared state each manager has a queue, and the manager's name is before that of the sink. */
static int show_sinks(const struct shown *shown, const struct ob_config *c, struct ob_store *st, struct ob_err *err)
{
        const struct ob_worker w = { .manager = c->state.n_hosts ? &c->managers[0] : NULL };

        for (size_t i = 0; i < c->n_sinks; i++) {
                ob_cleanup(ob_free_at) char *name = ob_worker_name(&w, c->sinks[i].name);
                struct ob_delivery p = { .acked = 0 };
                int64_t behind, kept, bytes;
                int got = ob_store_get_delivery(st, c->sinks[i].name, &p, err) ||
                          ob_store_sum_batches(st, p.sent_upto, &behind, &bytes, err) ||
                          ob_store_sum_batches(st, p.acked, &kept, &bytes, err);

                if (!got && shown->as_json)
                        print_json(sink_as_json(name, &p, behind, kept));
                else if (!got)
                        print_sink(name, &p, behind, kept);
                ob_bytes_free(&p.saved_state);
                if (got)
                        return -1;
        }
        return 0;
}

/* Calls `print` with a copy of the store, which a running agent may have open; of a shared state, for each manager.
 */
static int each_store(const struct shown *s,
        int (*print)(const struct shown *s, const struct ob_config *c, struct ob_store *st, struct ob_err *err),
        struct ob_err *err)
{
        size_t n = s->config->state.n_hosts ? s->config->n_managers : 1;
        int got = 0;

        for (size_t i = 0; i < n && !got; i++) {
                struct ob_state_dir state_dir = { .lock_fd = -1 };
                struct ob_config part = *s->config;

                if (part.state.n_hosts) {
                        part.managers += i;
                        part.n_managers = 1;
                }
                got = ob_state_dir_open(&state_dir, "", err) ||
                      ob_state_dir_copy_of(&state_dir, part.state_dir, &part, err) ||
                      print(s, &part, state_dir.anchor, err);
                ob_state_dir_close(&state_dir);
        }
        return got ? -1 : 0;
}

static int show_all(const struct shown *s, struct ob_err *err)
{
        const struct ob_config *c = s->config;

        if (!*c->state_dir && !c->state.n_hosts)
                return ob_fail(err, "state_dir is empty: nothing is kept that could be shown");
        if (!s->as_json)
                printf("%-24s %-20s %-20s %-20s %s\n", "SOURCE", "CURSOR", "NEWEST (UTC)", "SINCE (UTC)",
                        "DATABASE");
        if (each_store(s, show_sources, err))
                return -1;
        if (!s->as_json)
                printf("\n%-24s %-20s %-20s %s\n", "SINK", "PASSED BATCH", "POINTS BEHIND", "POINTS KEPT");
        return each_store(s, show_sinks, err);
}

static int show(const struct ob_config *c, bool as_json)
{
        const struct shown s = { c, as_json };
        struct ob_err err;
        int got = show_all(&s, &err);

        if (got)
                fprintf(stderr, "otterbeat: %s\n", err.text);
        return got ? EXIT_UNREACHED : EXIT_FINE;
}

/* The source that is rewound, and to which time. */
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

/* The time of the first row with this id or a later one. */
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
                if (cell && ob_number_parse_time(cell, time)) {
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

        if (ob_number_parse_int(to, &id)) {
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
        if (ob_store_get_checkpoint(st, r->name, &r->checkpoint, err))
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

/* No agent may own the manager meanwhile, nor use a folder. */
static int open_alone(const struct rewind *r, struct ob_state_settings *alone, struct ob_membership *m,
        struct ob_state_dir *state_dir, struct ob_err *err)
{
        const struct ob_config *c = r->config;

        if (!c->state.n_hosts)
                return ob_state_dir_open(state_dir, c->state_dir, err);
        return ob_membership_open_alone(m, alone, &c->state, "cursor rewind", r->manager, 1, err)
                       ? -1
                       : ob_state_dir_share(state_dir, &m->leases[0], err);
}

static int rewind_source(const struct ob_config *c, const char *source, const char *to)
{
        struct rewind r = { .config = c, .name = source, .step = ob_steps_multiple(c) };
        struct ob_membership membership = { .is_open = false };
        struct ob_state_settings alone;
        struct ob_state_dir state_dir = { .lock_fd = -1 };
        char since[OB_DATE_MAX];
        struct ob_err err;
        int got;

        if (!r.step || (!*c->state_dir && !c->state.n_hosts)) {
                fputs(r.step ? "otterbeat: state_dir is empty: nothing is kept that could be rewound\n"
                             : "otterbeat: refused: the config has no Graphite sink, and StatsD would count the rows "
                               "twice\n",
                        stderr);
                return EXIT_CONFIG;
        }
        got = find_source(&r, &err) || open_alone(&r, &alone, &membership, &state_dir, &err) ||
              rewind_in(&r, state_dir.anchor, to, &err);
        ob_state_dir_close(&state_dir);
        ob_membership_close(&membership);
        if (got) {
                if (*err.text)
                        fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_UNREACHED;
        }
        printf("source %s begins again at %s (UTC) with the next start. Graphite is told all from there on again; "
               "StatsD is not.\n",
                source, ob_date_format(since, r.since, ' '));
        return EXIT_FINE;
}

static int run_show(const struct ob_config *c, const struct ob_arguments *a)
{
        (void)a;
        return show(c, false);
}

static int run_export(const struct ob_config *c, const struct ob_arguments *a)
{
        (void)a;
        return show(c, true);
}

static int run_rewind(const struct ob_config *c, const struct ob_arguments *a)
{
        return rewind_source(c, a->words[0], a->words[1]);
}

static const struct ob_command show_command = {
        .name = "cursor show",
        .usage = "",
        .help = "show up to where each source was read, and up to where each sink has delivered",
        .options = ob_no_options,
        .run = run_show,
};

static const struct ob_command export_command = {
        .name = "cursor export",
        .usage = "",
        .help = "print the same as JSON",
        .options = ob_no_options,
        .run = run_export,
};

static const struct ob_command rewind_command = {
        .name = "cursor rewind",
        .usage = "SOURCE TIME|ID",
        .help = "rewind a source of a stopped agent: its rows are sent to Graphite again, and not to StatsD",
        .notes = ob_history_notes,
        .missing = "SOURCE TIME, or SOURCE ID,",
        .min_words = 2,
        .max_words = 2,
        .run = run_rewind,
};

const struct ob_command ob_cursor_command = {
        .name = "cursor",
        .usage = "[show | export | rewind SOURCE TIME|ID]",
        .help = "show the checkpoints of sources and sinks, or export them as JSON; or rewind a source of a stopped agent: "
                "its rows are sent to Graphite again, and not to StatsD",
        .options = ob_no_options,
        .parts = (const struct ob_command *const[]) { &show_command, &export_command, &rewind_command, NULL },
        .run = run_show,
};
