/* Which series this very config makes, and what tells those of one name apart. */
#ifndef OB_DASHBOARDS_BOARD_SERIES_H
#define OB_DASHBOARDS_BOARD_SERIES_H

#include "agent/dashboards/board.h"

struct ob_board_series {
        bool is_counter;
        unsigned n_tags;
        const char *tags[OB_TAGS_MAX]; /* identity, in their order */
};

/* False: no source that is enabled makes any of this name. */
bool ob_board_series(const struct ob_config *c, const char *name, struct ob_board_series *out);

/* The position of a tag, or -1. */
int ob_board_series_tag(const struct ob_board_series *s, const char *tag);

/* What a query's lines are told apart by: its `by`, and the agent or manager where there is such a tag. */
unsigned ob_board_by(const struct ob_board_series *s, const struct ob_query *q, const char *by[OB_BY_MAX]);

/* Whether the config makes a panel's first query; and whether managers have names. */
bool ob_board_has(const struct ob_config *c, const struct ob_query *q);
bool ob_board_has_managers(const struct ob_config *c);

#endif
