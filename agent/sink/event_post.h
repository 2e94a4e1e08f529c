/*
 * Sends events to graphite-web, each by an HTTP POST to /events/. graphite-web stores every event that it gets, and
 * an event that comes twice is stored twice. The sink's thread owns this. A call waits at most as long as a request
 * may take, and not beyond the deadline of a wanted stop.
 */
#ifndef OB_SINK_EVENT_POST_H
#define OB_SINK_EVENT_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/process/http.h"
#include "agent/process/stop.h"
#include "proto/error.h"

/* Closed when all members but `base` and `stop` are zero. */
struct ob_event_post {
        const char *base;     /* borrowed: graphite-web's address */
        struct ob_stop *stop; /* borrowed: the sinks' */
        struct ob_http http;
        struct curl_slist *headers; /* ours */
        char *url;                  /* ours */

        /* Results of the last event that was not stored: */
        bool is_refused;  /* the server refuses this event, however often it comes */
        bool is_answered; /* the server answered, with an error */
};

/* Connects when it is closed, and sends nothing: finds out whether a server listens. */
int ob_event_post_connect(struct ob_event_post *p, struct ob_err *err);

/* Sends one event, which is a JSON text. */
int ob_event_post_send(struct ob_event_post *p, const char *json, size_t length, struct ob_err *err);

void ob_event_post_close(struct ob_event_post *p);

#endif
