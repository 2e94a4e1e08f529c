#include "agent/cluster/cluster.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ops/exit.h"
#include "agent/process/clock.h"
#include "agent/store/lease_rows.h"
#include "agent/store/state_session.h"
#include "proto/memory.h"
#include "proto/quantity.h"
#include "proto/utf8.h"

#define LOOK_MS     20    /* between two looks at the leases */
#define PATIENCE_MS 5000  /* after the time of a lease */
#define REST_MS     60000 /* for so long an agent takes no manager that has released all */

/* The backlog of a manager. */
struct manager {
        const struct ob_lease_row *row;
        struct ob_backlog queue;  /* all that is kept */
        struct ob_backlog *sinks; /* ours: what each sink has not sent */
};

/* A session of this command, and what the database says at one moment. */
struct view {
        const struct ob_config *config;
        struct ob_stop never;
        struct ob_state_session session;
        struct ob_lease_rows rows;
        struct manager *managers; /* ours; as many as there are leases */
};

static int read_rows(struct view *v, struct ob_err *err)
{
        if (ob_state_session_open(&v->session, err))
                return -1;
        return ob_lease_rows_read(&v->session, &v->rows, err);
}

static int read_manager(struct view *v, struct manager *m, struct ob_err *err)
{
        const struct ob_config *c = v->config;

        if (ob_lease_rows_backlog(&v->session, m->row->unit, NULL, &m->queue, err))
                return -1;
        m->sinks = ob_alloc(c->n_sinks, sizeof(*m->sinks));
        for (size_t i = 0; i < c->n_sinks; i++)
                if (ob_lease_rows_backlog(&v->session, m->row->unit, c->sinks[i].name, &m->sinks[i], err))
                        return -1;
        return 0;
}

