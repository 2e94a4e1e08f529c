#include "agent/top/top.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/ops/exit.h"
#include "agent/process/clock.h"
#include "agent/process/http.h"
#include "agent/process/terminal.h"
#include "agent/top/figures.h"
#include "agent/top/screen.h"
#include "config/managers.h"
#include "config/secret.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "proto/quantity.h"

#define EVERY_MAX   3600
#define TIMEOUT_MS  5000
#define HEADERS_MAX 16384
#define BODY_MAX    (64U << 20) /* 10,000 pipelines take a few MB */

enum { URL, EVERY };

static const char unix_prefix[] = "unix:";

struct top {
        const struct ob_status_settings *login; /* borrowed; NULL: no user and no password */
        char *where;                            /* ours: the address in words */
        char *url;                              /* ours: of the JSON */
        const char *socket;                     /* borrowed: the path of a unix socket; NULL: TCP */
        int64_t every_ms;
        struct ob_http http;
        struct ob_screen *screen; /* borrowed; NULL: there is none, and no event ends a request */
        struct ob_figures figures;
        int64_t silent_since; /* when the agent stopped answering, on ob_clock_ms(); 0: the agent answers */
        struct ob_err err;    /* why the agent does not answer */
};

/* The address from the config. */
static int find_in_config(struct top *t, const struct ob_config *config, struct ob_err *err)
{
        const struct ob_status_settings *s = &config->status;

        if (!*s->listen)
                return ob_fail(err,
                        "%s: the agent has no status page, which top shows: set status.listen, for example to "
                        "unix:status.sock, and reload the agent",
                        config->file);
        t->where = ob_copy(s->listen);
        if (s->address.at.ss_family == AF_UNIX)
                t->socket = ((const struct sockaddr_un *)&s->address.at)->sun_path;
        t->url = ob_format("http://%s/status.json", t->socket ? "localhost" : s->listen);
        return 0;
}

/* The address from the command line. */
static int find_at(struct top *t, const char *url, struct ob_err *err)
{
        size_t n = sizeof(unix_prefix) - 1, most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

        t->where = ob_copy(url);
        if (!strncmp(url, unix_prefix, n)) {
                t->socket = url + n;
                t->url = ob_copy("http://localhost/status.json");
                return *t->socket && strlen(t->socket) <= most
                               ? 0
                               : ob_fail(err, "--url: the path of a unix socket must have 1 to %zu bytes", most);
        }
        if (strchr(url, '@'))
                return ob_fail(err,
                        "--url: everybody on this machine can see a password on the command line: write user and "
                        "password into `status` of a config, and name the config with -c");
        if (ob_page_url_check(url, err))
                return ob_fail_in(err, "--url");
        t->url = ob_http_url(url, "status.json");
        return 0;
}

static int read_every(struct top *t, const char *text, struct ob_err *err)
{
        int64_t seconds = 1;

        if (text && (!ob_number_parse_int(text, &seconds) || seconds < 1 || seconds > EVERY_MAX))
                return ob_fail(
                        err, "--every must be a number of seconds from 1 to %d, not \"%s\"", EVERY_MAX, text);
        t->every_ms = seconds * 1000;
        return 0;
}

/* libcurl asks about once a second: a user who wants to end does not wait for an agent that hangs. */
static int must_end(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        const struct top *t = arg;

        (void)a;
        (void)b;
        (void)c;
        (void)d;
        return t->screen && ob_screen_has_event(t->screen);
}

static void open_http(struct top *t)
{
        const struct ob_http_settings settings = {
                .timeout_ms = TIMEOUT_MS, .headers_max = HEADERS_MAX, .body_max = BODY_MAX
        };

        ob_http_open(&t->http, &settings);
        curl_easy_setopt(t->http.curl, CURLOPT_XFERINFOFUNCTION, must_end);
        curl_easy_setopt(t->http.curl, CURLOPT_XFERINFODATA, t);
        if (t->socket)
                curl_easy_setopt(t->http.curl, CURLOPT_UNIX_SOCKET_PATH, t->socket);
}

/* The password is read again for each request, since its file may have changed. */
static void log_in(struct top *t)
{
        char secret[OB_SECRET_MAX];

        if (!t->login)
                return;
        ob_secret_now(t->login->password_file, t->login->password, secret);
        curl_easy_setopt(t->http.curl, CURLOPT_USERNAME, t->login->user);
        curl_easy_setopt(t->http.curl, CURLOPT_PASSWORD, secret);
        explicit_bzero(secret, sizeof(secret));
}

static int fail_to_connect(struct top *t, CURLcode got, struct ob_err *err)
{
        long code = 0;

        curl_easy_getinfo(t->http.curl, CURLINFO_OS_ERRNO, &code);
        errno = (int)code;
        if (got != CURLE_COULDNT_CONNECT || !code)
                return ob_fail(err, "%s: %s", t->where, t->http.why);
        if (code == EACCES)
                return ob_fail(err, "%s: %m: only the user and the group of the agent may connect", t->where);
        return ob_fail(err, "no agent answers at %s: %m; is the agent running?", t->where);
}

