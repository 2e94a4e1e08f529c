/*
 * The environment that Datadog's clients go by: DD_DOGSTATSD_URL, DD_AGENT_HOST, DD_DOGSTATSD_PORT,
 * DD_DOGSTATSD_SOCKET, DD_ENV, DD_SERVICE, DD_VERSION, DD_TAGS, DATADOG_TAGS, DD_ENTITY_ID,
 * DD_ORIGIN_DETECTION_ENABLED, in every way of writing that one of the clients takes. What the config sets itself
 * stands.
 *
 * Facts (datadog-go, datadogpy, java-dogstatsd-client, dogstatsd-ruby): the URL wins over the host; of udp:// all
 * behind host and port is left; a URL's scheme may be in upper case; DD_AGENT_HOST may be HOST:PORT or a unix://
 * URL.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "proto/memory.h"
#include "proto/number.h"

#define PORT_MAX 65535

/* What became a tag of the environment, in order: the first one of a key stands. */
static const struct {
        const char *variable, *key;
} tags[] = {
        { "DD_ENV", "env" },
        { "DD_SERVICE", "service" },
        { "DD_VERSION", "version" },
        { "DD_ENTITY_ID", "dd.internal.entity_id" },
};

/* A variable's value, or "". */
static const char *value_of(const char *variable)
{
        const char *value = getenv(variable);

        return value ? value : "";
}

static bool sets(const config_setting_t *at, const char *setting)
{
        return config_setting_get_member(at, setting) != NULL;
}

static int read_port(const char *text, int *port, struct ob_err *err)
{
        int64_t number;

        if (!ob_number_parse_int(text, strlen(text), &number) || number < 1 || number > PORT_MAX)
                return ob_fail(err, "\"%s\" is no port", text);
        *port = (int)number;
        return 0;
}

/* HOST, HOST:PORT, ADDRESS of IPv6, or [ADDRESS]:PORT; and what a URL may have behind that, which is nothing to us.
 */
static int read_address(const char *text, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        char *host = ob_format("%.*s", (int)strcspn(text, "/?#"), text), *end = strchr(host, ':');

        ob_texts_keep(texts, host);
        if (*host == '[') {
                end = strchr(host++, ']');
                if (!end || (end[1] && end[1] != ':'))
                        return ob_fail(err, "\"%s\" is no address", text);
                *end++ = '\0';
        } else if (end && strchr(end + 1, ':')) {
                end = NULL; /* it has no brackets, and so no port */
        }
        if (end && *end)
                *end++ = '\0';
        else
                end = NULL;
        if (!*host)
                return ob_fail(err, "\"%s\" is no address", text);
        s->host = host;
        return end ? read_port(end, &s->port, err) : 0;
}

static int read_socket(const char *path, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        s->socket = ob_texts_keep(texts, ob_copy(path));
        return *path == '/' ? 0 : ob_fail(err, "\"%s\": the path of a socket must begin with a /", path);
}

/* What is behind the scheme of a unix socket's URL, or NULL. Which kind of socket is there is found out by asking.
 */
static const char *path_in(const char *url)
{
        static const char *const schemes[] = { "unix://", "unixgram://", "unixstream://" };

        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
                if (!strncasecmp(url, schemes[i], strlen(schemes[i])))
                        return url + strlen(schemes[i]);
        return NULL;
}

static int read_url(const char *url, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        static const char udp[] = "udp://";

        if (path_in(url))
                return read_socket(path_in(url), s, texts, err);
        if (!strncasecmp(url, udp, sizeof(udp) - 1))
                return read_address(url + sizeof(udp) - 1, s, texts, err);
        return ob_fail(err, "\"%s\" must begin with udp:// or unix://", url);
}

static int read_host(const char *host, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        return path_in(host) ? read_socket(path_in(host), s, texts, err) : read_address(host, s, texts, err);
}

/* Returns the variable that is wrong, or NULL. A port in the host wins over the variable. */
static const char *take_address(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        const char *url = value_of("DD_DOGSTATSD_URL"), *host = value_of("DD_AGENT_HOST");
        const char *port = value_of("DD_DOGSTATSD_PORT"), *socket = value_of("DD_DOGSTATSD_SOCKET");
        bool has_host = sets(at, "host") || sets(at, "socket"), has_port = sets(at, "port") || sets(at, "socket");
        int wanted = s->port;

        if (*url && !has_host && !sets(at, "port"))
                return read_url(url, s, texts, err) ? "DD_DOGSTATSD_URL" : NULL;
        if (*port && !has_port && read_port(port, &s->port, err))
                return "DD_DOGSTATSD_PORT";
        if (*host && !has_host && read_host(host, s, texts, err))
                return "DD_AGENT_HOST";
        if (has_port)
                s->port = wanted;
        if (*socket && !*host && !*port && !has_host && !has_port)
                return read_socket(socket, s, texts, err) ? "DD_DOGSTATSD_SOCKET" : NULL;
        return NULL;
}

static int take_words(const char *words, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        static const char between[] = ", \t\n";

        for (words += strspn(words, between); *words; words += strspn(words, between)) {
                size_t length = strcspn(words, between);
                ob_cleanup(ob_free_at) char *tag = ob_format("%.*s", (int)length, words);

                if (ob_config_add_tag(s, tag, texts, err))
                        return -1;
                words += length;
        }
        return 0;
}

static const char *take_tags(struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        static const char *const lists[] = { "DD_TAGS", "DATADOG_TAGS" };

        for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
                const char *value = value_of(tags[i].variable);
                ob_cleanup(ob_free_at) char *tag = ob_format("%s:%s", tags[i].key, value);

                if (*value && ob_config_add_tag(s, tag, texts, err))
                        return tags[i].variable;
        }
        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
                if (take_words(value_of(lists[i]), s, texts, err))
                        return lists[i];
        return NULL;
}

static bool is_switched_off(const char *value)
{
        static const char *const words[] = { "false", "f", "0", "no", "n", "off" };

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (!strcasecmp(value, words[i]))
                        return true;
        return false;
}

int ob_config_take_datadog(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        struct ob_err why;
        const char *wrong = take_address(at, s, texts, &why);

        if (!wrong)
                wrong = take_tags(s, texts, &why);
        if (wrong)
                return ob_setting_fail(at, err, "%s in the environment: %s", wrong, why.text);
        if (!sets(at, "container") && is_switched_off(value_of("DD_ORIGIN_DETECTION_ENABLED")))
                s->container = "";
        return 0;
}
