#include "agent/process/mysql/transport.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/process/mysql/greeting.h"
#include "proto/memory.h"

/* Bytes before the rows: an error, or some hundred for each column; the library allocates many times as much. */
#define PREFACE_MAX 262144
#define RECEIVE_MAX 262144 /* of the kernel's buffer, which is readable even after shutdown() */
#define STACK       262144 /* of the library while it connects: a look-up of names needs more than its default */

/* Plugins that send a hash of the password, and plugins that may reveal it to a listener or a false server. */
#define HASHING   "mysql_native_password,client_ed25519"
#define REVEALING "caching_sha2_password,sha256_password"

#define LATER 10 /* seconds */

#define STOPPED "mysql: a stop is wanted"

/* Errors of the server or the library when the other side has ended the session. */
static const unsigned gone[] = { CR_SERVER_GONE_ERROR, CR_SERVER_LOST, CR_SERVER_LOST_EXTENDED,
        ER_CONNECTION_KILLED, 4031 /* MySQL's, for an idle session */ };

/* The bytes that the session in this thread may still receive. */
static _Thread_local int64_t allowance;
static _Thread_local bool is_allowance_spent;

/* In the library, but not in its headers: calls `callback` after each read and write of any connection. */
extern int ma_pvio_register_callback(
        my_bool adds, void (*callback)(int is_write, MYSQL *db, const unsigned char *bytes, size_t length));

static void count_bytes(int is_write, MYSQL *db, const unsigned char *bytes, size_t length)
{
        (void)bytes;
        if (is_write || (ssize_t)length <= 0)
                return;
        allowance -= (ssize_t)length;
        if (allowance >= 0 || is_allowance_spent)
                return;
        is_allowance_spent = true;
        shutdown(mysql_get_socket(db), SHUT_RDWR);
}

static void register_count(void)
{
        ma_pvio_register_callback(1, count_bytes);
}

static void allow(int64_t bytes)
{
        allowance = bytes;
        is_allowance_spent = false;
}

/* In a folder that not everybody can write, the socket is the server's. */
static bool is_guarded(const char *path)
{
        const char *slash = strrchr(path, '/');
        ob_cleanup(ob_free_at) char *folder =
                slash && slash != path ? ob_format("%.*s", (int)(slash - path), path) : ob_copy(slash ? "/" : ".");
        struct stat st;

        return !stat(folder, &st) && !(st.st_mode & S_IWOTH);
}

static const char *allowed_plugins(const struct ob_mysql_settings *m)
{
        bool is_private = m->tls != OB_TLS_OFF || (*m->socket && is_guarded(m->socket));

        return is_private ? HASHING "," REVEALING : HASHING;
}

