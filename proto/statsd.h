/*
 * Plain StatsD lines. Each line ends with a newline, also the last one: carbon-c-relay needs the newline. The
 * functions have no state. Facts: statsd/statsd docs/metric_types.md and stats.js.
 */
#ifndef OB_PROTO_STATSD_H
#define OB_PROTO_STATSD_H

#include "proto/metric.h"
#include "proto/text.h"

/* Adds `path:value|c` or `|g`. A negative gauge is two lines, which must stay in one datagram. */
void ob_statsd_plain(struct ob_text *out, const char *prefix, const struct ob_metric *m);

/* The same with a path of names, see ob_name_dotted_by_nodes(). */
void ob_statsd_plain_by_nodes(struct ob_text *out, const char *prefix, const struct ob_metric *m);

#endif
