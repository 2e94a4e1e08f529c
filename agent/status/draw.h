/* The status for people and for programs. Pure functions of the view, which append to `out`. */
#ifndef OB_STATUS_DRAW_H
#define OB_STATUS_DRAW_H

#include "agent/status/view.h"
#include "proto/bytes.h"

/* The HTML page for people. */
void ob_status_html(const struct ob_view *v, struct ob_bytes *out);

/* Prometheus' text format. */
void ob_status_metrics(const struct ob_view *v, struct ob_bytes *out);

void ob_status_json(const struct ob_view *v, struct ob_bytes *out);

/* For probes: one line with ok, ill or stopping, and a line for each source or sink that has a problem. */
void ob_status_health(const struct ob_view *v, struct ob_bytes *out);

/*
 * Adds a piece of HTML. `format` is markup and knows %s, %lld and %% alone. Every text that is put in is escaped,
 * so that no text from outside can become markup.
 */
void ob_markup(struct ob_bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
