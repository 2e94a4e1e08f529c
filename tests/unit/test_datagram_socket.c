/* A statsd's name with several addresses: datagrams go where somebody listens, whichever address that is. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/sink/datagram_socket.h"
#include "proto/memory.h"
#include "tests/unit/unit.h"

#define NAME    "statsd.example"
#define WAIT_MS 2000
#define MANY    80

/* What the name leads to, in the resolver's order; NULL: no more. */
static const char *addresses[4];

static struct addrinfo *make_one(const char *address, const char *port, struct addrinfo *next)
{
        struct addrinfo *a = ob_alloc(1, sizeof(*a));

        a->ai_next = next;
        a->ai_addr = ob_alloc(1, sizeof(struct sockaddr_storage));
        a->ai_family = strchr(address, ':') ? AF_INET6 : AF_INET;
        if (a->ai_family == AF_INET6) {
                struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a->ai_addr;

                *in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6,
                        .sin6_port = htons((uint16_t)strtol(port, NULL, 10)) };
                assert_int_equal(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
                a->ai_addrlen = sizeof(*in6);
        } else {
                struct sockaddr_in *in = (struct sockaddr_in *)a->ai_addr;

                *in = (struct sockaddr_in) { .sin_family = AF_INET,
                        .sin_port = htons((uint16_t)strtol(port, NULL, 10)) };
                assert_int_equal(inet_pton(AF_INET, address, &in->sin_addr), 1);
                a->ai_addrlen = sizeof(*in);
        }
        return a;
}

/* In place of the library's. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
        assert_string_equal(host, NAME);
        assert_int_equal(hints->ai_socktype, SOCK_DGRAM);
        *list = NULL;
        for (size_t i = LENGTH(addresses); i-- > 0;)
                if (addresses[i])
                        *list = make_one(addresses[i], port, *list);
        return *list ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
        while (list) {
                struct addrinfo *next = list->ai_next;

                free(list->ai_addr);
                free(list);
                list = next;
        }
}

/* A receiver on loopback; returns its socket, and its port where that is 0. */
static int listen_on(int family, int *port)
{
        struct sockaddr_storage at = { .ss_family = (sa_family_t)family };
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&at;
        struct sockaddr_in *in = (struct sockaddr_in *)&at;
        socklen_t length = family == AF_INET6 ? sizeof(*in6) : sizeof(*in);
        int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (family == AF_INET6) {
                in6->sin6_addr = in6addr_loopback;
                in6->sin6_port = htons((uint16_t)*port);
        } else {
                in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                in->sin_port = htons((uint16_t)*port);
        }
        if (fd >= 0 && bind(fd, (struct sockaddr *)&at, length)) {
                close(fd);
                return -1;
        }
        assert_true(fd < 0 || !getsockname(fd, (struct sockaddr *)&at, &length));
        *port = ntohs(family == AF_INET6 ? in6->sin6_port : in->sin_port);
        return fd;
}

/* The next datagram; "" when none comes. */
static const char *receive(int fd, char text[16])
{
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n = poll(&p, 1, WAIT_MS) == 1 ? recv(fd, text, 15, 0) : 0;

        text[n > 0 ? n : 0] = '\0';
        return text;
}

struct world {
        struct ob_stop stop;
        struct ob_sink_settings settings;
        struct ob_datagram_socket socket;
        struct ob_err err;
};

static void begin(struct world *w, int port, const char *first, const char *second, const char *third)
{
        *w = (struct world) { .settings = { .host = NAME, .port = port, .socket = "" } };
        addresses[0] = first;
        addresses[1] = second;
        addresses[2] = third;
        ob_stop_init(&w->stop);
        ob_datagram_socket_init(&w->socket, &w->settings, &w->stop);
}

static void end(struct world *w)
{
        ob_datagram_socket_close(&w->socket);
        ob_stop_fini(&w->stop);
}

static int put(struct world *w, const char *first, const char *second, size_t *sent)
{
        const struct iovec payloads[] = { { (char *)first, strlen(first) }, { (char *)second, strlen(second) } };

        return ob_datagram_socket_send(&w->socket, payloads, 2, sent, &w->err);
}

static const struct {
        const char *name, *addresses[3];
        int family; /* where somebody listens */
} cases[] = {
        { "IPv6 first, a statsd of IPv4", { "::1", "127.0.0.1" }, AF_INET },
        { "IPv4 first, a statsd of IPv6", { "127.0.0.1", "::1" }, AF_INET6 },
        { "IPv6 first, a statsd of IPv6", { "::1", "127.0.0.1" }, AF_INET6 },
        { "the last of three", { "127.0.0.2", "::1", "127.0.0.1" }, AF_INET },
        { "one that can't be connected to", { "255.255.255.255", "127.0.0.1" }, AF_INET },
};

