#include "agent/process/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

/* libcurl gives the body unpacked: a small answer may become a large page. */
static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
        struct ob_http *h = arg;

        h->n_body += size * n;
        if (h->n_body > h->settings.body_max) {
                h->excess = OB_HTTP_BODY_TOO_LARGE;
                return 0;
        }
        if (h->body)
                ob_bytes_add(h->body, data, size * n);
        return size * n;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
        static const char name[] = "date:";
        struct ob_http *h = arg;
        char text[64];

        n *= size;
        h->n_headers += n;
        if (h->n_headers > h->settings.headers_max) {
                h->excess = OB_HTTP_HEADERS_TOO_LARGE;
                return 0;
        }
        if (n < sizeof(name) || n >= sizeof(text) || strncasecmp(data, name, sizeof(name) - 1) != 0)
                return n;
        memcpy(text, data, n);
        text[n] = '\0';
        h->date = curl_getdate(text + sizeof(name) - 1, NULL);
        return n;
}

/* libcurl asks about once a second, and with every piece of the answer. */
static int must_end(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        const struct ob_http_settings *s = &((const struct ob_http *)arg)->settings;

        (void)a;
        (void)b;
        (void)c;
        (void)d;
        if (!s->stop)
                return 0;
        return s->may_finish ? ob_stop_deadline(s->stop) <= ob_clock_ms() : ob_stop_is_wanted(s->stop);
}

static void set_limits(struct ob_http *h)
{
        CURL *c = h->curl;

        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* else closing the handle would wait for the name server */
        curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)h->settings.timeout_ms);
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)h->settings.timeout_ms);
        curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, must_end);
        curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
        curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(c, CURLOPT_HEADERDATA, h);
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->why);
}

static void set_file(CURL *c, CURLoption option, const char *path)
{
        if (path && *path)
                curl_easy_setopt(c, option, path);
}

void ob_http_open(struct ob_http *h, const struct ob_http_settings *settings)
{
        *h = (struct ob_http) { .settings = *settings, .curl = curl_easy_init() };
        if (!h->curl)
                abort(); /* there is no memory */
        set_limits(h);
        curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "otterbeat");
        curl_easy_setopt(h->curl, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
        set_file(h->curl, CURLOPT_CAINFO, settings->ca);
        set_file(h->curl, CURLOPT_SSLCERT, settings->cert);
        set_file(h->curl, CURLOPT_SSLKEY, settings->key);
}

void ob_http_close(struct ob_http *h)
{
        curl_easy_cleanup(h->curl);
        h->curl = NULL;
}

/* libcurl only says that one of our functions refused the bytes. */
static void say_why(struct ob_http *h, CURLcode got)
{
        if (h->excess == OB_HTTP_BODY_TOO_LARGE)
                snprintf(h->why, sizeof(h->why), "the answer is larger than %zu bytes", h->settings.body_max);
        else if (h->excess == OB_HTTP_HEADERS_TOO_LARGE)
                snprintf(h->why, sizeof(h->why), "the headers of the answer are larger than %zu bytes",
                        h->settings.headers_max);
        else if (!*h->why)
                snprintf(h->why, sizeof(h->why), "%s", curl_easy_strerror(got));
}

CURLcode ob_http_perform(struct ob_http *h, const char *url, struct ob_bytes *body, long *code)
{
        CURLcode got;

        h->body = body;
        if (body)
                body->length = 0;
        h->n_headers = h->n_body = 0;
        h->excess = OB_HTTP_FITS;
        h->date = 0;
        h->why[0] = '\0';
        *code = 0;
        curl_easy_setopt(h->curl, CURLOPT_URL, url);
        got = curl_easy_perform(h->curl);
        if (got != CURLE_OK)
                say_why(h, got);
        curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, code);
        return got;
}

char *ob_http_url(const char *base, const char *below)
{
        size_t length = strlen(base);

        return ob_format("%s%s%s", base, length && base[length - 1] == '/' ? "" : "/", below);
}
