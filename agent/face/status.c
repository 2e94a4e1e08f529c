#include "agent/face/status.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/face/status_draw.h"
#include "agent/face/status_files.h"
#include "config/secret.h"
#include "proto/memory.h"

#define CONNECTIONS_MAX 32u
#define IDLE_SECONDS    10u /* of a connection that asks for nothing */
#define BACKLOG         16

/* Scripts and styles are files of ours only: what slipped through the escaping could not run. */
static const char policy[] = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                             "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct ob_status {
        struct ob_status_of of;
        struct MHD_Daemon *daemon;
        const char *path; /* of the unix socket, in the config; NULL */
};

/* What can be asked for: drawn from a view, or a file. */
static const struct page {
        const char *url, *type;
        void (*draw)(const struct ob_view *v, struct ob_bytes *out);
        const char *file;
        enum ob_wellness ill; /* 503 when something is so badly off; OB_WELL: never */
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

/* Takes as long for each wrong guess. */
static bool is_same(const char *is, const char *wanted)
{
        size_t n = strlen(is), length = strlen(wanted);
        volatile unsigned char differs = n != length;

        for (size_t i = 0; i < length; i++)
                differs = (unsigned char)(differs | (is[i < n ? i : n] ^ wanted[i]));
        return !differs;
}

static bool is_allowed(struct MHD_Connection *connection, const struct ob_status_settings *s)
{
        char *password = NULL, *user;
        bool is_user, is_password;
        char wanted[OB_SECRET_MAX];

        if (!*s->user)
                return true;
        user = MHD_basic_auth_get_username_password(connection, &password);
        is_user = user && is_same(user, s->user);
        ob_secret_now(s->password_file, s->password, wanted);
        is_password = password && is_same(password, wanted); /* also of a wrong user: it takes as long */
        explicit_bzero(wanted, sizeof(wanted));
        if (password)
                explicit_bzero(password, strlen(password));
        MHD_free(user);
        MHD_free(password);
        return is_user && is_password;
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

/* Called for the head of a request, then again for each piece of a body, and at its end. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **request)
{
        static char begun;
        const struct ob_status *s = context;
        const struct page *page;

        (void)version;
        (void)upload;
        if (!*request) {
                *request = &begun;
                return MHD_YES;
        }
        if (*upload_size) {
                *upload_size = 0; /* a body is nothing to us */
                return MHD_YES;
        }
        if (!is_allowed(connection, &s->of.config->status))
                return refuse(connection, MHD_HTTP_UNAUTHORIZED, "user and password, please\n");
        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
                return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "there is nothing to be changed here\n");
        page = find_page(url);
        if (!page)
                return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
        return serve(s, connection, page);
}

/* A socket that a killed agent left behind goes; one that somebody answers on stays. */
static void sweep(const struct ob_status_address *a)
{
        const struct sockaddr_un *un = (const struct sockaddr_un *)&a->at;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return;
        if (connect(fd, (const struct sockaddr *)&a->at, a->length) && errno == ECONNREFUSED)
                unlink(un->sun_path);
        close(fd);
}

static int listen_at(const struct ob_status_settings *s, struct ob_err *err)
{
        const struct ob_status_address *a = &s->address;
        int fd, on = 1;

        if (a->at.ss_family == AF_UNIX)
                sweep(a);
        fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return ob_fail(err, "status: no socket: %m");
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (!bind(fd, (const struct sockaddr *)&a->at, a->length) && !listen(fd, BACKLOG))
                return fd;
        ob_fail(err, "status: can't listen at %s: %m", s->listen);
        close(fd);
        return -1;
}

int ob_status_start(struct ob_status **status, const struct ob_status_of *of, struct ob_err *err)
{
        const struct ob_status_settings *settings = &of->config->status;
        ob_cleanup(ob_free_at) struct ob_status *s = ob_alloc(1, sizeof(*s));
        int fd;

        *status = NULL;
        if (!*settings->listen)
                return 0;
        fd = listen_at(settings, err);
        if (fd < 0)
                return -1;
        s->of = *of;
        if (settings->address.at.ss_family == AF_UNIX)
                s->path = ((const struct sockaddr_un *)&settings->address.at)->sun_path;
        s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, answer, s,
                MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
        if (!s->daemon) {
                close(fd);
                return ob_fail(err, "status: the web server does not start: %m");
        }
        *status = ob_take(s);
        return 0;
}

void ob_status_stop(struct ob_status *s)
{
        if (!s)
                return;
        MHD_stop_daemon(s->daemon);
        if (s->path)
                unlink(s->path);
        ob_free_at(&s);
}
