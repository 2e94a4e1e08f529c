/*
 * Sets libcurl up for all HTTP: the manager's pages, the events sink, --check. A request uses http or https alone,
 * follows no redirect, and has a time-out and a limit for the bytes of its answer. A wanted stop ends it early. One
 * thread owns a handle.
 */
#ifndef OB_PROCESS_HTTP_H
#define OB_PROCESS_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "proto/bytes.h"

struct ob_http_settings {
        const char *proxy, *ca, *cert, *key; /* borrowed; NULL or "": none, whatever the environment says */
        int64_t timeout_ms;                  /* from looking up the name to the last byte of the answer */
        size_t headers_max, body_max;        /* bytes of one answer; those of the body are counted unpacked */
        struct ob_stop *stop;                /* borrowed; NULL: nothing ends a request before its time-out */
        bool may_finish; /* a wanted stop ends a request at the stop's deadline; else as soon as it is wanted */
};

enum ob_http_excess { OB_HTTP_FITS, OB_HTTP_HEADERS_TOO_LARGE, OB_HTTP_BODY_TOO_LARGE };

/* All zero: closed. */
struct ob_http {
        struct ob_http_settings settings;
        CURL *curl; /* ours; its owner may set more options, which hold for all requests that follow */

        /* Of the last request: */
        struct ob_bytes *body;      /* borrowed; NULL: the body was counted and thrown away */
        size_t n_headers, n_body;   /* bytes */
        enum ob_http_excess excess; /* which limit the answer broke; the request failed then */
        int64_t date;               /* of the server's clock, seconds since 1970; 0: the answer has no date */
        char why[CURL_ERROR_SIZE];  /* what went wrong; "" */
};

/* Connects to nothing yet. */
void ob_http_open(struct ob_http *h, const struct ob_http_settings *settings);

void ob_http_close(struct ob_http *h);

/*
 * Sends one request and reads the answer; the body replaces what `body` held. `code` is the status, 0 when there
 * was none. Any status is a success here: the caller has to look at it.
 */
CURLcode ob_http_perform(struct ob_http *h, const char *url, struct ob_bytes *body, long *code);

/* An address below `base`, with one slash between; the caller's to free. */
char *ob_http_url(const char *base, const char *below);

#endif
