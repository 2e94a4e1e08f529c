/*
 * The environment that Datadog's clients go by: DD_DOGSTATSD_URL, DD_AGENT_HOST, DD_DOGSTATSD_PORT, DD_ENV,
 * DD_SERVICE, DD_VERSION, DD_TAGS, DD_ENTITY_ID, DD_ORIGIN_DETECTION_ENABLED. What the config sets itself stands.
 */
#include <stdlib.h>
#include <string.h>

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

/* HOST, HOST:PORT, or [ADDRESS]:PORT. */
static int read_address(const char *text, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        bool has_brackets = *text == '[';
        char *host = ob_copy(text + has_brackets), *end = strchr(host, has_brackets ? ']' : ':');

        s->host = ob_texts_keep(texts, host);
        if (has_brackets && (!end || (end[1] && end[1] != ':')))
                return ob_fail(err, "\"%s\" is no address", text);
        if (end && has_brackets)
                *end++ = '\0';
        if (end && *end)
                *end++ = '\0';
        else
                end = NULL;
        if (!*host)
                return ob_fail(err, "\"%s\" is no address", text);
        if (!end)
                return 0;
        return read_port(end, &s->port, err);
}

/* The Agent's socket may be one of either kind: which, is found out by asking. */
static int read_url(const char *url, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        static const char *const sockets[] = { "unix://", "unixgram://", "unixstream://" };

        for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
                if (!strncasecmp(url, sockets[i], strlen(sockets[i]))) {
                        s->socket = ob_texts_keep(texts, ob_copy(url + strlen(sockets[i])));
                        return *s->socket == '/' ? 0 : ob_fail(err, "\"%s\": the path must begin with a /", url);
                }
        if (!strncasecmp(url, "udp://", 6))
                return read_address(url + 6, s, texts, err);
        return ob_fail(err, "\"%s\" must begin with udp:// or unix://", url);
}

/* Returns the variable that is wrong, or NULL. */
static const char *take_address(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        const char *url = value_of("DD_DOGSTATSD_URL"), *host = value_of("DD_AGENT_HOST");
        const char *port = value_of("DD_DOGSTATSD_PORT");
        bool has_host = sets(at, "host") || sets(at, "socket");

        if (*url && !has_host && !sets(at, "port"))
                return read_url(url, s, texts, err) ? "DD_DOGSTATSD_URL" : NULL;
        if (*host && !has_host)
                s->host = ob_texts_keep(texts, ob_copy(host));
        if (*port && !sets(at, "port") && !sets(at, "socket"))
                return read_port(port, &s->port, err) ? "DD_DOGSTATSD_PORT" : NULL;
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
        for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
                const char *value = value_of(tags[i].variable);
                ob_cleanup(ob_free_at) char *tag = ob_format("%s:%s", tags[i].key, value);

                if (*value && ob_config_add_tag(s, tag, texts, err))
                        return tags[i].variable;
        }
        return take_words(value_of("DD_TAGS"), s, texts, err) ? "DD_TAGS" : NULL;
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
        if (!sets(at, "container") && !strcmp(value_of("DD_ORIGIN_DETECTION_ENABLED"), "false"))
                s->container = "";
        return 0;
}
