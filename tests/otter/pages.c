#include "tests/otter/pages.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/otter/figures.h"
#include "tests/otter/site.h"
#include "tests/otter/visit.h"

enum { CONNECTIONS_MOST = 100, ANSWER_SECONDS = 30 };

/* A socket, and the site's address, which the first visitor already needs; -1: the port is taken. */
static int listen_on(struct fo_site *site)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t)site->options->listen),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        struct sockaddr *any = (struct sockaddr *)&address;
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int yes = 1;

        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        if (bind(listener, any, size) || listen(listener, CONNECTIONS_MOST) || getsockname(listener, any, &size)) {
                close(listener);
                return -1;
        }
        snprintf(site->address, sizeof(site->address), "http://127.0.0.1:%u", ntohs(address.sin_port));
        return listener;
}

/* A thread for each connection: it may hang. */
static struct MHD_Daemon *start(struct fo_site *site, int listener)
{
        return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
                fo_visit_go_on, site, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_URI_LOG_CALLBACK,
                fo_visit_begin, site, MHD_OPTION_NOTIFY_COMPLETED, fo_visit_end, site, MHD_OPTION_CONNECTION_LIMIT,
                (unsigned)CONNECTIONS_MOST, MHD_OPTION_END);
}

static int serve_site(struct fo_site *site, struct fo_db *db)
{
        int listener = listen_on(site);
        struct MHD_Daemon *daemon;
        sigset_t signals;
        int ended_by;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        signal(SIGPIPE, SIG_IGN);
        daemon = listener < 0 ? NULL : start(site, listener);
        if (!daemon) {
                snprintf(db->error, sizeof(db->error), "cannot listen on port %d", (int)site->options->listen);
                return -1;
        }
        printf("listening on %s\n", site->address + strlen("http://"));
        fflush(stdout);
        sigwait(&signals, &ended_by);
        fo_stop_set(&site->stop);
        MHD_stop_daemon(daemon);
        return 0;
}

int fo_pages_serve(struct fo_db *db, const struct fo_options *options)
{
        struct fo_site site = { .options = options, .where = options->where };
        int failed;

        site.where.answer_seconds = ANSWER_SECONDS;
        if (fo_figure_zone(options->zone)) {
                snprintf(db->error, sizeof(db->error), "no such zone: %s", options->zone);
                return -1;
        }
        fo_sessions_init(&site.sessions);
        fo_stop_init(&site.stop);
        failed = serve_site(&site, db);
        fo_stop_fini(&site.stop);
        fo_sessions_fini(&site.sessions);
        return failed;
}
