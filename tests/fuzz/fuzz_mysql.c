/*
 * What a MySQL server says, in the place of the server: the log-in, what a session asks for, a table's columns,
 * indexes and rows, counts, the plan of a query, the names.
 *
 * An input is a row of packets: two bytes of which the lower 14 bits are a length, then as much. The library checks
 * each packet's own length and number, so these are made here, and may be wrong where the input asks for it. An
 * honest conversation is what the fuzzer begins with; it comes from a server that answers what is asked, so it is
 * honest also when other things are.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/source/mysql/session.h"
#include "agent/source/names/name_rows.h"
#include "agent/source/reader.h"
#include "config/source.h"
#include "proto/bytes.h"

#define LAST   0x8000U /* the packet ends an answer: the client is heard again */
#define AS_IS  0x4000U /* without a head */
#define LENGTH 0x3fffU
#define MAX    (1 << 15)
/* An end of each connection is remembered for a minute, and a listener can have as many as there are ports. */
#define LISTENERS 64
#define ID_MAX    2 /* of the honest table */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static struct {
        int listeners[LISTENERS], *listener, over; /* descriptors: `over` is readable when a run is over */
        size_t runs;
        bool is_honest;
        const uint8_t *data, *end; /* of the input: what was not said yet */
        struct ob_bytes spoken;    /* the honest conversation, as an input */
        size_t said;               /* of that */
} server;

/* --- what the honest one says --- */

static void say(const void *payload, size_t length, unsigned flags)
{
        uint8_t head[2] = { (uint8_t)length, (uint8_t)((length | flags) >> 8) };

        assert(length <= LENGTH);
        ob_bytes_add(&server.spoken, head, sizeof(head));
        ob_bytes_add(&server.spoken, payload, length);
}

static void say_greeting(void)
{
        static const uint8_t greeting[] = "\x0a"
                                          "5.5.5-10.11.6-MariaDB\0"
                                          "\7\0\0\0"
                                          "abcdefgh\0"
                                          "\x0b\xa2"
                                          "\x2d"
                                          "\2\0"
                                          "\x0a\0"
                                          "\x15"
                                          "\0\0\0\0\0\0\0\0\0\0"
                                          "ijklmnopqrst\0"
                                          "mysql_native_password";

        say(greeting, sizeof(greeting), LAST);
}

static void say_ok(void)
{
        say("\0\0\0\2\0\0\0", 7, LAST);
}

static void say_end(unsigned flags)
{
        say("\xfe\0\0\2\0", 5, flags);
}

static void say_column(const char *name, size_t length)
{
        uint8_t text[64];
        size_t n = (size_t)snprintf((char *)text, sizeof(text), "%cdef%c%c%c%c%.*s%c%c", 3, 0, 0, 0, (int)length,
                (int)length, name, 0, 12);
        static const uint8_t rest[12] = { 45, 0, 0, 4, 0, 0, 253 };

        memcpy(text + n, rest, sizeof(rest));
        say(text, n + sizeof(rest), 0);
}

static size_t count_words(const char *text)
{
        size_t n = 1;

        while ((text = strchr(text, ' '))) {
                text++;
                n++;
        }
        return n;
}

/* The next of some words with blanks between, which may be the last; its length. */
static size_t next_word(const char **at, const char **word)
{
        size_t length = strcspn(*at, " ");

        *word = *at;
        *at += (*at)[length] ? length + 1 : length;
        return length;
}

/* A row of `n` cells: the words of `cells`, then NULLs; "-" is NULL, too. */
static void say_row(const char *cells, size_t n)
{
        uint8_t row[512];
        size_t to = 0;

        while (n--) {
                const char *word;
                size_t length = next_word(&cells, &word);

                if (!length || *word == '-') {
                        row[to++] = 0xfb;
                        continue;
                }
                row[to++] = (uint8_t)length;
                memcpy(row + to, word, length);
                to += length;
        }
        say(row, to, 0);
}

