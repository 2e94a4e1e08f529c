#include "agent/source/web/fetch.h"

#include <curl/curl.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/web/html.h"
#include "config/secret.h"
#include "proto/memory.h"

#define SLOW_BYTES  100   /* a second: less than that for half of the time-out is no answer */
#define HEAD_MAX    65536 /* bytes of all headers of an answer; libcurl keeps them */
#define COOKIES_MAX 32    /* Otter sets two */

struct ob_fetch {
        const struct ob_page_settings *settings;
        struct ob_stop *stop;
        CURL *curl; /* ours; it keeps the cookies */
        char why[CURL_ERROR_SIZE];
        bool is_logged_in;
        const char *too_large; /* what of the answer; NULL: nothing */
        struct ob_bytes *body; /* of the request under way */
        size_t head;           /* bytes of its headers */
        int64_t now;           /* as its answer said; 0: it did not */
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

/* Bytes as they were before they were packed: a small answer may be a large page. */
static size_t take_bytes(char *data, size_t size, size_t n, void *arg)
{
        struct ob_fetch *f = arg;

        if (f->body->length + n * size > OB_PAGE_BYTES_MAX) {
                f->too_large = "the answer is larger than 4194304 bytes";
                return 0;
        }
        ob_bytes_add(f->body, data, n * size);
        return n * size;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
        static const char name[] = "date:";
        struct ob_fetch *f = arg;
        char text[64];

        n *= size;
        f->head += n;
        if (f->head > HEAD_MAX) {
                f->too_large = "the headers of the answer are larger than 65536 bytes";
                return 0;
        }
        if (n < sizeof(name) || n >= sizeof(text) || strncasecmp(data, name, sizeof(name) - 1) != 0)
                return n;
        memcpy(text, data, n);
        text[n] = '\0';
        f->now = curl_getdate(text + sizeof(name) - 1, NULL);
        return n;
}

/* curl asks this about once a second, and with every piece. */
static int is_unwanted(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        struct ob_fetch *f = arg;

        (void)a;
        (void)b;
        (void)c;
        (void)d;
        return f->stop && ob_stop_is_wanted(f->stop);
}

static void set_limits(struct ob_fetch *f)
{
        CURL *c = f->curl;
        long seconds = f->settings->timeout;

        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* or a mute name server would hold up what has ended */
        curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, seconds);
        curl_easy_setopt(c, CURLOPT_TIMEOUT, seconds);
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (seconds + 1) / 2);
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
        curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, is_unwanted);
        curl_easy_setopt(c, CURLOPT_XFERINFODATA, f);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
        curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->why);
}

/* An empty proxy means none, whatever the environment says. */
static void set_way(struct ob_fetch *f)
{
        const struct ob_page_settings *s = f->settings;
        CURL *c = f->curl;

        curl_easy_setopt(c, CURLOPT_USERAGENT, "otterbeat");
        curl_easy_setopt(c, CURLOPT_COOKIEFILE, ""); /* in memory */
        curl_easy_setopt(c, CURLOPT_PROXY, s->proxy);
        if (*s->ca)
                curl_easy_setopt(c, CURLOPT_CAINFO, s->ca);
        if (*s->cert)
                curl_easy_setopt(c, CURLOPT_SSLCERT, s->cert);
        if (*s->key)
                curl_easy_setopt(c, CURLOPT_SSLKEY, s->key);
}

struct ob_fetch *ob_fetch_new(const struct ob_page_settings *settings, struct ob_stop *stop)
{
        struct ob_fetch *f = ob_alloc(1, sizeof(*f));

        f->settings = settings;
        f->stop = stop;
        f->curl = curl_easy_init();
        if (!f->curl)
                abort(); /* no memory */
        set_limits(f);
        set_way(f);
        return f;
}

void ob_fetch_free(struct ob_fetch *f)
{
        if (!f)
                return;
        curl_easy_cleanup(f->curl);
        free(f);
}

/* Whether a request went out before it failed. */
static bool was_asked(struct ob_fetch *f)
{
        curl_off_t us = 0;

        return !curl_easy_getinfo(f->curl, CURLINFO_PRETRANSFER_TIME_T, &us) && us > 0;
}

