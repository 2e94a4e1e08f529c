/*
 * The wire's own speed: push PORT LINES. A ready-made line is copied into a buffer of 64 KiB again and again, which
 * goes to a TCP port of this machine: nobody who sends such lines over loopback can be faster.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM 65536

static const char line[] = "otter.pipeline.123.delay_ms 12345 1700000000\n";

static int connect_to(unsigned short port)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at))) {
                perror("push");
                exit(1);
        }
        return fd;
}

static void write_all(int fd, const char *at, size_t length)
{
        while (length) {
                ssize_t wrote = write(fd, at, length);

                if (wrote < 0) {
                        perror("push");
                        exit(1);
                }
                at += wrote;
                length -= (size_t)wrote;
        }
}

int main(int argc, char **argv)
{
        static char buffer[ROOM];
        const size_t size = sizeof(line) - 1;
        size_t used = 0;
        int fd;

        if (argc != 3)
                return 64;
        fd = connect_to((unsigned short)strtoul(argv[1], NULL, 10));
        for (unsigned long long left = strtoull(argv[2], NULL, 10); left; left--) {
                if (used + size > ROOM) {
                        write_all(fd, buffer, used);
                        used = 0;
                }
                memcpy(buffer + used, line, size);
                used += size;
        }
        write_all(fd, buffer, used);
        close(fd);
        return 0;
}
