#include "agent/sink/origin.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_LENGTH   64
#define UUID_LENGTH 36
#define FILE_ROOM   65536
#define HOST_INODE  UINT64_C(0xEFFFFFFB) /* of the initial cgroup namespace, where the path has the id */

static size_t count_hex(const char *text)
{
        size_t n = 0;

        while (isxdigit((unsigned char)text[n]))
                n++;
        return n;
}

/* 8-4-4-4-12 digits. */
static bool is_uuid(const char *text)
{
        static const size_t groups[] = { 8, 4, 4, 4, 12 };

        for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
                if (count_hex(text) != groups[i])
                        return false;
                text += groups[i] + 1;
                if (i < 4 && text[-1] != '-')
                        return false;
        }
        return true;
}

static void write_id(char origin[OB_ORIGIN_MAX], const char *id, size_t length)
{
        snprintf(origin, OB_ORIGIN_MAX, "ci-%.*s", (int)length, id);
}

/* Finds the id at the end of a path, between an optional "docker-" and ".scope". */
static bool find_id(const char *path, size_t length, char origin[OB_ORIGIN_MAX])
{
        static const char scope[] = ".scope";
        const char *end = path + length, *at;

        if (length > sizeof(scope) - 1 && !memcmp(end - (sizeof(scope) - 1), scope, sizeof(scope) - 1))
                end -= sizeof(scope) - 1;
        at = end - ID_LENGTH;
        if (end - path >= ID_LENGTH && count_hex(at) == ID_LENGTH &&
                (at == path || !isalnum((unsigned char)at[-1]))) {
                write_id(origin, at, ID_LENGTH);
                return true;
        }
        at = end - UUID_LENGTH;
        if (end - path < UUID_LENGTH || !is_uuid(at) || (at != path && at[-1] != '/' && at[-1] != '-'))
                return false;
        write_id(origin, at, UUID_LENGTH);
        return true;
}

/* Lines are N:CONTROLLERS:PATH. */
bool ob_origin_of_cgroup(const char *text, char origin[OB_ORIGIN_MAX])
{
        while (*text) {
                size_t length = strcspn(text, "\n");
                const char *path = memchr(text, '/', length);

                if (path && find_id(path, (size_t)(text + length - path), origin))
                        return true;
                text += length + (text[length] == '\n');
        }
        return false;
}

/* In a cgroup namespace of its own a container does not see its path, but the sources of its mounts have the id. */
bool ob_origin_of_mounts(const char *text, char origin[OB_ORIGIN_MAX])
{
        static const char *const files[] = { "/hostname", "/resolv.conf", "/hosts" };

        while (*text) {
                size_t length = strcspn(text, " \n");

                for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
                        size_t n = strlen(files[i]);

                        if (length > n && !memcmp(text + length - n, files[i], n) &&
                                find_id(text, length - n, origin))
                                return true;
                }
                text += length + (text[length] != '\0');
        }
        return false;
}

/* A file's text; "" when it can't be read. */
static const char *read_file(const char *path, char room[FILE_ROOM])
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t length = 0;
        ssize_t got;

        while (fd >= 0 && (got = read(fd, room + length, FILE_ROOM - 1 - length)) > 0)
                length += (size_t)got;
        if (fd >= 0)
                close(fd);
        room[length] = '\0';
        return room;
}

/* In a cgroup namespace of our own, the host knows our root cgroup by the same inode. */
static void find_inode(char origin[OB_ORIGIN_MAX])
{
        struct stat space, root;

        if (stat("/proc/self/ns/cgroup", &space) || space.st_ino == HOST_INODE || stat("/sys/fs/cgroup", &root))
                return;
        if (root.st_ino > 2)
                snprintf(origin, OB_ORIGIN_MAX, "in-%" PRIu64, (uint64_t)root.st_ino);
}

void ob_origin_find(const char *container, char origin[OB_ORIGIN_MAX])
{
        char room[FILE_ROOM];

        origin[0] = '\0';
        if (!*container)
                return;
        if (strcmp(container, "auto") != 0)
                snprintf(origin, OB_ORIGIN_MAX, "ci-%s", container);
        else if (!ob_origin_of_cgroup(read_file("/proc/self/cgroup", room), origin) &&
                 !ob_origin_of_mounts(read_file("/proc/self/mountinfo", room), origin))
                find_inode(origin);
}
