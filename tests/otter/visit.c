#include "tests/otter/visit.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/otter/access.h"
#include "tests/otter/layout.h"
#include "tests/otter/reply.h"
#include "tests/otter/screens.h"

enum { PAGE_SIZE = 64, FORM_MOST = 16384, LOOK_AGAIN_MS = 50 };

/* A screen within the layout, or a whole page. */
static const struct route {
        const char *page;
        int (*screen)(struct fo_visit *visit, struct fo_text *screen);
        void (*whole)(struct fo_visit *visit, struct fo_answer *answer);
        bool asks_zookeeper; /* and waits for it without end */
        bool always_open;    /* also when a login is required */
        bool posts;
} routes[] = {
        { .page = "channelList", .screen = fo_screen_channels, .asks_zookeeper = true },
        { .page = "pipelineList", .screen = fo_screen_pipelines, .asks_zookeeper = true },
        { .page = "nodeList", .screen = fo_screen_nodes },
        { .page = "analysisStageStat", .screen = fo_screen_stages, .asks_zookeeper = true },
        { .page = "forbidden", .screen = fo_screen_forbidden, .always_open = true },
        { .page = "login", .whole = fo_screen_login, .always_open = true, .posts = true },
        { .page = "monitor/ok", .whole = fo_screen_ok, .always_open = true },
        { 0 }, /* any other: there is no screen for it */
};

static const struct route *find_route(const char *page)
{
        const struct route *route = routes;

        while (route->page && strcmp(route->page, page) != 0)
                route++;
        return route;
}

static void read_viewer(struct fo_visit *visit)
{
        struct fo_sessions *sessions = &visit->site->sessions;
        const char *id = MHD_lookup_connection_value(visit->connection, MHD_COOKIE_KIND, "OTTER_WEBX_JSESSIONID");

        if (fo_state_find(&visit->state, "session", "expired", NULL))
                fo_sessions_end_all(sessions, visit->state.written);
        if (fo_sessions_has(sessions, id))
                snprintf(
                        visit->viewer, sizeof(visit->viewer), "%.30s  （超级管理员）", visit->site->options->login);
}

/* The valve before all pages: true when it has made the answer. */
static bool is_stopped(
        struct fo_visit *visit, const struct route *route, const char *path, struct fo_answer *answer)
{
        enum fo_access access = fo_access_of(path);

        if (access == FO_ANYONE && !route->always_open && fo_state_find(&visit->state, "login", "required", NULL))
                access = FO_ADMINISTRATORS;
        if (access == FO_ADMINISTRATORS && !visit->viewer[0])
                fo_visit_send_to(visit, answer, "login.htm");
        if (access == FO_NOBODY)
                fo_visit_send_to(visit, answer, "forbidden.htm");
        return answer->status;
}

static bool hangs(const struct fo_visit *visit, const struct route *route)
{
        if (route->asks_zookeeper && fo_state_find(&visit->state, "zookeeper", "down", NULL))
                return true;
        return route->page && fo_state_find(&visit->state, "hang", route->page, NULL);
}

static int read_state(struct fo_visit *visit)
{
        fo_state_fini(&visit->state);
        return fo_state_read(&visit->state, visit->site->options->state);
}

/* Until the order is withdrawn; -1: the client has gone, or the site closes. */
static int wait_while_hanging(struct fo_visit *visit, const struct route *route)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(visit->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct pollfd client = { .fd = info->connect_fd, .events = POLLRDHUP };

        while (hangs(visit, route)) {
                if (poll(&client, 1, LOOK_AGAIN_MS) || fo_stop_wait(&visit->site->stop, fo_clock_now()))
                        return -1;
                read_state(visit);
        }
        return 0;
}

static unsigned ordered_error(const struct fo_visit *visit, const char *page)
{
        const struct fo_order *order = fo_state_find(&visit->state, "error", NULL, page);

        return page && order ? (unsigned)strtoul(order->words[1], NULL, 10) : 0;
}

static int show_screen(struct fo_visit *visit, const struct route *route, struct fo_answer *answer)
{
        ob_cleanup(fo_text_fini) struct fo_text screen = { 0 };
        struct fo_site *site = visit->site;

        if (fo_db_open(&visit->db, &site->where, site->where.database) || route->screen(visit, &screen)) {
                if (visit->db.error[0])
                        fprintf(stderr, "event=failed err=\"%s\"\n", visit->db.error);
                return -1;
        }
        answer->status = MHD_HTTP_OK;
        fo_layout_add(visit, &screen, &answer->body);
        return 0;
}

