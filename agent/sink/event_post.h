/*
 * Events by HTTP to graphite-web, a POST to /events/ each. graphite-web stores what it gets as it comes, and once
 * more when it comes once more. Owned by the sink's thread. A call waits as long as a request may take, and no
 * longer than the deadline of a wanted stop.
 */
#ifndef OB_SINK_EVENT_POST_H
#define OB_SINK_EVENT_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/process/http.h"
#include "agent/process/stop.h"
#include "proto/error.h"

/* All zero but `base` and `stop`: closed. */
struct ob_event_post {
        const char *base;     /* borrowed: graphite-web's address */
        struct ob_stop *stop; /* borrowed: the sinks' */
        struct ob_http http;
        struct curl_slist *headers; /* ours */
        char *url;                  /* ours */

        /* Of the last event that was not taken: */
        bool is_refused;  /* the server won't have it, however often it comes */
        bool is_answered; /* the server answered, with an error */
};

/* Connects where it is closed, and says nothing: whether somebody listens. */
int ob_event_post_connect(struct ob_event_post *p, struct ob_err *err);

/* Sends one event, a JSON text. */
int ob_event_post_send(struct ob_event_post *p, const char *json, size_t length, struct ob_err *err);

void ob_event_post_close(struct ob_event_post *p);

#endif
