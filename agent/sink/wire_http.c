/*
 * Events to graphite-web: each piece is the body of a POST to /events/. It stores what it gets as it comes, once
 * more when it comes once more. Facts: graphite-web's events/views.py: 200 when it is stored, 400 or an uncaught
 * error, which is 500, when it can't be. Waits as long as a request may take, and no longer than the stop's
 * deadline.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/sink/wire.h"
#include "proto/memory.h"

#define TIMEOUT_MS 10000L
#define ANSWER_MAX 65536 /* bytes of an answer, with its headers, which libcurl keeps */

struct http {
        CURL *curl;                 /* ours */
        struct curl_slist *headers; /* ours */
        char *url;                  /* ours */
        size_t answered;            /* bytes of the answer */
        char why[CURL_ERROR_SIZE];
};

static void close_http(struct ob_wire *w)
{
        struct http *h = w->http;

        if (h) {
                curl_easy_cleanup(h->curl);
                curl_slist_free_all(h->headers);
                free(h->url);
                free(h);
        }
        w->http = NULL;
        w->is_open = false;
}

/* curl asks this about once a second. */
static int is_too_late(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        const struct ob_wire *w = arg;

        (void)a;
        (void)b;
        (void)c;
        (void)d;
        return ob_stop_deadline(w->stop) <= ob_clock_ms();
}

/* What it answers is of no use to us, as long as it ends. */
static size_t take_nothing(char *data, size_t size, size_t n, void *arg)
{
        struct http *h = arg;

        (void)data;
        h->answered += size * n;
        return h->answered > ANSWER_MAX ? 0 : size * n;
}

static void set_options(struct ob_wire *w, struct http *h)
{
        curl_easy_setopt(h->curl, CURLOPT_URL, h->url);
        curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
        curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(h->curl, CURLOPT_PROXY, "");
        curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "otterbeat");
        curl_easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, is_too_late);
        curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, w);
        curl_easy_setopt(h->curl, CURLOPT_QUICK_EXIT, 1L); /* or a mute name server would hold up what has ended */
        curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, take_nothing);
        curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, h);
        curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, take_nothing);
        curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, h);
        curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->why);
        curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
}

static int fail(const struct http *h, CURLcode code, struct ob_err *err)
{
        return ob_fail(err, "events: %s", *h->why ? h->why : curl_easy_strerror(code));
}

/* Connects, and says nothing: whether somebody listens. */
static int open_http(struct ob_wire *w, struct ob_err *err)
{
        const char *url = w->settings->url;
        size_t length = strlen(url);
        struct http *h = w->http = ob_alloc(1, sizeof(*h));
        CURLcode got;

        h->url = ob_format("%s%sevents/", url, length && url[length - 1] == '/' ? "" : "/");
        h->headers = curl_slist_append(NULL, "Content-Type: application/json");
        h->curl = curl_easy_init();
        if (!h->curl || !h->headers)
                abort(); /* no memory */
        set_options(w, h);
        curl_easy_setopt(h->curl, CURLOPT_CONNECT_ONLY, 1L);
        got = curl_easy_perform(h->curl);
        if (got != CURLE_OK) {
                fail(h, got, err);
                close_http(w);
                return -1;
        }
        curl_easy_cleanup(h->curl); /* such a connection is good for nothing else */
        h->curl = curl_easy_init();
        if (!h->curl)
                abort();
        set_options(w, h);
        w->is_open = true;
        return 0;
}

static int check_http(struct ob_wire *w, struct ob_err *err)
{
        (void)w;
        (void)err;
        return 0;
}

static int judge(struct ob_wire *w, long code, struct ob_err *err)
{
        if (code >= 200 && code <= 299)
                return 0;
        w->is_refused = code >= 400 && code <= 499 && code != 408 && code != 429;
        w->is_answered = true;
        return ob_fail(err, "events: HTTP %ld%s", code, code == 404 ? ": is it graphite-web's address?" : "");
}

static int post(struct ob_wire *w, const struct iovec *piece, struct ob_err *err)
{
        struct http *h = w->http;
        CURLcode got;
        long code = 0;

        h->why[0] = '\0';
        h->answered = 0;
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)piece->iov_len);
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, piece->iov_base);
        got = curl_easy_perform(h->curl);
        if (got != CURLE_OK && h->answered <= ANSWER_MAX) /* the status of an answer without end is known */
                return fail(h, got, err);
        curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
        return judge(w, code, err);
}

static int send_http(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err)
{
        w->is_refused = w->is_answered = false;
        for (*sent = 0; *sent < n; (*sent)++)
                if (post(w, &pieces[*sent], err))
                        return -1;
        return 0;
}

static int finish_http(struct ob_wire *w, struct ob_err *err)
{
        (void)err;
        close_http(w);
        return 0;
}

const struct ob_wire_ops ob_wire_http = {
        .open = open_http,
        .check = check_http,
        .send = send_http,
        .abort = close_http,
        .finish = finish_http,
};
