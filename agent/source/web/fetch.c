#include "agent/source/web/fetch.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/http.h"
#include "agent/source/web/html.h"
#include "config/secret.h"
#include "proto/memory.h"

#define SLOW_BYTES  100   /* a second: an answer that is slower for half of the time-out fails */
#define HEADERS_MAX 65536 /* bytes of all headers of an answer, which libcurl keeps */
#define COOKIES_MAX 32    /* Otter sets two */

struct ob_fetch {
        const struct ob_page_settings *settings;
        struct ob_http http; /* its handle keeps the cookies */
        bool is_logged_in;
        struct ob_bytes *body; /* borrowed: of the request that is under way */
};

void ob_fetch_begin(void)
{
        curl_global_init(CURL_GLOBAL_DEFAULT);
        xmlInitParser();
        xmlXPathInit();
}

void ob_fetch_end(void)
{
        xmlCleanupParser();
        curl_global_cleanup();
}

struct ob_fetch *ob_fetch_new(const struct ob_page_settings *settings, struct ob_stop *stop)
{
        struct ob_fetch *f = ob_alloc(1, sizeof(*f));
        CURL *c;

        f->settings = settings;
        ob_http_open(&f->http, &(struct ob_http_settings) {
                                       .proxy = settings->proxy,
                                       .ca = settings->ca,
                                       .cert = settings->cert,
                                       .key = settings->key,
                                       .timeout_ms = settings->timeout * INT64_C(1000),
                                       .headers_max = HEADERS_MAX,
                                       .body_max = OB_PAGE_BYTES_MAX,
                                       .stop = stop,
                               });
        c = f->http.curl;
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(settings->timeout + 1) / 2);
        curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
        curl_easy_setopt(c, CURLOPT_COOKIEFILE, ""); /* cookies are kept in memory */
        return f;
}

void ob_fetch_free(struct ob_fetch *f)
{
        if (!f)
                return;
        ob_http_close(&f->http);
        free(f);
}

/* Whether a request went out before it failed. */
static bool was_asked(struct ob_fetch *f)
{
        curl_off_t us = 0;

        return !curl_easy_getinfo(f->http.curl, CURLINFO_PRETRANSFER_TIME_T, &us) && us > 0;
}

/* Deletes all cookies when there are too many: a server may set a new cookie with each answer. */
static void sweep_cookies(struct ob_fetch *f)
{
        struct curl_slist *all = NULL;
        size_t n = 0;

        curl_easy_getinfo(f->http.curl, CURLINFO_COOKIELIST, &all);
        for (const struct curl_slist *c = all; c; c = c->next)
                n++;
        curl_slist_free_all(all);
        if (n <= COOKIES_MAX)
                return;
        curl_easy_setopt(f->http.curl, CURLOPT_COOKIELIST, "ALL");
        f->is_logged_in = false;
}

/* Sends one request; `code` is the status of the answer, which the caller has to look at. */
static enum ob_fetched ask(struct ob_fetch *f, const char *address, long *code, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *url = ob_http_url(f->settings->url, address);
        CURLcode got = ob_http_perform(&f->http, url, f->body, code);

        sweep_cookies(f);
        if (got == CURLE_OK)
                return OB_FETCHED;
        if (f->http.excess != OB_HTTP_FITS) {
                ob_fail(err, "%s: see what answers at page.url", f->http.why);
                return OB_FETCH_REFUSED;
        }
        ob_fail(err, "%s%s", f->http.why,
                got == CURLE_OPERATION_TIMEDOUT ? " (a manager that has lost its ZooKeeper does not answer)" : "");
        if (got == CURLE_PARTIAL_FILE || got == CURLE_BAD_CONTENT_ENCODING || got == CURLE_RECV_ERROR)
                return OB_FETCH_REFUSED;
        return was_asked(f) ? OB_FETCH_SILENT : OB_FETCH_UNREACHED;
}