/* Asks the agent once. Returns 1 when an event of the screen came first. */
static int ask(struct top *t, struct ob_err *err)
{
        struct ob_bytes body = { .length = 0 };
        long code;
        CURLcode got;
        int result;

        log_in(t);
        got = ob_http_perform(&t->http, t->url, &body, &code);
        if (got == CURLE_ABORTED_BY_CALLBACK)
                result = 1;
        else if (got != CURLE_OK)
                result = fail_to_connect(t, got, err);
        else if (code == 401)
                result = ob_fail(err, "%s: user and password are %s", t->where, t->login ? "wrong" : "needed");
        else if (code != 200)
                result = ob_fail(err, "%s: the answer has the status %ld", t->where, code);
        else if (ob_figures_read(&t->figures, (const char *)body.data, body.length, err))
                result = ob_fail_in(err, t->where);
        else
                result = 0;
        ob_bytes_free(&body);
        return result;
}

static int print_once(struct top *t)
{
        const struct ob_figures_frame frame = { .line_end = "\n", .note = "" };
        struct ob_bytes lines = { .length = 0 };

        ob_figures_draw(&t->figures, &frame, &lines);
        fwrite(lines.data, 1, lines.length, stdout);
        putchar('\n');
        ob_bytes_free(&lines);
        return EXIT_FINE;
}

/* While the agent does not answer, the last figures stay, and a line says how old they are. */
static void draw(const struct top *t)
{
        ob_cleanup(ob_free_at) char *note = NULL;
        struct ob_figures_frame frame = { .line_end = OB_SCREEN_LINE_END,
                .has_colours = ob_terminal_has_colours(STDOUT_FILENO) };
        struct ob_bytes lines = { .length = 0 };
        char lasting[OB_QUANTITY_MAX];

        note = t->silent_since ? ob_format("NO ANSWER for %s: %s",
                                         ob_quantity_time(lasting, ob_clock_ms() - t->silent_since), t->err.text)
                               : ob_copy("");
        frame.note = note;
        ob_screen_size(&frame.columns, &frame.lines);
        ob_figures_draw(&t->figures, &frame, &lines);
        ob_screen_show(&lines);
        ob_bytes_free(&lines);
}

static int view(struct top *t, const sigset_t *signals, struct ob_err *err)
{
        struct ob_screen screen;
        enum ob_screen_event event = OB_SCREEN_TIME;

        if (ob_screen_open(&screen, signals, err))
                return EXIT_OUR_FAULT;
        t->screen = &screen;
        while (event != OB_SCREEN_QUIT) {
                int64_t next = ob_clock_ms() + t->every_ms;

                draw(t);
                while ((event = ob_screen_wait(&screen, next)) == OB_SCREEN_DRAW)
                        draw(t);
                if (event == OB_SCREEN_QUIT)
                        break;
                switch (ask(t, &t->err)) {
                case 0:
                        t->silent_since = 0;
                        break;
                case -1:
                        t->silent_since = t->silent_since ? t->silent_since : ob_clock_ms();
                        break;
                default:
                        break;
                }
        }
        t->screen = NULL;
        ob_screen_close(&screen);
        return EXIT_FINE;
}

/* Prints the status once, or shows it until the user ends the view. Returns the exit code. */
static int show(struct top *t, const sigset_t *signals, struct ob_err *err)
{
        int code;

        open_http(t);
        if (ask(t, err))
                code = EXIT_UNREACHED;
        else if (*ob_terminal_wipe(STDOUT_FILENO))
                code = view(t, signals, err);
        else
                code = print_once(t);
        ob_http_close(&t->http);
        return code;
}

static int run(const struct ob_config *config, const struct ob_arguments *a)
{
        const char *url = a->options[URL];
        struct top t = { .login = config && *config->status.user ? &config->status : NULL };
        struct ob_err err = { .text = "" };
        int code;

        assert(config || url);
        if (read_every(&t, a->options[EVERY], &err))
                code = EXIT_USAGE;
        else if (url ? find_at(&t, url, &err) : find_in_config(&t, config, &err))
                code = url ? EXIT_USAGE : EXIT_CONFIG;
        else
                code = show(&t, a->signals, &err);
        ob_figures_free(&t.figures);
        ob_free_at(&t.url);
        ob_free_at(&t.where);
        if (*err.text)
                fprintf(stderr, "otterbeat: %s\n", err.text);
        return code;
}

static const struct ob_option option_table[] = {
        [URL] = { "url", .argument = "URL",
                .help = "the status page, http://HOST:PORT or unix:PATH (default: status.listen of the config)" },
        [EVERY] = { "every", .argument = "SECONDS", .help = "how often the view is renewed (default: 1)" },
        { NULL },
};

const struct ob_command ob_top_command = {
        .name = "top",
        .usage = "[--url URL] [--every SECONDS]",
        .help = "show the status of a running agent in the terminal, the worst problems first; q or Ctrl-C ends the view",
        .notes =
                "Without a terminal the status is printed once. With --url a config is read only if -c names one. Then\n"
                "its user and password of the status page are sent.",
        .options = option_table,
        .replaces_config = "url",
        .ends_in_order = true,
        .run = run,
};
