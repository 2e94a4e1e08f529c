#include "agent/source/mysql/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/source/reader.h"
#include "proto/memory.h"

#define SMALL_ROWS 50000   /* scanning so many rows takes less than a tenth of a second */
#define STATE_ROWS 1000000 /* a table that is read whole at every poll */

void ob_table_free(struct ob_table *t)
{
        free(t->columns);
        free(t->indexes);
        *t = (struct ob_table) { .n_columns = 0 };
}

void ob_plan_free(struct ob_plan *p)
{
        free(p->clock_query);
        free(p->list);
        free(p->from);
        free(p->why);
        free(p->missing);
        *p = (struct ob_plan) { .clock_query = NULL };
}

/* MySQL compares the names of columns without regard to case. */
static const struct ob_table_column *find_column(const struct ob_table *t, const char *name)
{
        for (size_t i = 0; i < t->n_columns; i++)
                if (!strcasecmp(t->columns[i].name, name))
                        return &t->columns[i];
        return NULL;
}

/* An identity column must exist: without it two series would become one. */
static int find_columns(struct ob_plan *p, const struct ob_source *s, const struct ob_table *t, struct ob_err *err)
{
        unsigned metrics = 0;

        for (unsigned i = 0; i < s->n_columns; i++) {
                const struct ob_column *c = &s->columns[i];
                const struct ob_role_facts *role = &ob_roles[c->role];
                const struct ob_table_column *found = c->column ? find_column(t, c->column) : NULL;

                p->has[i] = found || !c->column;
                metrics += p->has[i] && role->is_metric;
                if (p->has[i] && c->role == OB_CURSOR && found && !found->is_integer)
                        return ob_fail(
                                err, "table %s: column %s is the cursor but no whole number", s->table, c->column);
                if (p->has[i])
                        continue;
                if (c->role == OB_CURSOR || c->role == OB_KEY || c->role == OB_ENUM || c->role == OB_AGE)
                        return ob_fail(err, "table %s has no column %s, and its role is \"%s\"", s->table,
                                c->column, role->word);
                if (!c->part || c->role == OB_EVENT)
                        ob_append(&p->missing, ", ", "%s", c->column);
        }
        return metrics ? 0
                       : ob_fail(err, "table %s has none of the columns that make metrics (%s)", s->table,
                                 p->missing);
}

/* A column in the SELECT. Times become epochs, so that no zone matters. */
static char *select_item(const struct ob_plan *p, const struct ob_source *s, unsigned i)
{
        const struct ob_column *c = &s->columns[i];

        if (!p->has[i] || !c->column || (c->part && c->role != OB_EVENT))
                return ob_copy("NULL"); /* decoded from an event column */
        if (c->role == OB_AGE)
                return ob_format("UNIX_TIMESTAMP(MAX(`%s`))", c->column);
        if (ob_roles[c->role].is_time)
                return ob_format("UNIX_TIMESTAMP(`%s`)", c->column);
        return c->expression ? ob_copy(c->expression) : ob_format("`%s`", c->column);
}

static char *select_list(const struct ob_plan *p, const struct ob_source *s)
{
        char *list = ob_copy("");

        for (unsigned i = 0; i < s->n_columns; i++) {
                ob_cleanup(ob_free_at) char *item = select_item(p, s, i);

                ob_append(&list, ", ", "%s", item);
        }
        return list;
}

static bool is_small(const struct ob_table *t, int64_t limit)
{
        return t->rows <= limit; /* a view has -1: unknown */
}

static int plan_log(struct ob_plan *p, const struct ob_source *s, const struct ob_table *t, struct ob_err *err)
{
        for (size_t i = 0; i < t->n_indexes; i++)
                if (!strcasecmp(t->indexes[i].columns[0], p->cursor)) {
                        p->why = ob_format("by %s, index %s: reads what is new", p->cursor, t->indexes[i].name);
                        return 0;
                }
        if (!is_small(t, SMALL_ROWS))
                return ob_fail(err,
                        "table %s: no index leads with %s, so each poll would read about %lld rows; "
                        "make one: ALTER TABLE `%s` ADD INDEX (`%s`)",
                        s->table, p->cursor, (long long)t->rows, s->table, p->cursor);
        p->why = ob_format("by %s, without an index: reads the whole table, which is small", p->cursor);
        return 0;
}

static int plan_state(struct ob_plan *p, const struct ob_source *s, const struct ob_table *t, struct ob_err *err)
{
        if (!is_small(t, STATE_ROWS))
                return ob_fail(err,
                        "table %s has about %lld rows, and its rows change in place, so each poll would "
                        "read them all; the limit is %d",
                        s->table, (long long)t->rows, STATE_ROWS);
        p->why = ob_copy("the whole table, since its rows change in place");
        return 0;
}

static bool is_key(const struct ob_source *s, const char *column)
{
        for (unsigned i = 0; i < s->n_columns; i++)
                if (ob_roles[s->columns[i].role].is_tag && !strcasecmp(s->columns[i].column, column))
                        return true;
        return false;
}

static unsigned count_keys(const struct ob_source *s)
{
        unsigned n = 0;

        for (unsigned i = 0; i < s->n_columns; i++)
                n += ob_roles[s->columns[i].role].is_tag;
        return n;
}

