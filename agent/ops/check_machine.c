/* The part of --check about this machine. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/ops/check_parts.h"
#include "agent/status/socket.h"
#include "agent/store/connection.h"
#include "agent/store/schema.h"
#include "agent/store/state_session.h"
#include "agent/store/store.h"
#include "config/file.h"
#include "proto/memory.h"

static void check_files(struct ob_report *r, const struct ob_config *c)
{
        struct ob_exposed e;
        size_t i = 0;

        while (ob_config_exposed(c, &i, &e))
                ob_report_add(r, OB_GRADE_WARN, "config", e.file, e.fix, "%s", e.why);
        ob_report_add(
                r, OB_GRADE_OK, "config", c->prefix, "", "managers: %zu, sinks: %zu", c->n_managers, c->n_sinks);
}

/* main has raised the soft limit to the hard limit before. */
static void check_descriptors(struct ob_report *r, const struct ob_config *c)
{
        int64_t wanted = ob_config_descriptors(c);
        struct rlimit files;

        if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < (rlim_t)wanted)
                ob_report_add(r, OB_GRADE_WARN, "limits", "open files", "raise the limit: ulimit -Hn, LimitNOFILE",
                        "%lld are allowed, and %zu managers and %zu sinks may need %lld", (long long)files.rlim_cur,
                        c->n_managers, c->n_sinks, (long long)wanted);
}

/* The folder at `path`, or the nearest folder above it that exists. The caller frees the text. */
static char *existing(const char *path)
{
        ob_cleanup(ob_free_at) char *at = ob_copy(path);
        char *slash;

        while (access(at, F_OK) && (slash = strrchr(at, '/'))) {
                if (slash == at)
                        return ob_copy("/");
                *slash = '\0';
        }
        return access(at, F_OK) ? ob_copy(".") : ob_take(at);
}

/* Asks the folder itself, so that missing rights, a read-only disk, or a file in its place are found. */
static bool can_write(const char *dir)
{
        struct stat s;

        if (stat(dir, &s))
                return false;
        errno = ENOTDIR;
        return S_ISDIR(s.st_mode) && !access(dir, R_OK | W_OK | X_OK);
}

static void check_room(struct ob_report *r, const char *dir, int64_t wanted)
{
        struct statvfs s;
        int64_t room;

        if (statvfs(dir, &s))
                return;
        room = (int64_t)s.f_bavail * (int64_t)s.f_frsize;
        if (room >= wanted)
                ob_report_add(r, OB_GRADE_OK, "disk", dir, "", "%lld MB free", (long long)(room >> 20));
        else
                ob_report_add(r, room < OB_STORE_MARGIN ? OB_GRADE_BAD : OB_GRADE_WARN, "disk", dir,
                        "make room, or make queue.max_bytes smaller",
                        "%lld MB free, and a full queue takes %lld MB", (long long)(room >> 20),
                        (long long)(wanted >> 20));
}

static void check_store(struct ob_report *r, const char *dir)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.db", dir);
        ob_cleanup(ob_connection_close) sqlite3 *db = NULL;
        struct ob_err err;
        int got;

        if (access(path, F_OK)) {
                ob_report_add(r, OB_GRADE_OK, "store", path, "", "will be made");
                return;
        }
        got = ob_connection_open(path, &db, &err);
        if (!got)
                got = ob_schema_check(db, &err);
        if (!got)
                ob_report_add(r, OB_GRADE_OK, "store", path, "", "sound");
        else
                ob_report_add(r, got == OB_CORRUPT ? OB_GRADE_WARN : OB_GRADE_BAD, "store", path,
                        got == OB_CORRUPT
                                ? "nothing to do: the next start sets this store aside, and sends the rows to Graphite again"
                                : "which users may read and write this file?",
                        "%s", err.text);
}

/* An operating system or a server that keeps commits back loses them when its machine fails. */
static void check_flush(struct ob_report *r, struct ob_state_session *s, const char *place)
{
        struct ob_state_answer a;
        struct ob_err err;

        if (ob_state_session_run(s, "SELECT @@innodb_flush_log_at_trx_commit", &a, &err))
                return;
        if (!strcmp(a.cells[0], "0"))
                ob_report_add(r, OB_GRADE_WARN, "state", place,
                        "set innodb_flush_log_at_trx_commit to 1; with Galera 2 is enough",
                        "the server keeps commits in memory for a second: they are lost when it is killed");
}

/* Each host is asked, since an agent may have to use any. The lease is not touched. */
static void check_shared(struct ob_report *r, const struct ob_state_settings *settings)
{
        struct ob_stop never;

        ob_stop_init(&never);
        for (size_t i = 0; i < settings->n_hosts; i++) {
                struct ob_state_settings one = *settings;
                struct ob_state_session s = { .settings = &one, .stop = &never };
                ob_cleanup(ob_free_at) char *place = NULL;
                struct ob_err err;

                one.hosts[0] = settings->hosts[i];
                one.n_hosts = 1;
                place = ob_state_place(&one);
                if (ob_state_session_open(&s, &err)) {
                        ob_report_add(r, OB_GRADE_BAD, "state", place,
                                s.is_refused ? "deploy/cluster.md says how the database is set up"
                                             : "does the server run, and may this machine reach it?",
                                "%s", err.text);
                } else {
                        ob_report_add(r, OB_GRADE_OK, "state", place, "", "answers, and its tables fit");
                        check_flush(r, &s, place);
                }
                ob_state_session_close(&s);
        }
        ob_stop_fini(&never);
}

