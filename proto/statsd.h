/*
 * Plain StatsD lines, each with its newline (carbon-c-relay wants it behind the last one too). Pure functions.
 * Facts: statsd/statsd docs/metric_types.md and stats.js.
 */
#ifndef OB_PROTO_STATSD_H
#define OB_PROTO_STATSD_H

#include "proto/metric.h"
#include "proto/text.h"

/* `path:value|c` or `|g`; a negative gauge is two lines that must stay in one datagram. */
void ob_statsd_plain(struct ob_text *out, const char *prefix, const struct ob_metric *m);

/* The same with a path of names, see ob_name_dotted_by_nodes. */
void ob_statsd_plain_by_nodes(struct ob_text *out, const char *prefix, const struct ob_metric *m);

#endif