/* All at one moment: the agents go on writing. */
static int begin_reading(struct view *v, struct ob_err *err)
{
        struct ob_state_answer a;

        if (ob_state_session_open(&v->session, err))
                return -1;
        return ob_state_session_run(&v->session, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", &a, err);
}

/* The end of the session ends the transaction. */
static int read_all(struct view *v, struct ob_err *err)
{
        if (begin_reading(v, err) || read_rows(v, err))
                return -1;
        v->managers = ob_alloc(v->rows.n_leases, sizeof(*v->managers));
        for (size_t i = 0; i < v->rows.n_leases; i++) {
                v->managers[i].row = &v->rows.leases[i];
                if (read_manager(v, &v->managers[i], err))
                        return -1;
        }
        return 0;
}

/* The time since a row was renewed that ends in `left` milliseconds. */
static int64_t age_of(const struct view *v, int64_t left)
{
        int64_t age = ob_lease_ms(&v->config->state) - left;

        return age > 0 ? age : 0;
}

static size_t count_owned(const struct view *v, const char *agent)
{
        size_t n = 0;

        for (size_t i = 0; i < v->rows.n_leases; i++)
                n += ob_lease_row_is_owned(&v->rows.leases[i]) && !strcmp(v->rows.leases[i].owner, agent);
        return n;
}

static const char *state_of(const struct view *v, const struct ob_agent_row *agent)
{
        if (agent->left < 0)
                return "silent";
        if (agent->rests > 0)
                return "resting";
        return count_owned(v, agent->name) ? "owner" : "standby";
}

/* Cleans all texts for a terminal. */
static void clean(struct view *v)
{
        for (size_t i = 0; i < v->rows.n_agents; i++)
                ob_utf8_show_in(v->rows.agents[i].name, sizeof(v->rows.agents[i].name));
        for (size_t i = 0; i < v->rows.n_leases; i++) {
                ob_utf8_show_in(v->rows.leases[i].manager, sizeof(v->rows.leases[i].manager));
                ob_utf8_show_in(v->rows.leases[i].owner, sizeof(v->rows.leases[i].owner));
        }
}

static void print_agents(const struct view *v)
{
        char age[OB_QUANTITY_MAX];

        printf("%-24s %-10s %-10s %s\n", "AGENT", "STATE", "MANAGERS", "LAST BEAT");
        for (size_t i = 0; i < v->rows.n_agents; i++) {
                const struct ob_agent_row *a = &v->rows.agents[i];

                printf("%-24s %-10s %-10zu %s ago\n", a->name, state_of(v, a), count_owned(v, a->name),
                        ob_quantity_time(age, age_of(v, a->left)));
        }
}

static void print_managers(const struct view *v)
{
        char points[OB_QUANTITY_MAX], age[OB_QUANTITY_MAX];

        printf("\n%-24s %-24s %-11s %-12s %-10s", "MANAGER", "OWNER", "GENERATION", "RENEWED", "QUEUE");
        for (size_t i = 0; i < v->config->n_sinks; i++)
                printf(" %-10s", v->config->sinks[i].name);
        putchar('\n');
        for (size_t i = 0; i < v->rows.n_leases; i++) {
                const struct manager *m = &v->managers[i];
                bool is_owned = ob_lease_row_is_owned(m->row);

                printf("%-24s %-24s %-11" PRId64 " %-12s %-10s", *m->row->manager ? m->row->manager : "\"\"",
                        is_owned ? m->row->owner : "-", m->row->generation,
                        is_owned ? ob_quantity_time(age, age_of(v, m->row->left)) : "-",
                        ob_quantity_count(points, m->queue.points));
                for (size_t k = 0; k < v->config->n_sinks; k++)
                        printf(" %-10s", ob_quantity_count(points, m->sinks[k].points));
                putchar('\n');
        }
        puts("\nRENEWED is the time since the owner has renewed the lease. QUEUE has the points that are kept; below the name of\n"
             "a sink are the points that this sink has not sent.");
}

static json_t *backlog_as_json(const char *sink, const struct ob_backlog *b)
{
        return json_pack(
                "{ss* sI sI}", "sink", sink, "points", (json_int_t)b->points, "bytes", (json_int_t)b->bytes);
}

static json_t *manager_as_json(const struct view *v, const struct manager *m)
{
        bool is_owned = ob_lease_row_is_owned(m->row);
        json_t *sinks = json_array();

        for (size_t i = 0; i < v->config->n_sinks; i++)
                json_array_append_new(sinks, backlog_as_json(v->config->sinks[i].name, &m->sinks[i]));
        return json_pack("{ss ss? sI sI sI so so}", "manager", m->row->manager, "owner",
                is_owned ? m->row->owner : NULL, "generation", (json_int_t)m->row->generation, "lease_age_ms",
                (json_int_t)age_of(v, m->row->left), "lease_left_ms", (json_int_t)m->row->left, "queue",
                backlog_as_json(NULL, &m->queue), "sinks", sinks);
}

static void print_json(const struct view *v)
{
        json_t *agents = json_array(), *managers = json_array(), *all;

        for (size_t i = 0; i < v->rows.n_agents; i++) {
                const struct ob_agent_row *a = &v->rows.agents[i];

                json_array_append_new(agents, json_pack("{ss ss sI sI}", "agent", a->name, "state", state_of(v, a),
                                                      "managers", (json_int_t)count_owned(v, a->name),
                                                      "beat_age_ms", (json_int_t)age_of(v, a->left)));
        }
        for (size_t i = 0; i < v->rows.n_leases; i++)
                json_array_append_new(managers, manager_as_json(v, &v->managers[i]));
        all = json_pack("{so so}", "agents", agents, "managers", managers);
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(all);
}

/* Opens the session. EXIT_FINE, or the exit code. */
static int open_view(struct view *v, const struct ob_config *config)
{
        *v = (struct view) { .config = config };
        if (!config->state.n_hosts) {
                fputs("otterbeat: the config has no setting `state`: one agent works alone\n", stderr);
                return EXIT_CONFIG;
        }
        ob_stop_init(&v->never);
        v->session = (struct ob_state_session) { .settings = &config->state, .stop = &v->never };
        return EXIT_FINE;
}

static int close_view(struct view *v, int got, struct ob_err *err)
{
        ob_state_session_close(&v->session);
        ob_stop_fini(&v->never);
        for (size_t i = 0; v->managers && i < v->rows.n_leases; i++)
                free(v->managers[i].sinks);
        free(v->managers);
        ob_lease_rows_free(&v->rows);
        if (got) {
                ob_utf8_show_in(err->text, sizeof(err->text));
                fprintf(stderr, "otterbeat: %s\n", err->text);
        }
        return got ? EXIT_UNREACHED : EXIT_FINE;
}

enum { JSON };

static int run_show(const struct ob_config *config, const struct ob_arguments *a)
{
        struct ob_err err;
        struct view v;
        int got = open_view(&v, config);

        if (got)
                return got;
        got = read_all(&v, &err);
        if (!got)
                clean(&v);
        if (!got && a->options[JSON]) {
                print_json(&v);
        } else if (!got) {
                print_agents(&v);
                print_managers(&v);
        }
        return close_view(&v, got, &err);
}

/* Without another living agent nobody would work on the managers of this one. */
static int find_other(const struct view *v, const char *agent, struct ob_err *err)
{
        for (size_t i = 0; i < v->rows.n_agents; i++)
                if (v->rows.agents[i].left >= 0 && strcmp(v->rows.agents[i].name, agent) != 0)
                        return 0;
        return ob_fail(err, "no other agent lives, so agent %s keeps what it owns", agent);
}

/* Looks again and again until the request is fulfilled: `is_done` returns 1, 0, or -1. */
static int wait_for(struct view *v, const char *agent, const struct ob_lease_row *was, int64_t began,
        int (*is_done)(struct view *v, const char *agent, const struct ob_lease_row *was, struct ob_err *err),
        struct ob_err *err)
{
        int got;

        while (!(got = is_done(v, agent, was, err))) {
                if (ob_clock_ms() - began > 2 * ob_lease_ms(&v->config->state) + PATIENCE_MS)
                        return ob_fail(err,
                                "agent %s was asked, and other agents have not taken over all: see the logs",
                                agent);
                ob_stop_wait(&v->never, ob_clock_ms() + LOOK_MS);
                if (read_rows(v, err))
                        return -1;
        }
        return got < 0 ? -1 : 0;
}

/* Another owner has a later generation. */
static int is_released(struct view *v, const char *agent, const struct ob_lease_row *was, struct ob_err *err)
{
        const struct ob_lease_row *row = ob_lease_rows_find(&v->rows, was->manager);

        if (!row)
                return ob_fail(err, "the table leases has no row of the manager \"%s\" any more", was->manager);
        if (row->generation == was->generation || !ob_lease_row_is_owned(row))
                return 0;
        return strcmp(row->owner, agent) != 0 ||
               ob_fail(err, "no other agent has taken over, so agent %s has taken the lease again", agent);
}

static int release_manager(struct view *v, const char *manager, struct ob_err *err)
{
        const struct ob_lease_row *row;
        int64_t began = ob_clock_ms();
        struct ob_lease_row was;

        if (read_rows(v, err))
                return -1;
        row = ob_lease_rows_find(&v->rows, manager);
        if (!row)
                return ob_fail(
                        err, "no agent has ever owned a manager \"%s\": `otterbeat cluster` lists them", manager);
        if (!ob_lease_row_is_owned(row))
                return ob_fail(err, "no agent owns the manager \"%s\": there is nothing to release", manager);
        was = *row;
        if (find_other(v, was.owner, err) || ob_lease_rows_ask(&v->session, &was, err) ||
                wait_for(v, was.owner, &was, began, is_released, err))
                return -1;
        row = ob_lease_rows_find(&v->rows, manager);
        clean(v);
        ob_utf8_show_in(was.owner, sizeof(was.owner));
        printf("agent %s has released the manager \"%s\", and agent %s has taken it %lld ms after the request\n",
                was.owner, manager, row->owner, (long long)(ob_clock_ms() - began));
        return 0;
}

static bool is_in_config(const struct view *v, const char *manager)
{
        for (size_t i = 0; i < v->config->n_managers; i++)
                if (!strcmp(v->config->managers[i].name, manager))
                        return true;
        return false;
}

/* The agent owns nothing, and every manager of the config has an owner. */
static int has_released_all(struct view *v, const char *agent, const struct ob_lease_row *was, struct ob_err *err)
{
        (void)was;
        (void)err;
        for (size_t i = 0; i < v->rows.n_leases; i++)
                if (is_in_config(v, v->rows.leases[i].manager) &&
                        (!ob_lease_row_is_owned(&v->rows.leases[i]) || !strcmp(v->rows.leases[i].owner, agent)))
                        return 0;
        return 1;
}

static int release_all(struct view *v, const char *agent, struct ob_err *err)
{
        int64_t began = ob_clock_ms();
        size_t n;

        if (read_rows(v, err))
                return -1;
        n = count_owned(v, agent);
        if (!n)
                return ob_fail(err, "agent %s owns no manager: there is nothing to release", agent);
        if (find_other(v, agent, err) || ob_lease_rows_rest(&v->session, agent, REST_MS, err) ||
                wait_for(v, agent, NULL, began, has_released_all, err))
                return -1;
        printf("agent %s has released %zu manager%s, and other agents have taken over %lld ms after the request; it takes "
               "no manager for %d s\n",
                agent, n, n == 1 ? "" : "s", (long long)(ob_clock_ms() - began), REST_MS / 1000);
        return 0;
}

enum { ALL };

static int run_release(const struct ob_config *config, const struct ob_arguments *a)
{
        bool is_all = a->options[ALL];
        const char *word = a->n_words ? a->words[0] : NULL;
        struct ob_err err;
        struct view v;
        int got;

        if (!word && !is_all) {
                fprintf(stderr,
                        "otterbeat cluster release: name a manager, or use --all\nusage: otterbeat cluster release %s\n",
                        a->command->usage);
                return EXIT_USAGE;
        }
        got = open_view(&v, config);
        if (got)
                return got;
        got = is_all ? release_all(&v, word ? word : config->state.agent, &err) : release_manager(&v, word, &err);
        return close_view(&v, got, &err);
}

static const struct ob_option release_options[] = {
        [ALL] = { "all", .help = "release all managers of an agent: of AGENT, or of the agent in the config" },
        { NULL },
};

static const struct ob_command release_command = {
        .name = "cluster release",
        .usage = "MANAGER | --all [AGENT]",
        .help = "ask the owner of a manager to release it, or, before maintenance, an agent to release all of its managers: "
                "other agents take over at once",
        .notes =
                "The former owner leaves a manager to other agents for the time of a lease. An agent that has released all "
                "takes no manager for 60 seconds.",
        .options = release_options,
        .max_words = 1,
        .run = run_release,
};

static const struct ob_option option_table[] = {
        [JSON] = { "json", .help = "print the same as JSON" },
        { NULL },
};

const struct ob_command ob_cluster_command = {
        .name = "cluster",
        .usage = "[--json | release]",
        .help = "show the agents that share the database of the setting `state`, who owns each manager, and the backlog; or "
                "ask an owner to release managers",
        .options = option_table,
        .parts = (const struct ob_command *const[]) { &release_command, NULL },
        .run = run_show,
};
