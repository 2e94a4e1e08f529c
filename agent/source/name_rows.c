#include "agent/source/name_rows.h"

#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"
#include "proto/memory.h"
#include "proto/number.h"

#define TABLES_MAX 2

/* A row is an id, the pipeline it is in, when it was made, and the texts of ob_name_facts. */
static const struct {
        const char *query;
        struct {
                const char *name, *columns;
        } tables[TABLES_MAX]; /* what the query reads, but for what another kind reads anyway */
} kinds[OB_NAMED_KINDS] = {
        [OB_NAMED_CHANNEL] = { "SELECT ID, NULL, NULL, NAME, NULL FROM CHANNEL ORDER BY ID",
                { { "CHANNEL", "ID, NAME" } } },
        [OB_NAMED_PIPELINE] = { "SELECT p.ID, NULL, UNIX_TIMESTAMP(p.GMT_CREATE), p.NAME, c.NAME "
                                "FROM PIPELINE p LEFT JOIN CHANNEL c ON c.ID = p.CHANNEL_ID ORDER BY p.ID",
                { { "PIPELINE", "ID, NAME, CHANNEL_ID, GMT_CREATE" } } },
        [OB_NAMED_PAIR] = { "SELECT p.ID, p.PIPELINE_ID, NULL, CONCAT_WS('.', NULLIF(s.NAMESPACE, ''), s.NAME), "
                            "CONCAT_WS('.', NULLIF(t.NAMESPACE, ''), t.NAME) FROM DATA_MEDIA_PAIR p "
                            "LEFT JOIN DATA_MEDIA s ON s.ID = p.SOURCE_DATA_MEDIA_ID "
                            "LEFT JOIN DATA_MEDIA t ON t.ID = p.TARGET_DATA_MEDIA_ID ORDER BY p.ID",
                { { "DATA_MEDIA_PAIR", "ID, PIPELINE_ID, SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID" },
                        { "DATA_MEDIA", "ID, NAMESPACE, NAME" } } },
        [OB_NAMED_NODE] = { "SELECT ID, NULL, NULL, NAME, NULL FROM NODE ORDER BY ID", { { "NODE", "ID, NAME" } } },
};

/* What the server says when it will not do better the next time. */
static bool is_refusal(unsigned number)
{
        return number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR ||
               number == ER_NO_SUCH_TABLE || number == ER_BAD_FIELD_ERROR || number == ER_VIEW_INVALID;
}

static int64_t number(const char *cell)
{
        int64_t id;

        return cell && ob_number_parse_int(cell, strlen(cell), &id) ? id : 0;
}

/* 0: nobody knows. */
static int64_t time_of(const char *cell)
{
        int64_t time;

        return cell && ob_number_parse_time(cell, strlen(cell), &time) ? time : 0;
}

static void tell_bad_id(const char *name, enum ob_named_kind kind, const char *id, struct ob_tell *bad)
{
        int64_t times = bad ? ob_tell(bad, 1) : 0;

        if (times)
                ob_log(OB_LOG_WARN,
                        "source=%s event=bad_cell table=%s column=ID id=%.40s times=%lld why=\"no id, or one that is "
                        "too large\"",
                        name, kinds[kind].tables[0].name, id ? id : "NULL", (long long)times);
}

int ob_name_rows_read(struct ob_session *s, enum ob_named_kind kind, ob_name_row_fn *each, void *ctx,
        const char *name, struct ob_tell *bad, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = ob_session_query(s, kinds[kind].query, err);
        MYSQL_ROW cells;

        if (!result)
                return s->db && is_refusal(mysql_errno(s->db)) ? 0 : -1;
        while ((cells = mysql_fetch_row(result))) {
                struct ob_name_row row = { kind, .parent = number(cells[1]), .made = time_of(cells[2]) };

                if (!cells[0] || !ob_number_parse_int(cells[0], strlen(cells[0]), &row.id)) {
                        tell_bad_id(name, kind, cells[0], bad);
                        continue;
                }
                row.texts[0] = cells[3];
                row.texts[1] = cells[4];
                each(ctx, &row);
        }
        return 1;
}

int ob_name_rows_clock(struct ob_session *s, int64_t *now, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = ob_session_query(s, "SELECT UNIX_TIMESTAMP()", err);
        MYSQL_ROW cells = result ? mysql_fetch_row(result) : NULL;

        if (!cells)
                return result ? ob_fail(err, "mysql: no clock") : -1;
        *now = time_of(cells[0]);
        return *now ? 0 : ob_fail(err, "mysql: the server does not tell the time");
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
                char *longer = ob_format("%s%sGRANT SELECT (%s) ON `%s`.%s TO %s;", all, i ? " " : "",
                        kinds[kind].tables[i].columns, cells[0], kinds[kind].tables[i].name, cells[1]);

                free(all);
                all = longer;
        }
        return all;
}
