/*
 * The pages. Each adds its screen, and returns -1 where a manager would throw: it then answers
 * with its error page.
 */
#ifndef FO_SCREENS_H
#define FO_SCREENS_H

#include "tests/otter/site.h"

int fo_screen_channels(struct fo_visit *visit, struct fo_text *screen);
int fo_screen_pipelines(struct fo_visit *visit, struct fo_text *screen);
int fo_screen_nodes(struct fo_visit *visit, struct fo_text *screen);
int fo_screen_stages(struct fo_visit *visit, struct fo_text *screen);
int fo_screen_forbidden(struct fo_visit *visit, struct fo_text *screen);

/* Whole pages, without the layout; the second may be a redirect. */
void fo_screen_ok(struct fo_visit *visit, struct fo_answer *answer);
void fo_screen_login(struct fo_visit *visit, struct fo_answer *answer);

#endif
