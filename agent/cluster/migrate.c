#include "agent/cluster/migrate.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/cluster/merge.h"
#include "agent/cluster/split.h"
#include "agent/ops/exit.h"
#include "agent/store/membership.h"
#include "agent/store/state_session.h"
#include "agent/store/store.h"
#include "proto/memory.h"

/* The rows of the options. */
enum { FROM_DIR, TO_DIR, REPLACE };

/* The two ends, and what was moved. The folder is locked and the leases are held, so no agent works meanwhile. */
struct migration {
        const struct ob_config *config;
        const char *dir;
        bool replaces;
        struct ob_membership membership;
        struct ob_state_settings alone; /* of the membership */
        struct ob_state_dir folder, database;
        struct ob_copied done;
        bool is_unsure; /* the database did not answer whether it has committed */
};

/* Whether an end has no state. In the database this also locks the leases of all managers until the end. */
static int look(const struct migration *m, struct ob_state_dir *at, bool *is_empty, struct ob_err *err)
{
        size_t n = at == &m->database ? m->config->n_managers : 1;

        *is_empty = true;
        for (size_t i = 0; i < n; i++) {
                bool has_none;

                if ((at == &m->database && ob_store_turn(at->anchor, &m->membership.leases[i], err)) ||
                        ob_store_is_empty(at->anchor, &has_none, err))
                        return -1;
                *is_empty &= has_none;
        }
        return 0;
}

static int clear_database(const struct migration *m, struct ob_err *err)
{
        for (size_t i = 0; i < m->config->n_managers; i++)
                if (ob_store_turn(m->database.anchor, &m->membership.leases[i], err) ||
                        ob_store_clear(m->database.anchor, err))
                        return -1;
        return 0;
}

/* Inside a transaction of both stores. */
static int copy_whole(struct migration *m, struct ob_state_dir *from, struct ob_state_dir *to, struct ob_err *err)
{
        int (*copies)(const struct ob_config *config, struct ob_lease *leases, struct ob_store *from,
                struct ob_store *to, struct ob_copied *done, struct ob_err *err) =
                to == &m->database ? ob_split : ob_merge;
        bool is_empty;

        if (look(m, from, &is_empty, err))
                return -1;
        if (is_empty)
                return ob_fail(err, "%s is empty: there is nothing to move", from->path);
        if (look(m, to, &is_empty, err))
                return -1;
        if (!is_empty && !m->replaces)
                return ob_fail(err, "%s has a state already%s", to->path,
                        to == &m->database ? ": use --replace to delete this state" : ": name another folder");
        if ((m->replaces && clear_database(m, err)) ||
                copies(m->config, m->membership.leases, from->anchor, to->anchor, &m->done, err))
                return -1;
        if (m->done.corrupt)
                return ob_fail(err,
                        "%s is damaged: %lld rows do not match their checksums, the first one is %s. Start the agent "
                        "that has this state, which repairs it; stop the agent, and try again",
                        from->path, (long long)m->done.corrupt, m->done.first);
        return 0;
}

static int move(struct migration *m, struct ob_state_dir *from, struct ob_state_dir *to, struct ob_err *err)
{
        int got = -1;

        if (ob_store_begin(from->anchor, err))
                return -1;
        if (!ob_store_begin(to->anchor, err) && !copy_whole(m, from, to, err)) {
                got = ob_store_commit(to->anchor, err);
                m->is_unsure = got;
        }
        ob_store_rollback(to->anchor);
        ob_store_rollback(from->anchor);
        return got;
}

static int open_database(struct migration *m, struct ob_err *err)
{
        const struct ob_config *c = m->config;

        if (ob_membership_open_alone(
                    &m->membership, &m->alone, &c->state, "migrate", c->managers, c->n_managers, err))
                return -1;
        return ob_state_dir_share(&m->database, &m->membership.leases[0], err);
}

static int move_from_dir(struct migration *m, struct ob_err *err)
{
        if (ob_state_dir_open_whole(&m->folder, m->dir, err) || open_database(m, err))
                return -1;
        return move(m, &m->folder, &m->database, err);
}

/* A folder in which an earlier try ended early has an empty store. */
static int move_to_dir(struct migration *m, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *file = ob_format("%s/" OB_STORE_FILE, m->dir);
        bool is_there = !access(file, F_OK);

        if (!is_there && errno != ENOENT)
                return ob_fail(err, "%s: %m", file);
        if (open_database(m, err) || (is_there ? ob_state_dir_open_whole(&m->folder, m->dir, err)
                                               : ob_state_dir_open(&m->folder, m->dir, err)))
                return -1;
        return move(m, &m->database, &m->folder, err);
}

static void print_end(const struct migration *m, bool is_from_dir)
{
        ob_cleanup(ob_free_at) char *place = ob_state_place(&m->config->state);

        printf("moved %lld rows, and a queue of %lld batches with %lld points, from %s to %s\n"
               "Now start %s. Never start an agent with the former state again: it would count rows twice.\n",
                (long long)m->done.rows, (long long)m->done.batches, (long long)m->done.points,
                is_from_dir ? m->dir : place, is_from_dir ? place : m->dir,
                is_from_dir ? "the agents with the setting `state`"
                            : "one agent with state_dir in place of the setting `state`");
}

static int run(const struct ob_config *config, const struct ob_arguments *a)
{
        const char *from = a->options[FROM_DIR], *to = a->options[TO_DIR];
        struct migration m = { .config = config,
                .dir = from ? from : to,
                .replaces = a->options[REPLACE],
                .folder = { .lock_fd = -1 },
                .database = { .lock_fd = -1 } };
        struct ob_err err;
        int got;

        if (!from == !to) {
                fprintf(stderr,
                        "otterbeat migrate: either --from-dir DIR or --to-dir DIR is needed\nusage: otterbeat migrate %s\n",
                        a->command->usage);
                return EXIT_USAGE;
        }
        if (!config->state.n_hosts) {
                fputs("otterbeat: the config has no setting `state`: migrate needs the database that it names\n",
                        stderr);
                return EXIT_CONFIG;
        }
        got = from ? move_from_dir(&m, &err) : move_to_dir(&m, &err);
        ob_state_dir_close(&m.folder);
        ob_state_dir_close(&m.database);
        ob_membership_close(&m.membership);
        if (got) {
                fprintf(stderr, "otterbeat: %s: %s\n",
                        m.is_unsure ? "it is not known whether the state was moved; try again"
                                    : "nothing was moved",
                        err.text);
                return EXIT_UNREACHED;
        }
        print_end(&m, from);
        return EXIT_FINE;
}

static const struct ob_option option_table[] = {
        [FROM_DIR] = { "from-dir", .argument = "DIR",
                .help = "the state_dir of a stopped agent, whose state goes into the database" },
        [TO_DIR] = { "to-dir", .argument = "DIR", .help = "a new state_dir, which gets the state of the database" },
        [REPLACE] = { "replace", .with = "from-dir", .help = "delete the state that the database has" },
        { NULL },
};

const struct ob_command ob_migrate_command = {
        .name = "migrate",
        .usage = "--from-dir DIR [--replace] | --to-dir DIR",
        .help = "move the state of stopped agents from a state_dir into the database of the setting `state`, or back: "
                "the next agent goes on where the last one was",
        .notes =
                "Stop all agents first. All is moved in one transaction: when the command fails or is killed, nothing was moved.",
        .options = option_table,
        .run = run,
};