/* The target of the manager's redirect: its login, or "forbidden". NULL: the answer is no redirect. */
static const char *sent_to(struct ob_fetch *f, long code)
{
        const char *location = NULL;

        if (code < 300 || code > 399)
                return NULL;
        curl_easy_getinfo(f->http.curl, CURLINFO_REDIRECT_URL, &location);
        if (location && strstr(location, "login.htm"))
                return "its login: set page.user, or another user";
        if (location && strstr(location, "forbidden.htm"))
                return "\"forbidden\": this page needs a log-in, or a user with more rights";
        return "another address, which is not followed";
}

static char *make_form(struct ob_fetch *f)
{
        char *name = curl_easy_escape(f->http.curl, f->settings->user, 0), *password, *form;
        char secret[OB_SECRET_MAX];

        ob_secret_now(f->settings->password_file, f->settings->password, secret);
        password = curl_easy_escape(f->http.curl, secret, 0);
        explicit_bzero(secret, sizeof(secret));
        form = ob_format("action=user_action&event_submit_do_login=1&_fm.l._0.n=%s&_fm.l._0.p=%s", name ? name : "",
                password ? password : "");
        if (password)
                explicit_bzero(password, strlen(password));
        curl_free(name);
        curl_free(password);
        return form;
}

/* After a right password the manager redirects; after a wrong one it shows the form again. */
static enum ob_fetched log_in(struct ob_fetch *f, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *form = make_form(f);
        enum ob_fetched got;
        long code = 0;

        curl_easy_setopt(f->http.curl, CURLOPT_COOKIELIST, "ALL");
        curl_easy_setopt(f->http.curl, CURLOPT_COPYPOSTFIELDS, form);
        got = ask(f, "login.htm", &code, err);
        curl_easy_setopt(f->http.curl, CURLOPT_COPYPOSTFIELDS, NULL);
        curl_easy_setopt(f->http.curl, CURLOPT_HTTPGET, 1L);
        explicit_bzero(form, strlen(form));
        f->is_logged_in = got == OB_FETCHED && code == 302;
        if (got != OB_FETCHED) {
                ob_fail_in(err, "login.htm");
                return got;
        }
        if (f->is_logged_in)
                return OB_FETCHED;
        ob_fail(err, "login.htm: HTTP %ld: %s", code,
                code == 200 ? "the manager does not accept page.user and its password" : "no login");
        return OB_FETCH_UNREACHED;
}

static enum ob_fetched evaluate(struct ob_fetch *f, const char *address, long code, struct ob_err *err)
{
        const char *to = sent_to(f, code);

        if (code == 200)
                return OB_FETCHED;
        if (to)
                ob_fail(err, "%s: HTTP %ld: the manager sends us to %s", address, code, to);
        else
                ob_fail(err, "%s: HTTP %ld%s", address, code,
                        code == 404 ? ": no such page, or, as this manager says it, trouble of its own" : "");
        return OB_FETCH_REFUSED;
}

enum ob_fetched ob_fetch_get(
        struct ob_fetch *f, const char *address, struct ob_bytes *body, int64_t *now, struct ob_err *err)
{
        bool has_user = *f->settings->user, was_logged_in = f->is_logged_in;
        enum ob_fetched got = OB_FETCHED;
        long code = 0;

        f->body = body;
        if (has_user && !f->is_logged_in)
                got = log_in(f, err);
        if (got != OB_FETCHED)
                return got;
        got = ask(f, address, &code, err);
        if (got == OB_FETCHED && has_user && was_logged_in && code >= 300 && code <= 399) {
                got = log_in(f, err);
                if (got == OB_FETCHED)
                        got = ask(f, address, &code, err);
        }
        *now = f->http.date > 0 ? f->http.date : ob_clock_wall();
        if (got != OB_FETCHED) {
                ob_fail_in(err, address);
                return got;
        }
        return evaluate(f, address, code, err);
}
