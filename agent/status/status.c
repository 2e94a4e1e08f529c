#include "agent/status/status.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/built_in.h"
#include "agent/process/clock.h"
#include "agent/status/auth.h"
#include "agent/status/draw.h"
#include "agent/status/guard.h"
#include "agent/status/socket.h"
#include "config/secret.h"
#include "proto/memory.h"

/* Only our own files may be scripts and styles: a text that slipped through the escaping could not run. */
static const char policy[] = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                             "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct ob_status {
        struct ob_status_of of;
        struct MHD_Daemon *daemon;
        struct ob_status_socket socket;
        struct ob_guard *guard;
        pthread_t thread;
        int wake; /* an eventfd, readable when the thread has to end */
};

/* The addresses that are served: drawn from a view, or a file that is built in. */
static const struct page {
        const char *url, *type;
        void (*draw)(const struct ob_view *v, struct ob_bytes *out);
        const char *file;
        enum ob_wellness ill; /* 503 when a source or sink is at least so ill; OB_WELL: never */
} pages[] = {
        { "/", "text/html; charset=utf-8", ob_status_html },
        { "/metrics", "text/plain; version=0.0.4; charset=utf-8", ob_status_metrics },
        { "/healthz", "text/plain; charset=utf-8", ob_status_health, .ill = OB_ILL },
        { "/livez", "text/plain; charset=utf-8", ob_status_health, .ill = OB_STUCK },
        { "/status.json", "application/json", ob_status_json },
        { "/status.css", "text/css", .file = ob_status_css },
        { "/status.js", "text/javascript", .file = ob_status_js },
};

static const struct page *find_page(const char *url)
{
        for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
                if (!strcmp(pages[i].url, url))
                        return &pages[i];
        return NULL;
}

/* Takes the same time for each wrong guess. */
static bool is_same(const char *is, const char *wanted)
{
        size_t n = strlen(is), length = strlen(wanted);
        volatile unsigned char differs = n != length;

        for (size_t i = 0; i < length; i++)
                differs = (unsigned char)(differs | (is[i < n ? i : n] ^ wanted[i]));
        return !differs;
}

/*
 * Whether the request names this machine. A foreign web page can let its own name lead to the loopback of its
 * reader (DNS rebinding), and would then read our page. But it can't choose the Host header that the reader's
 * browser sends.
 */
static bool is_our_name(struct MHD_Connection *connection, const struct ob_status_settings *s)
{
        const char *names[] = { "localhost", "127.0.0.1", "[::1]", s->listen };
        const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
        size_t length;

        if (!s->address.is_local || s->address.at.ss_family == AF_UNIX || !host)
                return true;
        length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
        for (size_t i = 0; i < sizeof(names) / sizeof(*names) && length <= strlen(host); i++) {
                const char *port = strrchr(names[i], ':');
                size_t n = i == 3 ? (size_t)(port - names[i]) : strlen(names[i]);

                if (n == length && !strncasecmp(names[i], host, n) && (!host[length] || host[length] == ':'))
                        return true;
        }
        return false;
}

static bool is_allowed(struct MHD_Connection *connection, const struct ob_status_settings *s)
{
        const char *header, *password;
        bool is_user, is_password;
        char wanted[OB_SECRET_MAX];
        char *user;

        if (!*s->user)
                return true;
        header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
        if (!ob_status_credentials(header, &user, &password))
                return false;
        is_user = is_same(user, s->user);
        ob_secret_now(s->password_file, s->password, wanted);
        is_password = is_same(password, wanted); /* also for a wrong user, so that both take the same time */
        explicit_bzero(wanted, sizeof(wanted));
        explicit_bzero(user, strlen(user) + 1 + strlen(password));
        free(user);
        return is_user && is_password;
}

/* A request without a login is answered at once: every browser begins that way. */
static bool has_login(struct MHD_Connection *connection)
{
        return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION) != NULL;
}

static struct MHD_Response *respond(
        const void *body, size_t length, enum MHD_ResponseMemoryMode mode, const char *type)
{
        struct MHD_Response *r = MHD_create_response_from_buffer(length, (void *)body, mode);

        MHD_add_response_header(r, "Content-Type", type);
        MHD_add_response_header(r, "Cache-Control", "no-store");
        MHD_add_response_header(r, "Content-Security-Policy", policy);
        MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
        MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
        return r;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned code, const char *text)
{
        struct MHD_Response *r = respond(text, strlen(text), MHD_RESPMEM_PERSISTENT, "text/plain; charset=utf-8");
        enum MHD_Result got;

        if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
                MHD_add_response_header(r, "Allow", "GET, HEAD");
        got = code == MHD_HTTP_UNAUTHORIZED ? MHD_queue_basic_auth_fail_response(connection, "otterbeat", r)
                                            : MHD_queue_response(connection, code, r);
        MHD_destroy_response(r);
        return got;
}

