#include "agent/dashboards/board_series.h"

#include <string.h>

#include "config/own_series.h"

bool ob_board_has_managers(const struct ob_config *c)
{
        return c->n_managers && *c->managers[0].name;
}

static bool makes(const struct ob_source *s, const char *name, bool *is_counter)
{
        for (unsigned i = 0; i < s->n_columns; i++) {
                enum ob_role role = s->columns[i].role;

                if (!ob_roles[role].is_metric || strcmp(s->columns[i].name, name) != 0)
                        continue;
                *is_counter = role == OB_INCREMENT || role == OB_TOTAL || role == OB_COUNT;
                return true;
        }
        return false;
}

static void add_tag(struct ob_board_series *out, const char *tag)
{
        out->tags[out->n_tags++] = tag;
}

/* As row.c makes a row's series. */
static void add_tags(struct ob_board_series *out, const struct ob_config *c, const struct ob_source *s)
{
        if (ob_board_has_managers(c))
                add_tag(out, "manager");
        for (unsigned i = 0; i < s->n_columns; i++)
                if (s->columns[i].role == OB_KEY || s->columns[i].role == OB_ENUM)
                        add_tag(out, s->columns[i].name);
}

static bool find_own(const struct ob_config *c, const char *name, struct ob_board_series *out)
{
        for (int i = 0; i < OB_OWN_SERIES; i++) {
                const struct ob_own_series *own = &ob_own_series[i];

                if (strcmp(own->name, name) != 0)
                        continue;
                out->is_counter = own->kind == OB_COUNTER;
                if (own->is_of_manager && ob_board_has_managers(c))
                        add_tag(out, "manager");
                for (unsigned t = 0; t < OB_OWN_TAGS_MAX && own->tags[t]; t++)
                        add_tag(out, own->tags[t]);
                return true;
        }
        return false;
}

bool ob_board_series(const struct ob_config *c, const char *name, struct ob_board_series *out)
{
        *out = (struct ob_board_series) { .is_counter = false };
        for (size_t i = 0; i < c->n_sources; i++)
                if (c->sources[i].enabled && makes(&c->sources[i], name, &out->is_counter)) {
                        add_tags(out, c, &c->sources[i]);
                        return true;
                }
        return find_own(c, name, out);
}

int ob_board_series_tag(const struct ob_board_series *s, const char *tag)
{
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!strcmp(s->tags[i], tag))
                        return (int)i;
        return -1;
}

unsigned ob_board_by(const struct ob_board_series *s, const struct ob_query *q, const char *by[OB_BY_MAX])
{
        static const char *const whose[] = { "manager", "agent" };
        unsigned n = 0;

        if (!q->by)
                return 0;
        for (size_t i = 0; i < sizeof(whose) / sizeof(*whose); i++)
                if (ob_board_series_tag(s, whose[i]) >= 0 && strcmp(whose[i], q->by) != 0)
                        by[n++] = whose[i];
        by[n++] = q->by;
        return n;
}

bool ob_board_has(const struct ob_config *c, const struct ob_query *q)
{
        struct ob_board_series s;

        return ob_board_series(c, q->series, &s);
}