static void say_result(const char *names, const char *const *rows, size_t n)
{
        uint8_t count = (uint8_t)n;

        say(&count, 1, 0);
        for (size_t i = 0; i < n; i++) {
                const char *name;
                size_t length = next_word(&names, &name);

                say_column(name, length);
        }
        say_end(0);
        for (; *rows; rows++)
                say_row(*rows, n);
        say_end(LAST);
}

static void say_no_such_table(void)
{
        say("\xff\x7a\4#42S02no such table", 22, LAST);
}

/*
 * What an honest server answers; where no names are said, there are as many columns as the query asks for. The
 * session sets the variables that the first look finds wrong, and looks again: so the first answer is given once.
 * One kind of names has no view, and is read from its table.
 */
static const struct {
        const char *in_query, *names, *rows[12];
        bool is_once, is_missing;
} answers[] = {
        { "SHOW VARIABLES", "a b", { "server_id 7", "hostname db7" } },
        { "SHOW SESSION VARIABLES", "a b",
                { "tx_isolation REPEATABLE-READ", "wait_timeout 60", "time_zone SYSTEM",
                        "max_statement_time 0.000000" },
                .is_once = true },
        { "SHOW SESSION VARIABLES", "a b",
                { "tx_isolation READ-COMMITTED", "wait_timeout 28800", "time_zone +00:00",
                        "max_statement_time 1.000000", "character_set_client utf8mb4" } },
        { "SYSDATE()", NULL, { "0" } },
        { "FROM otterbeat_NODE", .is_missing = true },
        { "information_schema.COLUMNS", NULL,
                { "ID 1", "PIPELINE_ID 1", "TYPE 0", "NUMBER 1", "SIZE 1", "GMT_CREATE 0", "GMT_MODIFIED 0" } },
        { "information_schema.STATISTICS", NULL, { "PRIMARY ID 1", "i GMT_CREATE 1", "i ID 2" } },
        { "information_schema.TABLES", NULL, { "10" } },
        { "EXPLAIN", "id type key rows", { "1 range PRIMARY 2" } },
        { "BIT_OR(", NULL, { "0 6 0 0 0 0 0 0 0", "1 1 2 3 4 5 6 7 18446744073709551615" } },
        { "UNIX_TIMESTAMP(), MAX", NULL, { "1587351060 2" } },
        { "UNIX_TIMESTAMP() FROM `THROUGHPUT_STAT`", NULL, { "1 1587351000 1587351000 1 ROW 7 70 1587351060" } },
        { "SELECT UNIX_TIMESTAMP()", NULL, { "1587351060" } },
        { "DATABASE(), CONCAT", NULL, { "otter otterbeat@%" } },
        { "`THROUGHPUT_STAT`", NULL,
                { "1 1587351000 1587351000 1 ROW 7 70", "2 1587351001 1587351001 1 FILE 8 80" } },
        { "SELECT", NULL, { "1 1 1587351060 one two", "2 1 1587351060 three" } },
};

/* The commas that part what is selected, and one more. */
static size_t count_columns(const char *query)
{
        const char *end = strstr(query, " FROM ");
        size_t n = 1, depth = 0;

        for (; *query && query != end; query++) {
                depth += *query == '(';
                depth -= *query == ')';
                n += *query == ',' && !depth;
        }
        return n;
}

static void answer(const char *query)
{
        static bool was_given[sizeof(answers) / sizeof(*answers)];

        for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
                const char *names = answers[i].names;

                if (!strstr(query, answers[i].in_query) || (answers[i].is_once && was_given[i]))
                        continue;
                was_given[i] = true;
                if (answers[i].is_missing)
                        say_no_such_table();
                else
                        say_result(names ? names : "", answers[i].rows,
                                names ? count_words(names) : count_columns(query));
                return;
        }
        say_ok();
}

/* --- the way of the talk --- */

static bool read_whole(int fd, void *to, size_t n)
{
        uint8_t *at = to;

        while (n) {
                ssize_t got = recv(fd, at, n, 0);

                if (got <= 0)
                        return false;
                at += got;
                n -= (size_t)got;
        }
        return true;
}

