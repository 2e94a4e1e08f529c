/*
 * How all of it is, in two lines: how the agent gets on, and how Otter does. They are two, since either may be in
 * trouble while the other is well. Pure functions of the view.
 */
#ifndef OB_OPS_HEADLINE_H
#define OB_OPS_HEADLINE_H

#include "agent/ops/status_view.h"

enum ob_headline_of { OB_HEADLINE_AGENT, OB_HEADLINE_OTTER, OB_HEADLINES };

struct ob_headline {
        enum ob_headline_of of;
        bool is_known; /* false: no pipeline was looked at, so that nothing can be said of Otter */
        enum ob_wellness well;
        char text[160];
};

/* The worse one first. */
void ob_headlines(const struct ob_view *v, struct ob_headline lines[OB_HEADLINES]);

/* Of a pipeline in that state. */
enum ob_wellness ob_headline_wellness(enum ob_state state);

/* How many pipelines are at least so badly off. */
size_t ob_headline_pipelines(const struct ob_view *v, enum ob_wellness at_least);

#endif