static void set_tls(struct ob_transport *t, const struct ob_mysql_settings *m)
{
        my_bool yes = 1, verify = m->tls == OB_TLS_VERIFY ? 1 : 0;

        mysql_optionsv(t->db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
        if (m->tls == OB_TLS_OFF)
                return;
        mysql_optionsv(t->db, MYSQL_OPT_SSL_ENFORCE, &yes);
        if (*m->ca)
                mysql_optionsv(t->db, MYSQL_OPT_SSL_CA, m->ca);
        if (*m->cert) {
                mysql_optionsv(t->db, MYSQL_OPT_SSL_CERT, m->cert);
                mysql_optionsv(t->db, MYSQL_OPT_SSL_KEY, m->key);
        }
}

int ob_transport_init(struct ob_transport *t, const struct ob_mysql_settings *m, struct ob_err *err)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        unsigned connect = (unsigned)m->connect_timeout, no_files = 0;
        unsigned answer = (unsigned)m->query_timeout + LATER; /* after our own deadline, whose meaning we know */
        size_t stack = STACK, packet = OB_TRANSPORT_ROW_BYTES;
        unsigned way = *m->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
        my_bool no = 0;

        pthread_once(&once, register_count);
        t->db = mysql_init(NULL);
        if (!t->db)
                return ob_fail(err, "mysql: no memory");
        mysql_options(t->db, MYSQL_OPT_NONBLOCK, &stack);
        /* For "localhost" the library would use its default socket, and so perhaps another server. */
        mysql_options(t->db, MYSQL_OPT_PROTOCOL, &way);
        mysql_options(t->db, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
        mysql_options(t->db, MYSQL_OPT_READ_TIMEOUT, &answer);
        mysql_options(t->db, MYSQL_OPT_WRITE_TIMEOUT, &answer);
        mysql_options(t->db, MYSQL_OPT_RECONNECT, &no);
        mysql_options(t->db, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
        mysql_options(t->db, MYSQL_OPT_LOCAL_INFILE, &no_files); /* else a server may read any of our files */
        mysql_options(t->db, MARIADB_OPT_RESTRICTED_AUTH, allowed_plugins(m));
        mysql_options(t->db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
        mysql_optionsv(t->db, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "otterbeat");
        set_tls(t, m);
        return 0;
}

/* A connection attempt. A server may have several addresses, each of which gets its own socket. */
struct dial {
        struct ob_transport *t;
        bool needs_tls;
        int64_t ms, end; /* for each address, and the end for all */
        struct ob_err *err;

        /* Of the current socket: */
        ino_t inode;
        int64_t deadline;
        bool is_connected, is_sound; /* the greeting is valid */
        bool is_refused;             /* the greeting is refused, as `err` says */
};

static void unwatch(struct ob_transport *t)
{
        if (t->is_watched)
                ob_stop_remove_socket(t->stop, &t->socket);
        t->is_watched = false;
}

/* Ends each wait on the socket, now and later. */
static void break_off(struct ob_transport *t)
{
        t->is_broken = true;
        if (t->is_watched)
                shutdown(t->socket.fd, SHUT_RDWR);
}

static int give_time(struct dial *d)
{
        int64_t until = ob_clock_ms() + d->ms;

        d->deadline = until < d->end ? until : d->end;
        return ob_stop_begin_wait(d->t->stop, &d->t->socket, d->deadline) ? 0 : ob_fail(d->err, STOPPED);
}

/* The library may open and close sockets between two waits. */
static int follow_socket(struct dial *d)
{
        int fd = mysql_get_socket(d->t->db), receive = RECEIVE_MAX;
        struct stat st;

        if (fd < 0 || fstat(fd, &st))
                return ob_fail(d->err, "mysql: there is no socket");
        if (d->t->is_watched && st.st_ino == d->inode)
                return 0;
        unwatch(d->t);
        if (ob_stop_add_socket(d->t->stop, &d->t->socket, fd, d->err))
                return -1;
        d->t->is_watched = true;
        d->inode = st.st_ino;
        d->is_connected = false;
        d->is_sound = false;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
        return give_time(d);
}

/* True: an event happened. The guard shuts the socket at the deadline. */
static bool wait_on_socket(const struct dial *d, short events)
{
        struct pollfd p = { .fd = d->t->socket.fd, .events = events };
        int64_t left = d->deadline - ob_clock_ms();

        return left > 0 && poll(&p, 1, (int)left) > 0 && d->t->socket.shut == OB_SHUT_NOT;
}

/* SO_RCVLOWAT lets the thread sleep until enough bytes are there, even if a server sends byte by byte. */
static enum ob_greeting peek(const struct dial *d)
{
        unsigned char bytes[OB_GREETING_MAX] = { 0 };
        size_t needed;
        enum ob_greeting found = ob_greeting_read(bytes, 0, &needed);
        int fd = d->t->socket.fd, enough = 1;

        while (found == OB_GREETING_MORE) {
                ssize_t n;

                enough = (int)needed;
                setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough));
                n = wait_on_socket(d, POLLIN) ? recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT) : 0;
                if (n < enough)
                        break;
                found = ob_greeting_read(bytes, (size_t)n, &needed);
        }
        enough = 1;
        setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough));
        return found;
}