/* What the client says; the number that the answer's first packet has. */
static bool hear(int fd, uint8_t *number, char query[4096])
{
        uint8_t head[4];
        size_t length;

        if (!read_whole(fd, head, sizeof(head)))
                return false;
        length = head[0] | (size_t)head[1] << 8;
        *number = (uint8_t)(head[3] + 1);
        memset(query, 0, 4096);
        return !head[2] && length < 4096 && read_whole(fd, query, length);
}

/* All that the input has for one connection. The client finds it there whenever it reads, so nobody waits for
 * anybody. */
static void speak(int fd)
{
        static uint8_t said[4 * MAX];
        uint8_t number = 0, of_answer = 0;
        size_t to = 0;

        while (server.end - server.data >= 2) {
                unsigned head = server.data[0] | (unsigned)server.data[1] << 8;
                size_t length = head & LENGTH;

                server.data += 2;
                if (head == (LAST | AS_IS))
                        break; /* what follows is for the next connection */
                if (length > (size_t)(server.end - server.data))
                        length = (size_t)(server.end - server.data);
                if (to + 4 + length > sizeof(said))
                        break;
                if (!(head & AS_IS)) {
                        const uint8_t frame[4] = { (uint8_t)length, (uint8_t)(length >> 8), 0, number++ };

                        memcpy(said + to, frame, sizeof(frame));
                        to += sizeof(frame);
                }
                memcpy(said + to, server.data, length);
                to += length;
                server.data += length;
                if (head & LAST)
                        number =
                                of_answer++
                                        ? 1
                                        : 2; /* the log-in is the first; its answer is the client's second packet */
        }
        send(fd, said, to, MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
}

/* Until the client leaves. */
static void talk(int fd)
{
        uint8_t ignored[4096];

        speak(fd);
        while (recv(fd, ignored, sizeof(ignored), 0) > 0)
                continue;
}

/* Makes the input that is an honest conversation. */
static void talk_honestly(int fd)
{
        uint8_t number = 0;
        char query[4096];

        say_greeting();
        for (bool is_first = true;; is_first = false) {
                const uint8_t *at = server.spoken.data + server.said;
                const uint8_t *end = server.spoken.data + server.spoken.length;

                while (at < end) {
                        unsigned head = at[0] | (unsigned)at[1] << 8;
                        const uint8_t frame[4] = { (uint8_t)head, (uint8_t)((head & LENGTH) >> 8), 0, number++ };

                        send(fd, frame, sizeof(frame), MSG_NOSIGNAL);
                        send(fd, at + 2, head & LENGTH, MSG_NOSIGNAL);
                        at += 2 + (head & LENGTH);
                }
                server.said = server.spoken.length;
                if (!hear(fd, &number, query))
                        return;
                if (is_first)
                        say_ok(); /* the log-in */
                else
                        answer(query + 1);
        }
}

/* Every connection, until nobody comes any more and the run is over. */
static void *serve(void *arg)
{
        struct pollfd at[2] = { { .fd = *server.listener, .events = POLLIN },
                { .fd = server.over, .events = POLLIN } };
        uint64_t ignored;

        (void)arg;
        while (poll(at, 2, -1) > 0 && at[0].revents) {
                int fd = accept4(*server.listener, NULL, NULL, SOCK_CLOEXEC);

                if (server.is_honest)
                        talk_honestly(fd);
                else
                        talk(fd);
                close(fd);
        }
        assert(read(server.over, &ignored, sizeof(ignored)) == sizeof(ignored));
        return NULL;
}

/* --- the client --- */

static void look_at_rows(const struct ob_rows *rows)
{
        for (size_t i = 0; i < rows->n * rows->width; i++)
                assert(!rows->cells[i] || strlen(rows->cells[i]) < MAX);
}

static size_t read_table(struct ob_session *s)
{
        struct ob_reader *r = NULL;
        struct ob_explained e;
        struct ob_reading at;
        struct ob_rows rows = { .n = 0 };
        struct ob_err err;
        size_t n = 0;

        for (unsigned i = 0; i < ob_n_builtin_sources; i++)
                if (!strcmp(ob_builtin_sources[i].name, "throughput"))
                        r = ob_reader_mysql_new(&ob_builtin_sources[i], s);
        assert(r);
        if (!r->ops->open(r, &err) && !r->ops->read_clock(r, &at, &err)) {
                if (!r->ops->read(r, 0, 100, &rows, &err)) {
                        look_at_rows(&rows);
                        n = rows.n;
                }
                if (!r->ops->read_with_clock(r, 0, 100, &at, &rows, &err))
                        look_at_rows(&rows);
                if (!r->ops->list(r, 0, 1024, &rows, &err))
                        look_at_rows(&rows);
                ob_reader_mysql_explain(r, 0, 100, &e, &err);
        }
        ob_reader_free(r);
        return n;
}

static void take_name(void *n, const struct ob_name_row *row)
{
        for (unsigned i = 0; i < OB_NAME_LABELS; i++)
                assert(!row->texts[i] || strlen(row->texts[i]) < MAX);
        ++*(size_t *)n;
}

static size_t read_names(struct ob_session *s)
{
        struct ob_err err;
        size_t n = 0;
        int64_t now;

        ob_name_rows_clock(s, &now, &err);
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++) {
                const struct ob_name_reading reading = {
                        .kind = kind, .each = take_name, .ctx = &n, .name = "names"
                };

                ob_name_rows_read(s, &reading, &err);
        }
        free(ob_name_rows_grant(s, OB_NAMED_PAIR, &err));
        return n;
}