/* How many columns of an index precede the time, if all keys are among the first; 0: the index is no help. */
static unsigned columns_before_time(const struct ob_source *s, const struct ob_table_index *x)
{
        const char *time = s->columns[ob_source_find(s, OB_AGE)].column;
        unsigned keys = count_keys(s);

        for (unsigned i = 0; i < x->n; i++) {
                if (i < keys && !is_key(s, x->columns[i]))
                        return 0;
                if (i >= keys && !strcasecmp(x->columns[i], time))
                        return i;
        }
        return 0;
}

/*
 * An index over the keys, perhaps other columns, and the time gives the newest row of each group in one seek, but
 * only when grouped by all columns before the time. So a key may have several rows.
 */
static int plan_newest(struct ob_plan *p, const struct ob_source *s, const struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *groups = ob_copy("");
        const struct ob_table_index *best = NULL;

        for (size_t i = 0; i < t->n_indexes; i++) {
                unsigned n = columns_before_time(s, &t->indexes[i]);

                if (n && (!best || n < columns_before_time(s, best)))
                        best = &t->indexes[i];
        }
        if (!best && !is_small(t, SMALL_ROWS))
                return ob_fail(err,
                        "table %s: no index leads with the keys and then %s; make one, as ALTER TABLE `%s` "
                        "ADD INDEX (keys …, `%s`)",
                        s->table, s->columns[ob_source_find(s, OB_AGE)].column, s->table,
                        s->columns[ob_source_find(s, OB_AGE)].column);
        for (unsigned i = 0; best && i < columns_before_time(s, best); i++)
                ob_append(&groups, "`, `", "%s", best->columns[i]);
        for (unsigned i = 0; !best && i < s->n_columns; i++)
                if (ob_roles[s->columns[i].role].is_tag)
                        ob_append(&groups, "`, `", "%s", s->columns[i].column);
        if (*groups) { /* MySQL 8 sorts groups only when asked to */
                ob_append(&p->from, "", " GROUP BY `%s` ORDER BY `%s`", groups, groups);
        }
        p->why = best ? ob_format("the newest of each key, index %s", best->name)
                      : ob_copy("the newest of each key, without an index: the table is small");
        return 0;
}

static int (*const planners[OB_SHAPES])(
        struct ob_plan *p, const struct ob_source *s, const struct ob_table *t, struct ob_err *err) = {
        [OB_SHAPE_LOG] = plan_log,
        [OB_SHAPE_STATE] = plan_state,
        [OB_SHAPE_NEWEST] = plan_newest,
};

int ob_plan_make(struct ob_plan *p, const struct ob_source *s, const struct ob_table *t, struct ob_err *err)
{
        int cursor = ob_source_find(s, OB_CURSOR);

        *p = (struct ob_plan) { .table = s->table, .missing = ob_copy("") };
        if (find_columns(p, s, t, err))
                return -1;
        p->cursor = cursor < 0 ? NULL : s->columns[cursor].column;
        p->list = select_list(p, s);
        p->from = ob_format("FROM `%s`", s->table);
        /* An unsigned id above INT64_MAX must not hide the others. */
        p->clock_query = p->cursor
                                 ? ob_format("SELECT UNIX_TIMESTAMP(), MAX(`%s`) FROM `%s` WHERE `%s` <= %" PRId64,
                                           p->cursor, s->table, p->cursor, INT64_MAX)
                                 : ob_copy("SELECT UNIX_TIMESTAMP(), NULL");
        return planners[ob_source_shape(s)](p, s, t, err);
}

char *ob_plan_query(const struct ob_plan *p, const char *more, int64_t from, unsigned limit)
{
        if (!p->cursor)
                return ob_format("SELECT %s%s %s", p->list, more, p->from);
        return ob_format("SELECT %s%s %s WHERE `%s` >= %lld ORDER BY `%s` LIMIT %u", p->list, more, p->from,
                p->cursor, (long long)from, p->cursor, limit);
}

char *ob_plan_size(const struct ob_plan *p, int64_t from)
{
        return ob_format(
                "SELECT `%s`, LENGTH(CONCAT_WS('', %s)) FROM `%s` WHERE `%s` >= %lld ORDER BY `%s` LIMIT 1",
                p->cursor, p->list, p->table, p->cursor, (long long)from, p->cursor);
}

/*
 * Half of the query's cost is the division, and DIV is the cheaper one, but rounds towards zero. ORDER BY NULL
 * avoids a sort. A shift by 64 or more gives 0, so that each word gets only its own ids of the chunk: those whose
 * lowest bits fit, also for a negative id.
 */
char *ob_plan_list(const struct ob_plan *p, int64_t from, int64_t end)
{
        ob_cleanup(ob_free_at) char *list = from < 0 ? ob_format("FLOOR(`%s` / %d)", p->cursor, OB_CHUNK_IDS)
                                                     : ob_format("`%s` DIV %d", p->cursor, OB_CHUNK_IDS);

        for (unsigned i = 0; i < OB_LIST_WORDS; i++) {
                ob_cleanup(ob_free_at) char *word =
                        ob_format("BIT_OR(1 << ((`%s` & %d) ^ %u))", p->cursor, OB_CHUNK_IDS - 1, i * 64);

                ob_append(&list, ", ", "%s", word);
        }
        return ob_format("SELECT %s FROM `%s` WHERE `%s` >= %lld AND `%s` < %lld GROUP BY 1 ORDER BY NULL", list,
                p->table, p->cursor, (long long)from, p->cursor, (long long)end);
}