/*
 * Nothing was sent before this check, nor is when it fails. It is needed without TLS, too: the library crashes
 * when a progress report comes instead of a greeting.
 */
static int check_greeting(struct dial *d)
{
        enum ob_greeting found = peek(d);

        d->is_sound = found == OB_GREETING_TLS || found == OB_GREETING_ERROR ||
                      (found == OB_GREETING_PLAIN && !d->needs_tls);
        if (d->is_sound)
                return 0;
        if (found == OB_GREETING_MORE) /* the library reports the failure */
                return -1;
        d->is_refused = true;
        if (found == OB_GREETING_PLAIN)
                return ob_fail(d->err, "mysql %u: the server offers no TLS, and mysql.tls requires TLS",
                        CR_SSL_CONNECTION_ERROR);
        return ob_fail(d->err, "mysql %u: what answers does not speak MySQL's protocol", CR_SERVER_HANDSHAKE_ERR);
}

/* Whether the socket is connected; a failed connect also ends the wait. */
static bool is_connected(const struct ob_transport *t)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);

        return !getpeername(t->socket.fd, (struct sockaddr *)&peer, &size);
}

/* Waits for the events that the library `wanted`. Returns the events that happened. */
static int dial_wait(struct dial *d, int wanted)
{
        short events =
                (short)(((wanted & MYSQL_WAIT_READ) ? POLLIN : 0) | ((wanted & MYSQL_WAIT_WRITE) ? POLLOUT : 0));
        bool fails = follow_socket(d) || d->is_refused || !wait_on_socket(d, events);

        if (!fails && !d->is_connected && is_connected(d->t)) {
                d->is_connected = true;
                fails = give_time(d) || check_greeting(d);
        }
        if (!fails)
                return wanted & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
        break_off(d->t);
        return MYSQL_WAIT_TIMEOUT;
}

/* A plugin is not allowed when it would reveal the password. */
static int fail_plugin(struct ob_transport *t, struct ob_err *err)
{
        const char *said = mysql_error(t->db), *name = strchr(said, '\'');
        size_t length = name ? strcspn(name + 1, "'") : 0;

        return ob_fail(err,
                "mysql %u: the server asks for the password by the plugin \"%.*s\", which would show it to who listens: "
                "give the user another one (mysql_native_password, ed25519), or, for %s, set mysql.tls = \"verify\"",
                CR_PLUGIN_NOT_ALLOWED, (int)(length > 64 ? 64 : length), name ? name + 1 : "", REVEALING);
}

static bool says_gone(unsigned error)
{
        for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
                if (gone[i] == error)
                        return true;
        return false;
}

int ob_transport_fail(struct ob_transport *t, const char *about, struct ob_err *err)
{
        enum ob_shut shut = t->is_watched ? t->socket.shut : OB_SHUT_NOT;

        t->error = mysql_errno(t->db);
        t->is_gone = false;
        t->is_broken |= shut != OB_SHUT_NOT || is_allowance_spent;
        if (is_allowance_spent)
                return ob_fail(err, "mysql: the server sends more about %s than there can be", about);
        if (shut == OB_SHUT_BY_STOP)
                return ob_fail(err, STOPPED);
        if (shut == OB_SHUT_BY_DEADLINE)
                return ob_fail(err, "mysql %u: no whole answer about %s in time", t->error = CR_SERVER_LOST, about);
        if (t->error == CR_PLUGIN_NOT_ALLOWED)
                return fail_plugin(t, err);
        t->is_gone = says_gone(t->error);
        t->is_broken |=
                t->is_gone || (t->error >= CR_MIN_ERROR && t->error <= CR_MAX_ERROR) || t->error >= CER_MIN_ERROR;
        if (!t->error) {
                t->is_broken = true;
                return ob_fail(err, "mysql: what the server answers about %s is not understood", about);
        }
        return ob_fail(err, "mysql %u: %s", t->error, mysql_error(t->db));
}

