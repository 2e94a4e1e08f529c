/* Where the status page is served, and who may ask for it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "config/config.h"
#include "proto/number.h"

#define AT(what, member) offsetof(struct what, member)

static const char unix_prefix[] = "unix:";

static const struct ob_setting settings[] = {
        { "listen", OB_SET_TEXT, AT(ob_status_settings, listen) },
        { "user", OB_SET_TEXT, AT(ob_status_settings, user) },
        { "password", OB_SET_SECRET, AT(ob_status_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_status_settings, password_file),
                .secret = AT(ob_status_settings, password) },
        { "patience", OB_SET_INT, AT(ob_status_settings, patience), 1, 86400 },
        { NULL },
};

static bool read_port(const char *text, in_port_t *port)
{
        int64_t number;

        if (!ob_number_parse_int(text, strlen(text), &number) || number < 1 || number > 65535)
                return false;
        *port = htons((uint16_t)number);
        return true;
}

/* ADDRESS:PORT, or [ADDRESS]:PORT for IPv6; a name would have to be looked up. */
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
                        "\"listen\" must be \"127.0.0.1:8126\" or so, \"[::1]:8126\", or \"unix:PATH\", not \"%s\"",
                        s->listen);
        }
        if (read_unix(ob_path_beside(config_setting_source_file(at), s->listen + n, &c->texts), &s->address))
                return 0;
        return ob_setting_fail(at, err, "\"listen\": the path of a unix socket has 1 to %zu bytes",
                sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
}

int ob_config_read_status(const config_setting_t *root, struct ob_config *c, struct ob_err *err)
{
        struct ob_status_settings *s = &c->status;
        const config_setting_t *group = config_setting_get_member(root, "status");

        *s = (struct ob_status_settings) {
                .listen = "", .user = "", .password = "", .password_file = "", .patience = 60
        };
        if (!group)
                return 0;
        if (ob_setting_expect(group, CONFIG_TYPE_GROUP, "a group: { … }", err) ||
                ob_settings_read(group, settings, s, &c->texts, err))
                return -1;
        if (!*s->user != !*s->password)
                return ob_setting_fail(group, err, "\"user\" and \"password\" go together");
        if (strchr(s->user, ':'))
                return ob_setting_fail(
                        group, err, "\"user\" can't have a colon in it: the browser's login ends there");
        if (!*s->listen)
                return 0;
        if (read_address(config_setting_get_member(group, "listen"), c, err))
                return -1;
        if (!s->address.is_local && !*s->user)
                return ob_setting_fail(config_setting_get_member(group, "listen"), err,
                        "\"%s\" can be reached by others, so \"user\" and \"password\" are needed", s->listen);
        return 0;
}
