#include "tests/otter/pages.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>

#include "tests/otter/figures.h"
#include "tests/otter/site.h"
#include "tests/otter/visit.h"

enum { CONNECTIONS_MOST = 100, ANSWER_SECONDS = 30 };

static struct MHD_Daemon *listen_on(struct fo_site *site)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t)site->options->listen),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };

        /* A thread for each connection: it may hang. */
        return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
                fo_visit_go_on, site, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_URI_LOG_CALLBACK, fo_visit_begin,
                site, MHD_OPTION_NOTIFY_COMPLETED, fo_visit_end, site, MHD_OPTION_CONNECTION_LIMIT,
                (unsigned)CONNECTIONS_MOST, MHD_OPTION_END);
}

static void serve(struct fo_site *site, struct MHD_Daemon *daemon, const sigset_t *signals)
{
        unsigned port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
        int signal;

        snprintf(site->address, sizeof(site->address), "http://127.0.0.1:%u", port);
        printf("listening on 127.0.0.1:%u\n", port);
        fflush(stdout);
        sigwait(signals, &signal);
        fo_stop_set(&site->stop);
        MHD_stop_daemon(daemon);
}

static int serve_site(struct fo_site *site, struct fo_db *db)
{
        struct MHD_Daemon *daemon;
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        signal(SIGPIPE, SIG_IGN);
        daemon = listen_on(site);
        if (!daemon) {
                snprintf(db->error, sizeof(db->error), "cannot listen on port %d", (int)site->options->listen);
                return -1;
        }
        serve(site, daemon, &signals);
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