static enum MHD_Result serve(const struct ob_status *s, struct MHD_Connection *connection, const struct page *page)
{
        struct ob_bytes body = { .length = 0 };
        unsigned code = MHD_HTTP_OK;
        struct MHD_Response *r;
        enum MHD_Result got;
        struct ob_view v;

        if (page->file) {
                r = respond(page->file, strlen(page->file), MHD_RESPMEM_PERSISTENT, page->type);
        } else {
                ob_view_take(&v, &s->of);
                page->draw(&v, &body);
                if (page->ill && (ob_view_count(&v, page->ill) || (v.is_stopping && page->ill == OB_ILL)))
                        code = MHD_HTTP_SERVICE_UNAVAILABLE;
                ob_view_free(&v);
                r = respond(body.data, body.length, MHD_RESPMEM_MUST_COPY, page->type);
                ob_bytes_free(&body);
        }
        got = MHD_queue_response(connection, code, r);
        MHD_destroy_response(r);
        return got;
}

/* Called for the head of a request, then for each piece of its body, and at its end. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **request)
{
        static char begun;
        struct ob_status *s = context;
        const struct ob_status_settings *settings = &s->of.config->status;
        const struct page *page;

        (void)version;
        (void)upload;
        if (!*request) {
                *request = &begun;
                return MHD_YES;
        }
        if (*upload_size) {
                *upload_size = 0; /* the body of a request is thrown away */
                return MHD_YES;
        }
        if (!is_our_name(connection, settings))
                return refuse(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                        "ask for localhost, or for what status.listen names\n");
        if (!is_allowed(connection, settings)) {
                if (!has_login(connection) || ob_guard_is_wrong(connection))
                        return refuse(connection, MHD_HTTP_UNAUTHORIZED, "user and password, please\n");
                ob_guard_wrong(s->guard, connection); /* the web server calls again for this request */
                return MHD_YES;
        }
        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
                return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "there is nothing to be changed here\n");
        page = find_page(url);
        if (!page)
                return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
        return serve(s, connection, page);
}

/* How long to wait, in milliseconds; -1: until a request comes. */
static int wait_ms(struct ob_status *s)
{
        int64_t due = ob_guard_look(s->guard), now = ob_clock_ms();
        MHD_UNSIGNED_LONG_LONG most;

        if (MHD_get_timeout(s->daemon, &most) == MHD_YES && !most)
                return 0;
        if (due == INT64_MAX)
                return -1;
        return due > now ? (int)(due - now) : 0; /* at most the time of one request */
}

static void *run(void *arg)
{
        struct ob_status *s = arg;
        struct pollfd at[] = {
                { .fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN },
                { .fd = s->wake, .events = POLLIN },
        };

        while (!at[1].revents) {
                if (poll(at, 2, wait_ms(s)) >= 0 || errno == EINTR)
                        MHD_run(s->daemon);
        }
        return NULL;
}

static void close_all(struct ob_status *s)
{
        ob_status_socket_remove(&s->socket);
        ob_guard_resume(s->guard);
        if (s->daemon)
                MHD_stop_daemon(s->daemon); /* closes the socket, too */
        else
                close(s->socket.fd);
        if (s->wake >= 0)
                close(s->wake);
        ob_guard_free(s->guard);
}

int ob_status_start(struct ob_status **status, const struct ob_status_of *of, struct ob_err *err)
{
        const struct ob_status_settings *settings = &of->config->status;
        ob_cleanup(ob_free_at) struct ob_status *s = ob_alloc(1, sizeof(*s));

        *status = NULL;
        if (!*settings->listen)
                return 0;
        if (ob_status_socket_open(&s->socket, settings, err))
                return -1;
        s->of = *of;
        s->guard = ob_guard_new();
        s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, s,
                MHD_OPTION_LISTEN_SOCKET, s->socket.fd, MHD_OPTION_CONNECTION_LIMIT, OB_GUARD_CONNECTIONS,
                MHD_OPTION_NOTIFY_CONNECTION, ob_guard_connection, s->guard, MHD_OPTION_NOTIFY_COMPLETED,
                ob_guard_completed, s->guard, MHD_OPTION_END);
        if (s->wake < 0 || !s->daemon || (errno = pthread_create(&s->thread, NULL, run, s))) {
                ob_fail(err, "status: the web server does not start: %m");
                close_all(s);
                return -1;
        }
        pthread_setname_np(s->thread, "status");
        *status = ob_take(s);
        return 0;
}

void ob_status_stop(struct ob_status *s)
{
        if (!s)
                return;
        eventfd_write(s->wake, 1);
        pthread_join(s->thread, NULL);
        close_all(s);
        ob_free_at(&s);
}