static void check_state(struct ob_report *r, const struct ob_config *c)
{
        ob_cleanup(ob_free_at) char *dir = NULL;

        if (c->state.n_hosts) {
                check_shared(r, &c->state);
                return;
        }
        if (!*c->state_dir) {
                ob_report_add(r, OB_GRADE_WARN, "state", "\"\"", "name a folder in state_dir",
                        "in memory: nothing survives the end of the process");
                return;
        }
        dir = existing(c->state_dir);
        if (!can_write(dir)) {
                ob_report_add(r, OB_GRADE_BAD, "state", dir,
                        "which user runs the agent, and may this user write there?", "%m");
                return;
        }
        ob_report_add(r, OB_GRADE_OK, "state", c->state_dir, "",
                strcmp(dir, c->state_dir) != 0 ? "will be made" : "can be written");
        check_room(r, dir, 2 * c->queue_max_bytes); /* the file, and its write-ahead log */
        check_store(r, c->state_dir);
}

/* The folder of a file that exists, or will be made. The caller frees the text. */
static char *folder_of(const char *file)
{
        const char *slash = strrchr(file, '/');

        return slash ? ob_format("%.*s", (int)(slash == file ? 1 : slash - file), file) : ob_copy(".");
}

static void check_log(struct ob_report *r, const char *file)
{
        ob_cleanup(ob_free_at) char *dir = folder_of(file);
        struct ob_err err;
        bool is_fine;
        int fd;

        if (!*file)
                return;
        fd = ob_file_open(file, O_WRONLY | O_APPEND | O_NOFOLLOW, 0, &err);
        is_fine = fd >= 0;
        if (is_fine)
                close(fd);
        else if (errno == ENOENT && !(is_fine = can_write(dir)))
                ob_fail(&err, "%m");
        ob_report_add(r, is_fine ? OB_GRADE_OK : OB_GRADE_BAD, "log", file,
                is_fine ? "" : "create the folder, or choose another log_file", "%s",
                is_fine ? "can be written" : err.text);
}

/* Makes no socket and removes none. */
static void check_status_socket(struct ob_report *r, const struct ob_status_settings *s)
{
        const char *path = ((const struct sockaddr_un *)&s->address.at)->sun_path, *what;
        ob_cleanup(ob_free_at) char *dir = folder_of(path);

        switch (ob_status_socket_look(&s->address, &what)) {
        case OB_STANDS_ANOTHER:
                ob_report_add(r, OB_GRADE_BAD, "status", s->listen, "move that file away, or choose another path",
                        "there is %s, not a socket: the agent leaves it as it is, and does not start", what);
                return;
        case OB_STANDS_LIVE:
                ob_report_add(r, OB_GRADE_WARN, "status", s->listen,
                        "this is fine when an agent runs with this config; otherwise choose another path",
                        "another program answers there");
                return;
        case OB_STANDS_UNKNOWN:
                ob_report_add(r, OB_GRADE_BAD, "status", s->listen,
                        "which user runs the agent, and may this user look there?", "%m");
                return;
        case OB_STANDS_NOTHING:
        case OB_STANDS_DEAD:
                break;
        }
        if (can_write(dir))
                ob_report_add(r, OB_GRADE_OK, "status", s->listen, "", "%s",
                        *what ? "a dead socket is there, which is replaced" : "is free");
        else
                ob_report_add(
                        r, OB_GRADE_BAD, "status", s->listen, "create the folder, or choose another path", "%m");
}

/* Binds the address for a moment. An address in use is only a warning: an agent with this config may be running. */
static void check_status(struct ob_report *r, const struct ob_status_settings *s)
{
        int fd, on = 1;

        if (!*s->listen)
                return;
        if (s->address.at.ss_family == AF_UNIX) {
                check_status_socket(r, s);
                return;
        }
        fd = socket(s->address.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (fd >= 0 && !bind(fd, (const struct sockaddr *)&s->address.at, s->address.length) && !listen(fd, 1))
                ob_report_add(r, OB_GRADE_OK, "status", s->listen, "", "is free");
        else
                ob_report_add(r, errno == EADDRINUSE ? OB_GRADE_WARN : OB_GRADE_BAD, "status", s->listen,
                        errno == EADDRINUSE
                                ? "this is fine when an agent runs with this config; otherwise choose another port"
                                : "choose an address of this machine, and a port that the agent may use",
                        "%m");
        if (fd >= 0)
                close(fd);
}

void ob_check_machine(struct ob_report *r, const struct ob_config *c)
{
        check_files(r, c);
        check_descriptors(r, c);
        check_state(r, c);
        check_log(r, c->log_file);
        check_status(r, &c->status);
}