/* Cookies that nobody needs: whoever sets another one with each answer would have us keep them all. */
static void sweep_cookies(struct ob_fetch *f)
{
        struct curl_slist *all = NULL;
        size_t n = 0;

        curl_easy_getinfo(f->curl, CURLINFO_COOKIELIST, &all);
        for (const struct curl_slist *c = all; c; c = c->next)
                n++;
        curl_slist_free_all(all);
        if (n <= COOKIES_MAX)
                return;
        curl_easy_setopt(f->curl, CURLOPT_COOKIELIST, "ALL"); /* forgets them */
        f->is_logged_in = false;
}

/* One request; `code` is the answer's. What it holds is for the caller to judge. */
static enum ob_fetched ask(struct ob_fetch *f, const char *address, long *code, struct ob_err *err)
{
        const char *url = f->settings->url;
        size_t length = strlen(url);
        ob_cleanup(ob_free_at) char *full =
                ob_format("%s%s%s", url, length && url[length - 1] == '/' ? "" : "/", address);
        CURLcode got;

        f->why[0] = '\0';
        f->now = 0;
        f->too_large = NULL;
        f->head = 0;
        f->body->length = 0;
        curl_easy_setopt(f->curl, CURLOPT_URL, full);
        got = curl_easy_perform(f->curl);
        sweep_cookies(f);
        if (got == CURLE_OK) {
                curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, code);
                return OB_FETCHED;
        }
        if (f->too_large) {
                ob_fail(err, "%s: see what answers at page.url", f->too_large);
                return OB_FETCH_REFUSED;
        }
        ob_fail(err, "%s%s", *f->why ? f->why : curl_easy_strerror(got),
                got == CURLE_OPERATION_TIMEDOUT ? " (a manager that has lost its ZooKeeper does not answer)" : "");
        if (got == CURLE_PARTIAL_FILE || got == CURLE_BAD_CONTENT_ENCODING || got == CURLE_RECV_ERROR)
                return OB_FETCH_REFUSED;
        return was_asked(f) ? OB_FETCH_SILENT : OB_FETCH_UNREACHED;
}

/* Where the manager sends those whom it does not answer: its login, or "forbidden". */
static const char *sent_to(struct ob_fetch *f, long code)
{
        const char *location = NULL;

        if (code < 300 || code > 399)
                return NULL;
        curl_easy_getinfo(f->curl, CURLINFO_REDIRECT_URL, &location);
        if (location && strstr(location, "login.htm"))
                return "its login: set page.user, or another user";
        if (location && strstr(location, "forbidden.htm"))
                return "\"forbidden\": this page needs a log-in, or a user with more rights";
        return "another address, which is not followed";
}

static char *make_form(struct ob_fetch *f)
{
        char *name = curl_easy_escape(f->curl, f->settings->user, 0), *password, *form;
        char secret[OB_SECRET_MAX];

        ob_secret_now(f->settings->password_file, f->settings->password, secret);
        password = curl_easy_escape(f->curl, secret, 0);
        explicit_bzero(secret, sizeof(secret));
        form = ob_format("action=user_action&event_submit_do_login=1&_fm.l._0.n=%s&_fm.l._0.p=%s", name ? name : "",
                password ? password : "");
        if (password)
                explicit_bzero(password, strlen(password));
        curl_free(name);
        curl_free(password);
        return form;
}

/* The right password leads elsewhere; a wrong one shows the form again. */
static enum ob_fetched log_in(struct ob_fetch *f, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *form = make_form(f);
        enum ob_fetched got;
        long code = 0;

        curl_easy_setopt(f->curl, CURLOPT_COOKIELIST, "ALL"); /* forgets them */
        curl_easy_setopt(f->curl, CURLOPT_COPYPOSTFIELDS, form);
        got = ask(f, "login.htm", &code, err);
        curl_easy_setopt(f->curl, CURLOPT_COPYPOSTFIELDS, NULL);
        curl_easy_setopt(f->curl, CURLOPT_HTTPGET, 1L);
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
        *now = f->now > 0 ? f->now : ob_clock_wall();
        if (got != OB_FETCHED) {
                ob_fail_in(err, address);
                return got;
        }
        return evaluate(f, address, code, err);
}
