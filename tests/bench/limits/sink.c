/*
 * A receiver that costs next to nothing: sink tcp|udp|still FILE [BYTES]. Listens on a free port of this machine,
 * counts lines, and keeps what it has counted in a file that others map: struct counted, in the machine's order.
 * "still" takes connections and never reads. BYTES: a receive buffer other than the kernel's default (udp).
 * It ends when it is killed.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM        (1 << 20)
#define CONNECTIONS 64

struct counted {
        uint64_t port, lines, bytes, packets;
        uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC: when the first and the last bytes came */
};

static struct counted *counted;
static char buffer[ROOM];

static void die(const char *what)
{
        perror(what);
        exit(1);
}

static uint64_t now_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void count(size_t length)
{
        uint64_t lines = 0;

        for (size_t i = 0; i < length; i++)
                lines += buffer[i] == '\n';
        counted->last_ns = now_ns();
        if (!counted->first_ns)
                counted->first_ns = counted->last_ns;
        counted->bytes += length;
        counted->packets++;
        counted->lines += lines;
}

static void map_counted(const char *path)
{
        int fd = open(path, O_RDWR | O_CREAT, 0600);

        if (fd < 0 || ftruncate(fd, sizeof(*counted)))
                die(path);
        counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (counted == MAP_FAILED)
                die(path);
}

static int listen_on_any(int type, int room)
{
        struct sockaddr_in at = { .sin_family = AF_INET };
        socklen_t length = sizeof(at);
        int fd = socket(AF_INET, type, 0);

        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
                die("bind");
        if (room && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
                die("SO_RCVBUFFORCE");
        if (type == SOCK_STREAM && listen(fd, 16))
                die("listen");
        if (getsockname(fd, (struct sockaddr *)&at, &length))
                die("getsockname");
        counted->port = ntohs(at.sin_port);
        return fd;
}

static void take_datagrams(int fd)
{
        for (;;) {
                ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

                if (got > 0)
                        count((size_t)got);
        }
}

/* What came on one connection; a closed one is left out from then on. */
static void take(struct pollfd *p)
{
        ssize_t got = read(p->fd, buffer, sizeof(buffer));

        if (got > 0) {
                count((size_t)got);
                return;
        }
        close(p->fd);
        p->fd = -1;
}

static void take_streams(int fd, short events)
{
        struct pollfd all[CONNECTIONS] = { { .fd = fd, .events = POLLIN } };
        nfds_t n = 1;

        for (;;) {
                if (poll(all, n, -1) < 0)
                        die("poll");
                for (nfds_t i = 1; i < n; i++)
                        if (all[i].revents)
                                take(&all[i]);
                if (all[0].revents && n < CONNECTIONS)
                        all[n++] = (struct pollfd) { .fd = accept(fd, NULL, NULL), .events = events };
        }
}

int main(int argc, char **argv)
{
        int room = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0;

        if (argc < 3)
                return 64;
        map_counted(argv[2]);
        if (!strcmp(argv[1], "udp"))
                take_datagrams(listen_on_any(SOCK_DGRAM, room));
        else
                take_streams(listen_on_any(SOCK_STREAM, 0), strcmp(argv[1], "still") ? POLLIN : 0);
}
