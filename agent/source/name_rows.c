#include "agent/source/name_rows.h"

#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/number.h"

#define TABLES_MAX 2

/*
 * A user that may read one column of a table can read all of them, by HANDLER or JOIN … USING, and DATA_MEDIA has
 * passwords in it. So deploy/grants.sql makes a view of each table, with what is read here and no more: its name is
 * the table's behind this.
 */
#define VIEW "otterbeat_"

/* A row is an id, the pipeline it is in, when it was made, and the texts of ob_name_facts. */
static const struct {
        const char *query; /* %1$s: VIEW or "" */
        struct {
                const char *name, *columns;
        } tables[TABLES_MAX]; /* what the query reads, but for what another kind reads anyway */
} kinds[OB_NAMED_KINDS] = {
        [OB_NAMED_CHANNEL] = { "SELECT ID, NULL, NULL, NAME, NULL FROM %1$sCHANNEL ORDER BY ID",
                { { "CHANNEL", "ID, NAME" } } },
        [OB_NAMED_PIPELINE] = { "SELECT p.ID, NULL, UNIX_TIMESTAMP(p.GMT_CREATE), p.NAME, c.NAME "
                                "FROM %1$sPIPELINE p LEFT JOIN %1$sCHANNEL c ON c.ID = p.CHANNEL_ID ORDER BY p.ID",
                { { "PIPELINE", "ID, NAME, CHANNEL_ID, GMT_CREATE" } } },
        [OB_NAMED_PAIR] = { "SELECT p.ID, p.PIPELINE_ID, NULL, CONCAT_WS('.', NULLIF(s.NAMESPACE, ''), s.NAME), "
                            "CONCAT_WS('.', NULLIF(t.NAMESPACE, ''), t.NAME) FROM %1$sDATA_MEDIA_PAIR p "
                            "LEFT JOIN %1$sDATA_MEDIA s ON s.ID = p.SOURCE_DATA_MEDIA_ID "
                            "LEFT JOIN %1$sDATA_MEDIA t ON t.ID = p.TARGET_DATA_MEDIA_ID ORDER BY p.ID",
                { { "DATA_MEDIA_PAIR", "ID, PIPELINE_ID, SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID" },
                        { "DATA_MEDIA", "ID, NAMESPACE, NAME" } } },
        [OB_NAMED_NODE] = { "SELECT ID, NULL, NULL, NAME, NULL FROM %1$sNODE ORDER BY ID",
                { { "NODE", "ID, NAME" } } },
};

/*
 * What the server says when it will not do better the next time. The last two are about a view whose maker is gone:
 * 1045, as at a log-in, says so to whoever may not know of the maker.
 */
static bool is_refusal(unsigned number)
{
        return number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR ||
               number == ER_NO_SUCH_TABLE || number == ER_BAD_FIELD_ERROR || number == ER_VIEW_INVALID ||
               number == ER_NO_SUCH_USER || number == ER_ACCESS_DENIED_ERROR;
}

static int64_t number(const char *cell)
{
        __int128 micros;

        return cell && ob_number_parse(cell, strlen(cell), &micros) ? (int64_t)(micros / OB_MICROS) : 0;
}

/* As ob_name_rows_read. */
static int read_from(struct ob_session *s, const char *sql, enum ob_named_kind kind, ob_name_row_fn *each,
        void *ctx, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = ob_session_query(s, sql, err);
        MYSQL_ROW cells;

        if (!result)
                return s->db && is_refusal(mysql_errno(s->db)) ? 0 : -1;
        while ((cells = mysql_fetch_row(result))) {
                struct ob_name_row row = { kind, .parent = number(cells[1]), .made = number(cells[2]) };

                if (!cells[0] || !ob_number_parse_int(cells[0], strlen(cells[0]), &row.id))
                        continue;
                row.texts[0] = cells[3];
                row.texts[1] = cells[4];
                each(ctx, &row);
        }
        return 1;
}

int ob_name_rows_read(
        struct ob_session *s, enum ob_named_kind kind, ob_name_row_fn *each, void *ctx, struct ob_err *err)
{
        static const char *const prefixes[] = { VIEW, "" };
        int got = 0;

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes) && !got; i++) {
                ob_cleanup(ob_free_at) char *sql = ob_format(kinds[kind].query, prefixes[i]);

                got = read_from(s, sql, kind, each, ctx, err);
        }
        return got;
}

int ob_name_rows_clock(struct ob_session *s, int64_t *now, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = ob_session_query(s, "SELECT UNIX_TIMESTAMP()", err);
        MYSQL_ROW cells = result ? mysql_fetch_row(result) : NULL;

        if (!cells)
                return result ? ob_fail(err, "mysql: no clock") : -1;
        *now = number(cells[0]);
        return 0;
}

char *ob_name_rows_grant(struct ob_session *s, enum ob_named_kind kind, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = ob_session_query(s,
                "SELECT DATABASE(), CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', "
                "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))",
                err);
        MYSQL_ROW cells = result ? mysql_fetch_row(result) : NULL;
        char *all;

        if (!cells)
                return NULL;
        all = ob_copy("");
        for (size_t i = 0; i < TABLES_MAX && kinds[kind].tables[i].name; i++) {
                const char *table = kinds[kind].tables[i].name;
                char *longer = ob_format("%s%sCREATE OR REPLACE SQL SECURITY DEFINER VIEW `%s`." VIEW
                                         "%s AS SELECT %s FROM `%s`.%s; GRANT SELECT ON `%s`." VIEW "%s TO %s;",
                        all, i ? " " : "", cells[0], table, kinds[kind].tables[i].columns, cells[0], table,
                        cells[0], table, cells[1]);

                free(all);
                all = longer;
        }
        return all;
}