static void show(struct fo_visit *visit, const struct route *route, struct fo_answer *answer)
{
        unsigned error = ordered_error(visit, route->page);

        if (error)
                fo_layout_fail(visit, answer, error);
        else if (strcmp(visit->method, "POST") == 0 && !route->posts)
                fo_layout_fail(visit, answer, MHD_HTTP_METHOD_NOT_ALLOWED);
        else if (route->whole)
                route->whole(visit, answer);
        else if (!route->screen || show_screen(visit, route, answer))
                fo_layout_fail(visit, answer, MHD_HTTP_NOT_FOUND);
}

/* drift PAGE WORD [OTHER] */
static void drift(const struct fo_visit *visit, const char *page, struct fo_text *body)
{
        struct fo_text out = { 0 };
        const struct fo_order *order = fo_state_find(&visit->state, "drift", page, NULL);
        const char *rest = body->bytes;
        const char *found;

        if (!order || !body->length)
                return;
        while ((found = strstr(rest, order->words[2]))) {
                fo_text_addf(&out, "%.*s%s", (int)(found - rest), rest, order->words[3] ? order->words[3] : "");
                rest = found + strlen(order->words[2]);
        }
        fo_text_add(&out, rest);
        fo_text_fini(body);
        *body = out;
}

static void refuse_orders(const struct fo_visit *visit, struct fo_answer *answer)
{
        const struct fo_order *order = &visit->state.orders[visit->state.count - 1];

        answer->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        fo_text_add(&answer->body, "not an order:");
        for (size_t i = 0; i < FO_WORDS && order->words[i]; i++)
                fo_text_addf(&answer->body, " %s", order->words[i]);
        fprintf(stderr, "event=bad_state err=\"%s\"\n", answer->body.bytes);
}

static enum MHD_Result answer_visit(struct fo_visit *visit, const char *path)
{
        ob_cleanup(fo_answer_fini) struct fo_answer answer = { 0 };
        char page[PAGE_SIZE] = "";
        const struct route *route;

        if (fo_access_page(path, page, sizeof(page)))
                page[0] = 0;
        route = find_route(page);
        if (read_state(visit)) {
                refuse_orders(visit, &answer);
        } else {
                read_viewer(visit);
                fo_stop_wait(&visit->site->stop,
                        fo_clock_after((double)fo_state_number(&visit->state, "latency") / 1000));
                if (strcmp(path, "/") == 0)
                        fo_visit_send_to(visit, &answer, "channel_list.htm");
                else if (!is_stopped(visit, route, path, &answer)) {
                        if (wait_while_hanging(visit, route))
                                return MHD_NO;
                        show(visit, route, &answer);
                }
                drift(visit, page, &answer.body);
        }
        fprintf(stderr, "method=%s uri=%s status=%u ms=%" PRId64 "\n", visit->method, visit->uri, answer.status,
                (fo_clock_now() - visit->begin) / (FO_SECOND / 1000));
        return fo_reply(visit, page, &answer);
}

void *fo_visit_begin(void *site, const char *uri, struct MHD_Connection *connection)
{
        struct fo_visit *visit = ob_alloc(1, sizeof(*visit));

        visit->site = site;
        visit->connection = connection;
        visit->uri = ob_copy(uri);
        visit->begin = fo_clock_now();
        return visit;
}

static bool is_served(const char *method)
{
        return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "POST") == 0;
}

/* Called once with the head of a request, then with pieces of what was posted, then to answer. */
enum MHD_Result fo_visit_go_on(void *site, struct MHD_Connection *connection, const char *path, const char *method,
        const char *version, const char *data, size_t *length, void **at)
{
        struct fo_visit *visit = *at;

        (void)site;
        (void)connection;
        (void)version;
        visit->method = method;
        if (!is_served(method))
                return MHD_NO;
        if (!visit->begun) {
                visit->begun = true;
                return MHD_YES;
        }
        if (*length) {
                if (visit->form.length + *length > FORM_MOST)
                        return MHD_NO;
                fo_text_addf(&visit->form, "%.*s", (int)*length, data);
                *length = 0;
                return MHD_YES;
        }
        return answer_visit(visit, path);
}

void fo_visit_end(void *site, struct MHD_Connection *connection, void **at, enum MHD_RequestTerminationCode how)
{
        struct fo_visit *visit = *at;

        (void)site;
        (void)connection;
        (void)how;
        if (!visit)
                return;
        fo_db_close(&visit->db);
        fo_state_fini(&visit->state);
        fo_text_fini(&visit->form);
        free(visit->uri);
        free(visit);
        *at = NULL;
}
