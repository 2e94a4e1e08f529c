/*
 * fake-otter: fills the tables of a MariaDB the way the managers of Alibaba Otter do, for
 * whatever reads them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "tests/otter/db.h"
#include "tests/otter/history.h"
#include "tests/otter/names.h"
#include "tests/otter/options.h"
#include "tests/otter/pages.h"
#include "tests/otter/run.h"
#include "tests/otter/sample.h"
#include "tests/otter/schema.h"
#include "tests/otter/sums.h"
#include "tests/otter/world.h"

enum { USUAL_PIPELINES = 4, USUAL_TABLES = 3 };

static int create(struct fo_db *db, const struct fo_options *options)
{
        struct fo_world world = {
                .pipelines = options->pipelines ? options->pipelines : USUAL_PIPELINES,
                .tables = options->tables ? options->tables : USUAL_TABLES,
        };

        fo_world_share(&world, world.pipelines, options->channels);
        if (fo_schema_create(db))
                return -1;
        return fo_names_create(db, &world, options->channels);
}

static int sample(struct fo_db *db, const struct fo_options *options)
{
        (void)options;
        return fo_sample_insert(db);
}

static int sums(struct fo_db *db, const struct fo_options *options)
{
        return fo_sums_print(db, options->prefix);
}

static const struct {
        int (*act)(struct fo_db *db, const struct fo_options *options);
        bool without_database; /* it need not exist yet */
} commands[FO_COMMANDS] = {
        [FO_CREATE] = { .act = create, .without_database = true },
        [FO_SAMPLE] = { .act = sample },
        [FO_FILL] = { .act = fo_history_fill },
        [FO_RUN] = { .act = fo_run_until_stopped },
        [FO_SUMS] = { .act = sums },
        [FO_PAGES] = { .act = fo_pages_serve },
};

static int act(struct fo_db *db, const struct fo_options *options)
{
        const char *database = options->where.database;

        if (commands[options->command].without_database)
                database = NULL;
        if (fo_db_open(db, &options->where, database)) {
                fprintf(stderr, "fake-otter: %s\n", db->error);
                return EX_UNAVAILABLE;
        }
        if (commands[options->command].act(db, options)) {
                fprintf(stderr, "fake-otter: %s\n", db->error);
                return 1;
        }
        return EX_OK;
}

int main(int argc, char **argv)
{
        struct fo_options options;
        struct fo_db db = { 0 };
        int status;

        fo_options_parse(&options, argc, argv);
        /* Before there are threads, which may not do this at the same time. */
        mysql_library_init(0, NULL, NULL);
        status = act(&db, &options);
        fo_db_close(&db);
        mysql_library_end();
        return status;
}
