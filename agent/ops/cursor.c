#include "agent/ops/cursor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ops/exit.h"
#include "agent/ops/rewind.h"
#include "agent/source/worker.h"
#include "agent/store/store.h"
#include "proto/date.h"
#include "proto/memory.h"
#include "proto/utf8.h"

static const char usage[] =
        "usage: otterbeat [-c FILE] cursor [show]\n"
        "       otterbeat [-c FILE] cursor export\n"
        "       otterbeat [-c FILE] cursor rewind SOURCE TIME|ID\n"
        "  TIME: a date in UTC as '2020-04-20 00:00:00', how far back as '-2h' (s, m, h, d), or "
        "'oldest'\n";

static void print_source(const char *name, const struct ob_checkpoint *s)
{
        char newest[OB_DATE_SIZE], since[OB_DATE_SIZE], position[24] = "-";

        if (s->cursor != INT64_MIN)
                snprintf(position, sizeof(position), "%lld", (long long)s->cursor);
        printf("%-24s %-20s %-20s %-20s %s\n", name, position, ob_date_format(s->newest, newest),
                ob_date_format(s->since, since), s->identity);
}

static void print_sink(const char *name, const struct ob_delivery *p, int64_t behind, int64_t kept)
{
        printf("%-24s %-20lld %-20lld %lld\n", name, (long long)p->acked, (long long)behind, (long long)kept);
}

/* Numbers that mean "none" are null. */
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

/* One object a line. */
static void print_json(json_t *object)
{
        json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
}

/* Every source that the config makes for a manager, as the store calls it. */
static int show_sources(const struct ob_config *c, struct ob_store *st, bool as_json, struct ob_err *err)
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
                        if (s.known && as_json)
                                print_json(source_as_json(name, &s));
                        else if (s.known)
                                print_source(name, &s);
                }
        return 0;
}

static int show_sinks(const struct ob_config *c, struct ob_store *st, bool as_json, struct ob_err *err)
{
        for (size_t i = 0; i < c->n_sinks; i++) {
                struct ob_delivery p = { .acked = 0 };
                int64_t behind, kept, bytes;
                int got = ob_store_get_delivery(st, c->sinks[i].name, &p, err) ||
                          ob_store_sum_batches(st, p.sent_upto, &behind, &bytes, err) ||
                          ob_store_sum_batches(st, p.acked, &kept, &bytes, err);

                if (!got && as_json)
                        print_json(sink_as_json(c->sinks[i].name, &p, behind, kept));
                else if (!got)
                        print_sink(c->sinks[i].name, &p, behind, kept);
                ob_bytes_free(&p.saved_state);
                if (got)
                        return -1;
        }
        return 0;
}

/* Of a copy of the store, which a running agent may have in use. */
static int show_copy(const struct ob_config *c, struct ob_state_dir *state_dir, bool as_json, struct ob_err *err)
{
        if (!*c->state_dir)
                return ob_fail(err, "state_dir is empty: nothing is kept that could be shown");
        if (ob_state_dir_open(state_dir, "", err) || ob_state_dir_copy(state_dir, c->state_dir, err))
                return -1;
        if (!as_json)
                printf("%-24s %-20s %-20s %-20s %s\n", "SOURCE", "CURSOR", "NEWEST (UTC)", "SINCE (UTC)",
                        "DATABASE");
        if (show_sources(c, state_dir->anchor, as_json, err))
                return -1;
        if (!as_json)
                printf("\n%-24s %-20s %-20s %s\n", "SINK", "PASSED BATCH", "POINTS BEHIND", "POINTS KEPT");
        return show_sinks(c, state_dir->anchor, as_json, err);
}

static int show(const struct ob_config *c, bool as_json)
{
        struct ob_state_dir state_dir = { .lock_fd = -1 };
        struct ob_err err;
        int got = show_copy(c, &state_dir, as_json, &err);

        ob_state_dir_close(&state_dir);
        if (got)
                fprintf(stderr, "otterbeat: %s\n", err.text);
        return got ? EXIT_UNREACHED : EXIT_FINE;
}

int ob_cursor(const struct ob_config *c, int argc, char **argv)
{
        const char *verb = argc > 1 ? argv[1] : "show";

        if (argc <= 2 && !strcmp(verb, "show"))
                return show(c, false);
        if (argc == 2 && !strcmp(verb, "export"))
                return show(c, true);
        if (argc == 4 && !strcmp(verb, "rewind"))
                return ob_rewind(c, argv[2], argv[3]);
        fputs(usage, stderr);
        return EXIT_USAGE;
}
