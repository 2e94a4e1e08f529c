#include "agent/source/names/name_rows.h"

#include <inttypes.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"
#include "proto/memory.h"
#include "proto/number.h"

#define TABLES_MAX 2
#define CELLS      5    /* of a row */
#define PAGE       5000 /* rows */

/*
 * A user that may read one column of a table can read all its columns, by HANDLER or JOIN … USING, and DATA_MEDIA
 * holds passwords. So deploy/grants.sql makes a view of each table, which has only the columns that are read here.
 * The view's name is this prefix and the table's name.
 */
#define VIEW "otterbeat_"

/* A row is an id, the pipeline it is in, when it was made, and the texts of ob_name_facts. */
static const struct {
        const char *query, *alias; /* all rows (%1$s: VIEW or ""), and the alias of the table that has the ids */
        struct {
                const char *name, *columns;
        } tables[TABLES_MAX]; /* that the query reads, without those that another kind lists */
} kinds[OB_NAMED_KINDS] = {
        [OB_NAMED_CHANNEL] = { "SELECT c.ID, NULL, NULL, c.NAME, NULL FROM %1$sCHANNEL c", "c",
                { { "CHANNEL", "ID, NAME" } } },
        [OB_NAMED_PIPELINE] = { "SELECT p.ID, NULL, UNIX_TIMESTAMP(p.GMT_CREATE), p.NAME, c.NAME "
                                "FROM %1$sPIPELINE p LEFT JOIN %1$sCHANNEL c ON c.ID = p.CHANNEL_ID",
                "p", { { "PIPELINE", "ID, NAME, CHANNEL_ID, GMT_CREATE" } } },
        [OB_NAMED_PAIR] = { "SELECT p.ID, p.PIPELINE_ID, NULL, CONCAT_WS('.', NULLIF(s.NAMESPACE, ''), s.NAME), "
                            "CONCAT_WS('.', NULLIF(t.NAMESPACE, ''), t.NAME) FROM %1$sDATA_MEDIA_PAIR p "
                            "LEFT JOIN %1$sDATA_MEDIA s ON s.ID = p.SOURCE_DATA_MEDIA_ID "
                            "LEFT JOIN %1$sDATA_MEDIA t ON t.ID = p.TARGET_DATA_MEDIA_ID",
                "p",
                { { "DATA_MEDIA_PAIR", "ID, PIPELINE_ID, SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID" },
                        { "DATA_MEDIA", "ID, NAMESPACE, NAME" } } },
        [OB_NAMED_NODE] = { "SELECT n.ID, NULL, NULL, n.NAME, NULL FROM %1$sNODE n", "n",
                { { "NODE", "ID, NAME" } } },
};

/*
 * Errors that will be the same the next time. The last two are about a view whose definer is gone: who may not know
 * the definer gets 1045, the error of a log-in.
 */
static bool is_refusal(unsigned number)
{
        return number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR ||
               number == ER_NO_SUCH_TABLE || number == ER_BAD_FIELD_ERROR || number == ER_VIEW_INVALID ||
               number == ER_NO_SUCH_USER || number == ER_ACCESS_DENIED_ERROR;
}

static int64_t number(const char *cell)
{
        int64_t id;

        return cell && ob_number_parse_int(cell, &id) ? id : 0;
}

static void log_bad_id(const struct ob_name_reading *r, const char *id)
{
        int64_t times = r->bad ? ob_log_once(r->bad, 1) : 0;

        if (times)
                ob_log(OB_LOG_WARN,
                        "source=%s event=bad_cell table=%s column=ID id=%.40s times=%lld why=\"no id, or one that is "
                        "too large\"",
                        r->name, kinds[r->kind].tables[0].name, id ? id : "NULL", (long long)times);
}

/* One page of a kind, from an id on. 1: there may be more, from `*from` on. */
static int read_page(struct ob_session *s, const struct ob_name_reading *r, const char *prefix, int64_t *from,
        struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *all = ob_format(kinds[r->kind].query, prefix);
        ob_cleanup(ob_free_at) char *sql = ob_format("%s WHERE %s.ID >= %" PRId64 " ORDER BY %s.ID LIMIT %d", all,
                kinds[r->kind].alias, *from, kinds[r->kind].alias, PAGE);
        const struct ob_query query = {
                .about = "names", .sql = sql, .columns = CELLS, .rows = PAGE, .may_be_cut = true
        };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        int got = ob_session_query(s, &query, &result, err);
        int64_t last = INT64_MAX;

        if (got)
                return got < 0 ? -1 : ob_fail(err, "mysql: a name is longer than a name can be");
        for (size_t i = 0; i < result.n; i++) {
                const char *const *cells = result.cells + i * result.width;
                struct ob_name_row row = { r->kind, .parent = number(cells[1]) };

                if (!cells[0] || !ob_number_parse_int(cells[0], &row.id)) {
                        log_bad_id(r, cells[0]);
                        continue;
                }
                last = row.id;
                ob_result_time(&result, i, 2, &row.made);
                row.texts[0] = cells[3];
                row.texts[1] = cells[4];
                r->each(r->ctx, &row);
        }
        if ((!result.is_cut && result.n < PAGE) || last == INT64_MAX || last < *from)
                return 0;
        *from = last + 1;
        return 1;
}

int ob_name_rows_read(struct ob_session *s, const struct ob_name_reading *r, struct ob_err *err)
{
        static const char *const prefixes[] = { VIEW, "" };
        int got = -1;

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
                int64_t from = INT64_MIN;

                do
                        got = read_page(s, r, prefixes[i], &from, err);
                while (got > 0);
                if (!got)
                        return 1;
                /* A refused log-in has the same number as a view whose definer is gone, but leaves no session. */
                if (!ob_session_is_open(s) || !is_refusal(ob_session_error(s)))
                        return -1;
        }
        return 0;
}

int ob_name_rows_clock(struct ob_session *s, int64_t *now, struct ob_err *err)
{
        static const struct ob_query query = {
                .about = "the clock", .sql = "SELECT UNIX_TIMESTAMP()", .columns = 1, .rows = 1
        };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };

        if (ob_session_query(s, &query, &result, err))
                return -1;
        return ob_result_time(&result, 0, 0, now) ? 0 : ob_fail(err, "mysql: the server does not tell the time");
}

char *ob_name_rows_grant(struct ob_session *s, enum ob_named_kind kind, struct ob_err *err)
{
        static const struct ob_query query = {
                .about = "the user",
                .sql = "SELECT DATABASE(), CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', "
                       "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))",
                .columns = 2,
                .rows = 1,
        };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        const char *database, *user;
        char *all;

        if (ob_session_query(s, &query, &result, err))
                return NULL;
        database = ob_result_text(&result, 0, 0, err);
        user = ob_result_text(&result, 0, 1, err);
        if (!database || !user)
                return NULL;
        all = ob_copy("");
        for (size_t i = 0; i < TABLES_MAX && kinds[kind].tables[i].name; i++) {
                const char *table = kinds[kind].tables[i].name;

                ob_append(&all, " ",
                        "CREATE OR REPLACE SQL SECURITY DEFINER VIEW `%s`." VIEW
                        "%s AS SELECT %s FROM `%s`.%s; GRANT SELECT ON `%s`." VIEW "%s TO %s;",
                        database, table, kinds[kind].tables[i].columns, database, table, database, table, user);
        }
        return all;
}
