/*
 * DogStatsD lines. Each line ends with a newline, also the last one: an Agent with dogstatsd_eol_required needs the
 * newline. The functions have no state. A line that does not fit marks the text as too long. Facts: DataDog's page
 * "DogStatsD datagram format" (protocol 1.3 for times, 1.4 for origins), and the Agent's parser in
 * comp/dogstatsd/server.
 */
#ifndef OB_PROTO_DOGSTATSD_H
#define OB_PROTO_DOGSTATSD_H

#include "proto/metric.h"
#include "proto/text.h"

/* What all lines of a sink have in common. The pointers are borrowed. */
struct ob_dog {
        const char *prefix;
        const struct ob_tag
                *tags; /* sent with everything; a series' own tag with the same key wins. value NULL: no value */
        unsigned n_tags;
        const char *origin; /* the container that this process runs in, as "ci-…" or "in-…"; or "" */
};

/* Adds `name:value|c|#key:value,…|c:origin`, or `|g`. A gauge is absolute, also a negative one. */
void ob_dog_metric(struct ob_text *out, const struct ob_dog *dog, const struct ob_metric *m);

/*
 * The same for a time in the past, in two steps: first a text that stands for the series and has no NUL, then, made
 * of this text, the line with `|T`. The Agent does not add such values up: a later value of the same series at the
 * same time replaces the earlier one.
 */
void ob_dog_path(struct ob_text *out, const struct ob_dog *dog, const struct ob_series *series);
void ob_dog_stamped(struct ob_text *out, const struct ob_dog *dog, const char *path, size_t length,
        struct ob_metric_value value, int64_t time);

/* How bad an event is, in Datadog's words. */
extern const char *const ob_dog_alerts[OB_ALERTS];

/*
 * `_e{title,text}:…`, and `_sc|…` where the event has a check: one line each. A text is cut, at a character's end,
 * to what Datadog takes (4000 bytes) and the room leaves. Without a title there is no `_e` line, without a check no
 * `_sc` line.
 */
void ob_dog_event(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e);
void ob_dog_check(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e);

#endif