static bool has_ipv6(void)
{
        int port = 0, fd = listen_on(AF_INET6, &port);

        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

static void each_address_has_its_turn(void **state)
{
        (void)state;
        if (!has_ipv6())
                skip();
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const char *const *at = cases[i].addresses;
                int port = 0, fd = listen_on(cases[i].family, &port);
                char text[16];
                size_t sent = 0;
                struct world w;

                assert_true(fd >= 0);
                begin(&w, port, at[0], at[1], at[2]);
                if (ob_datagram_socket_connect(&w.socket, &w.err) || put(&w, "a", "b", &sent))
                        fail_msg("%s: %s", cases[i].name, w.err.text);
                assert_int_equal(sent, 2);
                assert_string_equal(receive(fd, text), "a");
                assert_string_equal(receive(fd, text), "b");
                assert_int_equal(w.socket.peer.at.ss_family, cases[i].family);
                end(&w);
                close(fd);
        }
}

/* Nothing is lost without our knowing, and the next try begins at the first again. */
static void where_nobody_listens_is_said_after_all_were_asked(void **state)
{
        int port = 0, fd;
        char text[16];
        struct world w;
        size_t sent;

        (void)state;
        if (!has_ipv6())
                skip();
        fd = listen_on(AF_INET, &port);
        close(fd);
        begin(&w, port, "::1", "127.0.0.1", NULL);
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(put(&w, "a", "b", &sent), -1);
        assert_int_equal(sent, 0);
        assert_non_null(strstr(w.err.text, "nobody listens on " NAME));
        ob_datagram_socket_close(&w.socket);
        fd = listen_on(AF_INET6, &port);
        assert_true(fd >= 0);
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(put(&w, "c", "d", &sent), 0);
        assert_string_equal(receive(fd, text), "c");
        end(&w);
        close(fd);
}

/* … when the name is looked up anew; an address that is still the name's stands, wherever in the list it is. */
static void a_name_that_leads_elsewhere_is_followed(void **state)
{
        int port = 0, fd = listen_on(AF_INET, &port), other;
        char text[16];
        struct world w;
        size_t sent;

        (void)state;
        if (!has_ipv6())
                skip();
        other = listen_on(AF_INET6, &port);
        assert_true(fd >= 0 && other >= 0);
        begin(&w, port, "127.0.0.1", NULL, NULL);
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(put(&w, "a", "b", &sent), 0);
        addresses[0] = "::1";
        addresses[1] = "127.0.0.1";
        w.socket.resolved_at -= 100000;
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(w.socket.peer.at.ss_family, AF_INET);
        addresses[1] = NULL;
        w.socket.resolved_at -= 100000;
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(put(&w, "c", "d", &sent), 0);
        assert_string_equal(receive(other, text), "c");
        end(&w);
        close(fd);
        close(other);
}

static int put_many(struct world *w, size_t n, size_t *sent)
{
        struct iovec payloads[MANY];

        for (size_t i = 0; i < n; i++)
                payloads[i] = (struct iovec) { (char *)"a", 1 };
        return ob_datagram_socket_send(&w->socket, payloads, n, sent, &w->err);
}

/* The default buffer of a receiver must have room for all that is sent while the receiver does not read for a
 * moment. */
static void bursts_are_spaced(void **state)
{
        int port = 0, fd = listen_on(AF_INET, &port);
        char text[16];
        size_t sent, received = 0;
        int64_t began;
        struct world w;

        (void)state;
        begin(&w, port, "127.0.0.1", NULL, NULL);
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(put_many(&w, 1, &sent), 0);
        began = ob_clock_ms();
        assert_int_equal(put_many(&w, MANY, &sent), 0);
        assert_int_equal(sent, MANY);
        assert_int_equal(w.socket.doubted, 0);
        assert_true(ob_clock_ms() - began >= MANY * 10 / 16);
        while (recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0)
                received++;
        assert_int_equal(received, MANY + 1);
        end(&w);
        close(fd);
}

/* All datagrams that may be lost are in doubt. */
static void a_listener_that_ends_is_noticed_within_a_burst(void **state)
{
        int port = 0, fd = listen_on(AF_INET, &port);
        size_t sent;
        struct world w;

        (void)state;
        begin(&w, port, "127.0.0.1", NULL, NULL);
        assert_int_equal(ob_datagram_socket_connect(&w.socket, &w.err), 0);
        assert_int_equal(put_many(&w, 1, &sent), 0);
        close(fd);
        assert_int_equal(put_many(&w, MANY, &sent), -1);
        assert_int_equal(sent, w.socket.doubted);
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_address_has_its_turn),
                cmocka_unit_test(where_nobody_listens_is_said_after_all_were_asked),
                cmocka_unit_test(a_name_that_leads_elsewhere_is_followed),
                cmocka_unit_test(bursts_are_spaced),
                cmocka_unit_test(a_listener_that_ends_is_noticed_within_a_burst),
        };

        return cmocka_run_group_tests_name("datagram_socket", tests, NULL, NULL);
}
