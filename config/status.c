#include "config/status.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "config/all_settings.h"
#include "proto/number.h"

static const char unix_prefix[] = "unix:";

static bool read_port(const char *text, in_port_t *port)
{
        int64_t number;

        if (!ob_number_parse_int(text, &number) || number < 1 || number > 65535)
                return false;
        *port = htons((uint16_t)number);
        return true;
}

/* Reads ADDRESS:PORT, or [ADDRESS]:PORT for IPv6. A host name is refused: it would have to be resolved. */
static bool read_internet(const char *text, struct ob_status_address *a)
{
        struct sockaddr_in *in = (struct sockaddr_in *)&a->at;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->at;
        const char *colon = strrchr(text, ':');
        bool is_six = *text == '[' && colon && colon > text && colon[-1] == ']';
        char host[INET6_ADDRSTRLEN];
        size_t length = colon ? (size_t)(colon - text) - (is_six ? 2 : 0) : 0;

        if (!colon || length >= sizeof(host))
                return false;
        memcpy(host, text + is_six, length);
        host[length] = '\0';
        if (is_six) {
                in6->sin6_family = AF_INET6;
                a->length = sizeof(*in6);
                if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1 || !read_port(colon + 1, &in6->sin6_port))
                        return false;
                a->is_local = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
                return true;
        }
        in->sin_family = AF_INET;
        a->length = sizeof(*in);
        if (inet_pton(AF_INET, host, &in->sin_addr) != 1 || !read_port(colon + 1, &in->sin_port))
                return false;
        a->is_local = ntohl(in->sin_addr.s_addr) >> 24 == 127;
        return true;
}

static bool read_unix(const char *path, struct ob_status_address *a)
{
        struct sockaddr_un *un = (struct sockaddr_un *)&a->at;

        if (!*path || strlen(path) >= sizeof(un->sun_path))
                return false;
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, path, strlen(path) + 1);
        a->length = sizeof(*un);
        a->is_local = true;
        return true;
}

static int read_address(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_status_settings *s = &c->status;
        size_t n = sizeof(unix_prefix) - 1;

        if (strncmp(s->listen, unix_prefix, n) != 0) {
                if (read_internet(s->listen, &s->address))
                        return 0;
                return ob_setting_fail(at, err,
                        "\"listen\" must be like \"127.0.0.1:8126\", \"[::1]:8126\" or \"unix:PATH\", not \"%s\"",
                        s->listen);
        }
        if (read_unix(ob_path_beside(config_setting_source_file(at), s->listen + n, &c->texts), &s->address))
                return 0;
        return ob_setting_fail(at, err, "\"listen\": the path of a unix socket must have 1 to %zu bytes",
                sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
}

static int check(const config_setting_t *group, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *listen = config_setting_get_member(group, "listen");
        struct ob_status_settings *s = &c->status;

        if (!*s->user != !*s->password)
                return ob_setting_fail(group, err, "\"user\" and \"password\" must be set together");
        if (strchr(s->user, ':'))
                return ob_setting_fail(group, err,
                        "\"user\" cannot contain a colon: in a browser's login the name ends at the colon");
        if (!*s->listen)
                return 0;
        if (read_address(listen, c, err))
                return -1;
        if (!s->address.is_local && !*s->user)
                return ob_setting_fail(listen, err,
                        "other machines can reach \"%s\", so \"user\" and \"password\" must be set", s->listen);
        return 0;
}

int ob_config_read_status(const config_setting_t *root, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *group = config_setting_get_member(root, "status");

        if (ob_settings_read_group(root, "status", ob_status_settings, &c->status, &c->texts, err))
                return -1;
        return group ? check(group, c, err) : 0;
}
