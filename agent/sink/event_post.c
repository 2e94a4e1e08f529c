/* Facts: graphite-web's events/views.py answers 200 when it stored an event. When it can't, it answers 400, or 500
 * for an uncaught error. */
#include "agent/sink/event_post.h"

#include <stdlib.h>

#include "proto/memory.h"

#define TIMEOUT_MS 10000
#define ANSWER_MAX 65536 /* bytes of an answer's headers, which libcurl keeps, and of its body */

void ob_event_post_close(struct ob_event_post *p)
{
        ob_http_close(&p->http);
        curl_slist_free_all(p->headers);
        free(p->url);
        p->headers = NULL;
        p->url = NULL;
}

static void open_handle(struct ob_event_post *p)
{
        ob_http_close(&p->http);
        ob_http_open(&p->http, &(struct ob_http_settings) {
                                       .timeout_ms = TIMEOUT_MS,
                                       .headers_max = ANSWER_MAX,
                                       .body_max = ANSWER_MAX,
                                       .stop = p->stop,
                                       .may_finish = true,
                               });
        if (!p->headers)
                abort(); /* there is no memory */
        curl_easy_setopt(p->http.curl, CURLOPT_HTTPHEADER, p->headers);
}

static int fail(const struct ob_event_post *p, struct ob_err *err)
{
        return ob_fail(err, "events: %s", p->http.why);
}

int ob_event_post_connect(struct ob_event_post *p, struct ob_err *err)
{
        CURLcode got;
        long code;

        if (p->http.curl)
                return 0;
        p->url = ob_http_url(p->base, "events/");
        p->headers = curl_slist_append(NULL, "Content-Type: application/json");
        open_handle(p);
        curl_easy_setopt(p->http.curl, CURLOPT_CONNECT_ONLY, 1L);
        got = ob_http_perform(&p->http, p->url, NULL, &code);
        if (got == CURLE_OK) {
                open_handle(p); /* a CONNECT_ONLY handle cannot send requests */
                return 0;
        }
        fail(p, err);
        ob_event_post_close(p);
        return -1;
}

static int read_answer(struct ob_event_post *p, long code, struct ob_err *err)
{
        if (code >= 200 && code <= 299)
                return 0;
        p->is_refused = code >= 400 && code <= 499 && code != 408 && code != 429;
        p->is_answered = true;
        return ob_fail(err, "events: HTTP %ld%s", code, code == 404 ? ": is it graphite-web's address?" : "");
}

int ob_event_post_send(struct ob_event_post *p, const char *json, size_t length, struct ob_err *err)
{
        CURLcode got;
        long code;

        p->is_refused = p->is_answered = false;
        if (ob_permit_check(p->permit, err))
                return -1;
        curl_easy_setopt(p->http.curl, CURLOPT_POSTFIELDSIZE, (long)length);
        curl_easy_setopt(p->http.curl, CURLOPT_POSTFIELDS, json);
        got = ob_http_perform(&p->http, p->url, NULL, &code);
        if (got != CURLE_OK && p->http.excess == OB_HTTP_FITS) /* an answer that is too long still has a status */
                return fail(p, err);
        return read_answer(p, code, err);
}