static int port_of(int fd)
{
        struct sockaddr_in at;
        socklen_t length = sizeof(at);

        assert(!getsockname(fd, (struct sockaddr *)&at, &length));
        return ntohs(at.sin_port);
}

/* Returns how many rows and names were read. */
static size_t visit(void)
{
        const struct ob_mysql_settings settings = {
                .host = "127.0.0.1",
                .port = port_of(*server.listener),
                .socket = "",
                .user = "otterbeat",
                .password = "secret",
                .password_file = "",
                .database = "otter",
                .ca = "",
                .cert = "",
                .key = "",
                .connect_timeout = 1,
                .query_timeout = 1,
        };
        struct ob_session s;
        struct ob_err err;
        size_t n = 0;

        ob_session_init(&s, &settings, NULL);
        if (!ob_session_open(&s, &err))
                n = read_table(&s) + read_names(&s);
        ob_session_fini(&s);
        return n;
}

/* The server listens before, and is gone after. */
static size_t talk_to_each_other(void)
{
        const uint64_t one = 1;
        pthread_t thread;
        size_t n;

        server.listener = &server.listeners[server.runs++ % LISTENERS];
        assert(!pthread_create(&thread, NULL, serve, NULL));
        n = visit();
        assert(write(server.over, &one, sizeof(one)) == sizeof(one));
        pthread_join(thread, NULL);
        return n;
}

static int listen_somewhere(void)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert(!bind(fd, (const struct sockaddr *)&at, sizeof(at)));
        assert(!listen(fd, 16));
        return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc;
        (void)argv;
        signal(SIGPIPE, SIG_IGN);
        server.over = eventfd(0, EFD_CLOEXEC);
        for (size_t i = 0; i < LISTENERS; i++)
                server.listeners[i] = listen_somewhere();
        server.is_honest = true;
        assert(talk_to_each_other() == ID_MAX + 2 * OB_NAMED_KINDS);
        assert(server.spoken.length <= MAX);
        server.is_honest = false;
        return 0;
}

/* The honest conversation, where there is nothing yet. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        if ((size < 64 || seed % 1000 == 0) && server.spoken.length <= max_size) {
                memcpy(data, server.spoken.data, server.spoken.length);
                size = server.spoken.length;
        }
        return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        server.data = data;
        server.end = data + size;
        talk_to_each_other();
        return 0;
}