int ob_transport_connect(struct ob_transport *t, const struct ob_mysql_settings *m, const char *password,
        int64_t ms, struct ob_err *err)
{
        struct dial d = { .t = t, .needs_tls = m->tls != OB_TLS_OFF, .ms = ms, .err = err };
        const char *socket = *m->socket ? m->socket : NULL;
        MYSQL *got = NULL;
        int wanted;

        if (socket && d.needs_tls)
                return ob_fail(err,
                        "mysql %u: there is no TLS over a unix socket: set mysql.tls = \"off\", or host and port",
                        CR_SSL_CONNECTION_ERROR);
        d.end = ob_clock_ms() + OB_TRANSPORT_ADDRESSES * ms;
        allow(PREFACE_MAX);
        wanted = mysql_real_connect_start(
                &got, t->db, socket ? NULL : m->host, m->user, password, m->database, (unsigned)m->port, socket, 0);
        while (wanted)
                wanted = mysql_real_connect_cont(&got, t->db, dial_wait(&d, wanted));
        if (t->is_watched)
                ob_stop_end_wait(t->stop, &t->socket);
        if (d.is_refused)
                return -1;
        if (!got)
                return ob_transport_fail(t, "the log-in", err);
        if (!t->is_watched && follow_socket(&d)) /* connecting needed no wait */
                return -1;
        ob_stop_end_wait(t->stop, &t->socket);
        if (d.needs_tls && (!d.is_sound || !mysql_get_ssl_cipher(t->db)))
                return ob_fail(err, "mysql %u: the server offers no TLS, and mysql.tls requires TLS",
                        CR_SSL_CONNECTION_ERROR);
        return 0;
}

int ob_transport_begin(struct ob_transport *t, int64_t bytes, int64_t deadline, struct ob_err *err)
{
        t->error = 0;
        t->is_gone = false;
        allow(bytes);
        if (!t->db || t->is_broken) {
                t->is_gone = t->is_broken = true;
                return ob_fail(err, "mysql: the connection is gone");
        }
        return ob_stop_begin_wait(t->stop, &t->socket, deadline) ? 0 : ob_fail(err, STOPPED);
}

