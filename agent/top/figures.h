/*
 * What `otterbeat top` shows: the status page's JSON as lines, the worst rows first. Any program may have sent
 * the JSON, so each text is made safe for a terminal. One thread owns the figures.
 */
#ifndef OB_TOP_FIGURES_H
#define OB_TOP_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/status/view.h"
#include "proto/bytes.h"
#include "proto/error.h"

/* A source, a sink, a pipeline or a headline. Texts are ours. */
struct ob_figures_row {
        enum ob_wellness well;
        int state;     /* enum ob_state of a pipeline; OB_STATES of a source or sink */
        size_t number; /* where the row stood in the JSON */
        char *health, *name, *text;
};

/* All zero: no figures yet. */
struct ob_figures {
        char *title, *queue;                                  /* ours; NULL: no figures yet */
        struct ob_figures_row headlines[OB_HEADLINES], *rows; /* ours; the worst first */
        size_t n_headlines, n_rows;
};

/* How the figures are drawn. */
struct ob_figures_frame {
        size_t columns, lines; /* of the terminal; 0: there is no limit */
        bool has_colours;
        const char *line_end; /* stands at the end of each line but the last */
        const char *note;     /* what is wrong with the figures themselves; "": nothing */
};

/* Replaces `f`. -1 with `err`, and `f` stays as it was, when the text is no status of an otterbeat. */
int ob_figures_read(struct ob_figures *f, const char *json, size_t length, struct ob_err *err);

void ob_figures_free(struct ob_figures *f);

/* Appends the lines to `out`. A line that is too long for the terminal is cut between two characters. */
void ob_figures_draw(const struct ob_figures *f, const struct ob_figures_frame *frame, struct ob_bytes *out);

#endif
