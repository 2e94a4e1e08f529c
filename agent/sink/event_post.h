/*
 * Sends events to graphite-web, each by an HTTP POST to /events/. graphite-web stores an event twice if it comes
 * twice. The sink's thread owns the struct. No call waits longer than the time-out of a request, or than the
 * deadline of a stop.
 */
#ifndef OB_SINK_EVENT_POST_H
#define OB_SINK_EVENT_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/process/http.h"
#include "agent/process/permit.h"
#include "agent/process/stop.h"
#include "proto/error.h"

/* Closed when all members but `base`, `stop` and `permit` are zero. */
struct ob_event_post {
        const char *base;               /* borrowed: graphite-web's address */
        struct ob_stop *stop;           /* borrowed: the sinks' */
        const struct ob_permit *permit; /* borrowed; NULL: the sink may always send */
        struct ob_http http;
        struct curl_slist *headers; /* ours */
        char *url;                  /* ours */

        /* Results of the last event that was not stored: */
        bool is_refused;  /* the server refuses this event, however often it comes */
        bool is_answered; /* the server answered, with an error */
};

/* Connects if closed, and sends nothing: this shows whether a server listens. */
int ob_event_post_connect(struct ob_event_post *p, struct ob_err *err);

/* Sends one event, which is a JSON text. */
int ob_event_post_send(struct ob_event_post *p, const char *json, size_t length, struct ob_err *err);

void ob_event_post_close(struct ob_event_post *p);

#endif