/* After an unexpected answer the rest of the connection can't be trusted. */
static int fail_shape(struct ob_transport *t, struct ob_err *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static int fail_shape(struct ob_transport *t, struct ob_err *err, const char *format, ...)
{
        char text[sizeof(err->text)];
        va_list words;

        va_start(words, format);
        vsnprintf(text, sizeof(text), format, words);
        va_end(words);
        break_off(t);
        return ob_fail(err, "mysql: the answer about %s", text);
}

void ob_transport_end(struct ob_transport *t)
{
        ob_stop_end_wait(t->stop, &t->socket);
}

int ob_transport_do(struct ob_transport *t, const char *sql, int64_t deadline, struct ob_err *err)
{
        int got = ob_transport_begin(t, PREFACE_MAX, deadline, err);

        if (got)
                return got;
        if (mysql_real_query(t->db, sql, strlen(sql)))
                got = ob_transport_fail(t, "a setting", err);
        else if (mysql_field_count(t->db) || mysql_more_results(t->db))
                got = fail_shape(t, err, "a setting has rows");
        ob_transport_end(t);
        return got;
}

static void name_columns(const MYSQL_FIELD *fields, struct ob_result *r)
{
        const char *names[OB_RESULT_COLUMNS_MAX];

        for (size_t i = 0; i < r->width; i++)
                names[i] = fields[i].name ? fields[i].name : "";
        ob_result_name_columns(r, names);
}

static int check_columns(
        struct ob_transport *t, const struct ob_query *q, MYSQL_RES *rows, struct ob_result *r, struct ob_err *err)
{
        const MYSQL_FIELD *fields = mysql_fetch_fields(rows);
        unsigned n = mysql_num_fields(rows);

        if (q->columns ? n != q->columns : n > OB_RESULT_COLUMNS_MAX)
                return fail_shape(t, err, "%s has %u columns where there are %u", q->about, n,
                        q->columns ? q->columns : OB_RESULT_COLUMNS_MAX);
        ob_result_begin(r, q->about, n, q->may_be_cut ? OB_RESULT_PAGE_BYTES : OB_RESULT_WHOLE_BYTES);
        if (!q->columns)
                name_columns(fields, r);
        for (unsigned i = 0; i < n; i++)
                if (IS_NUM(fields[i].type))
                        ob_result_set_number(r, i);
        allow(2 * (int64_t)r->most + 2 * OB_TRANSPORT_ROW_BYTES);
        return 0;
}

/* The rows before a row that is too large are a page. 1: there are none, and the caller leaves that row out. */
static int cut(struct ob_transport *t, const struct ob_query *q, struct ob_result *r, struct ob_err *err)
{
        break_off(t);
        if (!q->may_be_cut)
                return ob_fail(err, "mysql: the answer about %s is larger than %u MB", q->about,
                        OB_RESULT_WHOLE_BYTES >> 20);
        r->is_cut = true;
        return r->n ? 0 : 1;
}

/* For a packet that is too large the library reports a lost connection, although the socket is connected. */
static bool is_too_large(const struct ob_transport *t)
{
        unsigned error = mysql_errno(t->db);
        char byte;

        if (error == CR_NET_PACKET_TOO_LARGE || error == ER_NET_PACKET_TOO_LARGE)
                return true;
        return says_gone(error) && t->socket.shut == OB_SHUT_NOT && !is_allowance_spent &&
               (recv(t->socket.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 || errno == EAGAIN);
}

static int take_rows(
        struct ob_transport *t, const struct ob_query *q, MYSQL_RES *rows, struct ob_result *r, struct ob_err *err)
{
        MYSQL_ROW row;

        while ((row = mysql_fetch_row(rows))) {
                if (r->n == q->rows)
                        return fail_shape(t, err, "%s has more than %zu rows", q->about, q->rows);
                if (!ob_result_add(r, row, mysql_fetch_lengths(rows)))
                        return cut(t, q, r, err);
                if (t->socket.shut != OB_SHUT_NOT) /* the kernel's buffer may have more rows */
                        return ob_transport_fail(t, q->about, err);
        }
        if (is_too_large(t))
                return cut(t, q, r, err);
        if (mysql_errno(t->db))
                return ob_transport_fail(t, q->about, err);
        return mysql_more_results(t->db) ? fail_shape(t, err, "%s is not the only one", q->about) : 0;
}

int ob_transport_ask(
        struct ob_transport *t, const struct ob_query *q, int64_t deadline, struct ob_result *r, struct ob_err *err)
{
        MYSQL_RES *rows;
        int got;

        ob_result_begin(r, q->about, q->columns, 0);
        if (ob_transport_begin(t, PREFACE_MAX, deadline, err))
                return -1;
        if (mysql_real_query(t->db, q->sql, strlen(q->sql))) {
                got = ob_transport_fail(t, q->about, err);
        } else {
                rows = mysql_use_result(t->db);
                if (rows)
                        got = check_columns(t, q, rows, r, err) ? -1 : take_rows(t, q, rows, r, err);
                else
                        got = mysql_errno(t->db) ? ob_transport_fail(t, q->about, err)
                                                 : fail_shape(t, err, "%s has no rows", q->about);
                if (rows)
                        mysql_free_result(rows); /* reads the remaining rows */
        }
        ob_transport_end(t);
        if (got)
                ob_result_begin(r, q->about, q->columns, 0);
        return got;
}

void ob_transport_close(struct ob_transport *t)
{
        struct pollfd p = { .fd = t->is_watched ? t->socket.fd : -1, .events = POLLOUT };

        if (t->is_watched && poll(&p, 1, 0) != 1) /* closing must not wait */
                shutdown(t->socket.fd, SHUT_RDWR);
        if (t->db)
                mysql_close(t->db);
        unwatch(t);
        t->db = NULL;
        t->is_broken = false;
}
