/* The status in three languages. Pure functions of the view; they append. */
#ifndef OB_OPS_STATUS_DRAW_H
#define OB_OPS_STATUS_DRAW_H

#include "agent/ops/status_view.h"
#include "proto/bytes.h"

/* The page for people. */
void ob_status_html(const struct ob_view *v, struct ob_bytes *out);

/* Prometheus' text format. */
void ob_status_metrics(const struct ob_view *v, struct ob_bytes *out);

void ob_status_json(const struct ob_view *v, struct ob_bytes *out);

/* Whether all is well, as one line, and what is not, a line each. */
void ob_status_health(const struct ob_view *v, struct ob_bytes *out);

/*
 * Adds a piece of HTML. `format` is markup and knows %s, %lld and %% alone. Every text that is put in is escaped,
 * so that no text from outside can become markup.
 */
void ob_markup(struct ob_bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
