/* Facts: graphite-web's events/views.py answers 200 when an event is stored, 400 or an uncaught error, which is
 * 500, when it can't be. */
#include "agent/sink/event_post.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define TIMEOUT_MS 10000L
#define ANSWER_MAX 65536 /* bytes of an answer, with its headers, which libcurl keeps */

_Static_assert(sizeof(((struct ob_event_post *)NULL)->why) >= CURL_ERROR_SIZE, "libcurl writes so much");

void ob_event_post_close(struct ob_event_post *p)
{
        curl_easy_cleanup(p->curl);
        curl_slist_free_all(p->headers);
        free(p->url);
        p->curl = NULL;
        p->headers = NULL;
        p->url = NULL;
}

/* curl asks this about once a second. */
static int is_too_late(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        const struct ob_event_post *p = arg;

        (void)a;
        (void)b;
        (void)c;
        (void)d;
        return ob_stop_deadline(p->stop) <= ob_clock_ms();
}

/* The answer is of no use to us, as long as it ends. */
static size_t take_nothing(char *data, size_t size, size_t n, void *arg)
{
        struct ob_event_post *p = arg;

        (void)data;
        p->answered += size * n;
        return p->answered > ANSWER_MAX ? 0 : size * n;
}

static void set_options(struct ob_event_post *p)
{
        curl_easy_setopt(p->curl, CURLOPT_URL, p->url);
        curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
        curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(p->curl, CURLOPT_PROXY, "");
        curl_easy_setopt(p->curl, CURLOPT_USERAGENT, "otterbeat");
        curl_easy_setopt(p->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(p->curl, CURLOPT_XFERINFOFUNCTION, is_too_late);
        curl_easy_setopt(p->curl, CURLOPT_XFERINFODATA, p);
        curl_easy_setopt(p->curl, CURLOPT_QUICK_EXIT, 1L); /* or a mute name server would hold up what has ended */
        curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take_nothing);
        curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
        curl_easy_setopt(p->curl, CURLOPT_HEADERFUNCTION, take_nothing);
        curl_easy_setopt(p->curl, CURLOPT_HEADERDATA, p);
        curl_easy_setopt(p->curl, CURLOPT_ERRORBUFFER, p->why);
        curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, p->headers);
}

static void start_handle(struct ob_event_post *p)
{
        curl_easy_cleanup(p->curl);
        p->curl = curl_easy_init();
        if (!p->curl || !p->headers)
                abort(); /* no memory */
        set_options(p);
}

static int fail(const struct ob_event_post *p, CURLcode code, struct ob_err *err)
{
        return ob_fail(err, "events: %s", *p->why ? p->why : curl_easy_strerror(code));
}

int ob_event_post_connect(struct ob_event_post *p, struct ob_err *err)
{
        size_t length = strlen(p->base);
        CURLcode got;

        if (p->curl)
                return 0;
        p->url = ob_format("%s%sevents/", p->base, length && p->base[length - 1] == '/' ? "" : "/");
        p->headers = curl_slist_append(NULL, "Content-Type: application/json");
        start_handle(p);
        curl_easy_setopt(p->curl, CURLOPT_CONNECT_ONLY, 1L);
        got = curl_easy_perform(p->curl);
        if (got == CURLE_OK) {
                start_handle(p); /* a connection that was only opened is good for nothing else */
                return 0;
        }
        fail(p, got, err);
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
        long code = 0;

        p->is_refused = p->is_answered = false;
        p->why[0] = '\0';
        p->answered = 0;
        curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE, (long)length);
        curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, json);
        got = curl_easy_perform(p->curl);
        if (got != CURLE_OK && p->answered <= ANSWER_MAX) /* the status of an answer without end is known */
                return fail(p, got, err);
        curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &code);
        return read_answer(p, code, err);
}
