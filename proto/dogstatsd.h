/*
 * DogStatsD lines, each with its newline (an Agent with dogstatsd_eol_required wants it after the last one too).
 * Pure functions; a line that does not fit marks the text as too long. Facts: DataDog's page "DogStatsD datagram
 * format" (protocol 1.3 for times, 1.4 for origins), and the Agent's parser in comp/dogstatsd/server.
 */
#ifndef OB_PROTO_DOGSTATSD_H
#define OB_PROTO_DOGSTATSD_H

#include "proto/metric.h"
#include "proto/text.h"

/* What all lines of a sink have in common; borrowed. */
struct ob_dog {
        const char *prefix;
        const struct ob_tag *tags; /* on all lines; a series' own tag with the same key wins. value NULL: no tag */
        unsigned n_tags;
        const char *origin; /* the agent's container, as "ci-…" or "in-…"; "": none */
};

/* `name:value|c|#key:value,…|c:origin`, or `|g`: gauges are absolute whatever their sign. */
void ob_dog_metric(struct ob_text *out, const struct ob_dog *dog, const struct ob_metric *m);

/*
 * The same for a time in the past, in two steps: ob_dog_path() writes the series, without a NUL; ob_dog_stamped()
 * makes of that the line with `|T`. The Agent does not add such values up: two of one series and second overwrite
 * each other.
 */
void ob_dog_path(struct ob_text *out, const struct ob_dog *dog, const struct ob_series *series);
void ob_dog_stamped(struct ob_text *out, const struct ob_dog *dog, const char *path, size_t length,
        struct ob_metric_value value, int64_t time);

/* How bad an event is, in Datadog's words. */
extern const char *const ob_dog_alerts[OB_ALERTS];

/*
 * `_e{title,text}:…`, and `_sc|…` where the event has a check: one line each. A text is cut, at a character's end,
 * to what Datadog takes (4000 bytes) and the room leaves. Nothing is added when the event has no title, or no
 * check.
 */
void ob_dog_event(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e);
void ob_dog_check(struct ob_text *out, const struct ob_dog *dog, const struct ob_event *e);

#endif
