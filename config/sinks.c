#include "config/sinks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/all_settings.h"
#include "proto/memory.h"
#include "proto/number.h"

#define CONTAINER_MAX 64
#define TAG_MAX       200 /* bytes; Datadog's limit is 200 characters */
#define PORT_MAX      65535

static const struct ob_setting *const settings_of[OB_SINK_EVENTS] = {
        [OB_SINK_STATSD] = ob_statsd_settings,
        [OB_SINK_GRAPHITE] = ob_graphite_settings,
};

/* Both wires take a key that begins with a letter. */
static bool is_key(const char *key)
{
        if (!isalpha((unsigned char)*key))
                return false;
        for (; *key; key++)
                if (!isalnum((unsigned char)*key) && !strchr("_-./", *key))
                        return false;
        return true;
}

/* Whether a value needs no escape in a line of any wire. */
static bool is_value(const char *value)
{
        if (!*value)
                return false;
        for (; *value; value++)
                if ((unsigned char)*value < ' ' || *value == 0x7f || strchr("|,;", *value))
                        return false;
        return true;
}

/* Adds a tag, "key:value" or "key", to the tags of a sink, unless the sink has a tag with this key already. */
static int add_tag(struct ob_sink_settings *s, const char *tag, struct ob_texts *texts, struct ob_err *err)
{
        char *key = ob_copy(tag), *colon = strchr(key, ':');

        ob_texts_keep(texts, key);
        if (colon)
                *colon = '\0';
        if (!is_key(key) || (colon && !is_value(colon + 1)) || strlen(tag) > TAG_MAX)
                return ob_fail(err,
                        "\"%s\" is not a tag. A tag is \"key:value\", at most %d bytes; its key begins with a letter and may contain "
                        "A-Z a-z 0-9 _ . / -, and its value may not contain a comma, a bar or a semicolon",
                        tag, TAG_MAX);
        if (!colon && s->type == OB_SINK_GRAPHITE)
                return ob_fail(
                        err, "tag \"%s\" has no value, and a tag for Graphite must have one: \"key:value\"", tag);
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!strcmp(s->tags[i].key, key))
                        return 0;
        if (s->n_tags == OB_TAGS_MORE_MAX)
                return ob_fail(err, "a sink can have at most %d tags of its own", OB_TAGS_MORE_MAX);
        s->tags[s->n_tags++] = (struct ob_tag) { .key = key, .value = colon ? colon + 1 : NULL };
        return 0;
}

static int read_tags(
        const config_setting_t *list, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        struct ob_err why;

        if (!config_setting_is_list(list) && !config_setting_is_array(list))
                return ob_setting_fail(list, err, "\"tags\" must be a list: ( \"team:data\", … )");
        for (int i = 0; i < config_setting_length(list); i++) {
                const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
                const char *tag = ob_setting_text(at, texts, err);
                unsigned before = s->n_tags;

                if (!tag)
                        return -1;
                if (add_tag(s, tag, texts, &why))
                        return ob_setting_fail(at, err, "%s", why.text);
                if (s->n_tags == before)
                        return ob_setting_fail(at, err, "two tags have the key of \"%s\"", tag);
        }
        return 0;
}

/*
 * The environment of Datadog's clients: DD_DOGSTATSD_URL, DD_AGENT_HOST, DD_DOGSTATSD_PORT, DD_DOGSTATSD_SOCKET,
 * DD_ENV, DD_SERVICE, DD_VERSION, DD_TAGS, DATADOG_TAGS, DD_ENTITY_ID and DD_ORIGIN_DETECTION_ENABLED, in every
 * spelling that one of the clients accepts. A value that the config sets wins over the environment.
 *
 * Facts (datadog-go, datadogpy, java-dogstatsd-client, dogstatsd-ruby): the URL wins over the host; in a udp://
 * URL, everything behind host and port is ignored; the scheme of a URL may be in upper case; DD_AGENT_HOST may be
 * HOST:PORT or a unix:// URL.
 */

/* The variables that become tags, in this order. The first tag with a key wins. */
static const struct {
        const char *variable, *key;
} tag_variables[] = {
        { "DD_ENV", "env" },
        { "DD_SERVICE", "service" },
        { "DD_VERSION", "version" },
        { "DD_ENTITY_ID", "dd.internal.entity_id" },
};

/* The value of a variable; "" when the variable is not set. */
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

        if (!ob_number_parse_int(text, &number) || number < 1 || number > PORT_MAX)
                return ob_fail(err, "\"%s\" is not a port", text);
        *port = (int)number;
        return 0;
}

/* HOST, HOST:PORT, an IPv6 ADDRESS, or [ADDRESS]:PORT. A path, query or fragment behind them is ignored. */
static int read_address(const char *text, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        char *host = ob_format("%.*s", (int)strcspn(text, "/?#"), text), *end = strchr(host, ':');

        ob_texts_keep(texts, host);
        if (*host == '[') {
                end = strchr(host++, ']');
                if (!end || (end[1] && end[1] != ':'))
                        return ob_fail(err, "\"%s\" is not an address", text);
                *end++ = '\0';
        } else if (end && strchr(end + 1, ':')) {
                end = NULL; /* an IPv6 address without brackets has no port */
        }
        if (end && *end)
                *end++ = '\0';
        else
                end = NULL;
        if (!*host)
                return ob_fail(err, "\"%s\" is not an address", text);
        s->host = host;
        return end ? read_port(end, &s->port, err) : 0;
}

static int read_socket(const char *path, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        s->socket = ob_texts_keep(texts, ob_copy(path));
        return *path == '/' ? 0 : ob_fail(err, "\"%s\": the path of a socket must begin with \"/\"", path);
}

/* The path in the URL of a unix socket, or NULL. The sink finds out by itself which kind of socket is there. */
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

/* Returns the variable whose value is wrong, or NULL. A port in DD_AGENT_HOST wins over DD_DOGSTATSD_PORT. */
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

                if (add_tag(s, tag, texts, err))
                        return -1;
                words += length;
        }
        return 0;
}

/* Returns the variable whose value is wrong, or NULL. */
static const char *take_tags(struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        static const char *const lists[] = { "DD_TAGS", "DATADOG_TAGS" };

        for (size_t i = 0; i < sizeof(tag_variables) / sizeof(*tag_variables); i++) {
                const char *value = value_of(tag_variables[i].variable);
                ob_cleanup(ob_free_at) char *tag = ob_format("%s:%s", tag_variables[i].key, value);

                if (*value && add_tag(s, tag, texts, err))
                        return tag_variables[i].variable;
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

/* Takes from the environment what the group of a DogStatsD sink does not set. */
static int take_environment(
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

static bool is_container(const char *id)
{
        for (const char *c = id; *c; c++)
                if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
                        return false;
        return strlen(id) <= CONTAINER_MAX;
}

/* A receiver that overwrites gets each step at once, and again when the step grows or a crash leaves it in doubt.
 */
static int check_receiver(const config_setting_t *at, const struct ob_sink_settings *s, struct ob_err *err)
{
        static const char *const of_append[] = { "hold", "after_crash" };

        if (s->type != OB_SINK_GRAPHITE || s->receiver == OB_RECEIVER_APPEND)
                return 0;
        for (size_t i = 0; i < sizeof(of_append) / sizeof(*of_append); i++)
                if (sets(at, of_append[i]))
                        return ob_setting_fail(config_setting_get_member(at, of_append[i]), err,
                                "\"%s\" has no effect without receiver = \"append\"", of_append[i]);
        return 0;
}

/* Checks and completes what the table of settings cannot say about a sink. */
static int check_sink(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *path = config_setting_get_member(at, "path");
        const config_setting_t *tags = config_setting_get_member(at, "tags");
        bool is_dog = s->type == OB_SINK_STATSD && s->flavor == OB_FLAVOR_DOGSTATSD;

        if (s->path == OB_PATH_NAMES && ob_config_has_tags(s))
                return ob_setting_fail(
                        path, err, "\"path\" applies to dotted names only, and this sink sends tags");
        if (tags && config_setting_length(tags) && !ob_config_has_tags(s) && !*s->events)
                return ob_setting_fail(tags, err,
                        "\"tags\": this sink sends no tags, because it has no flavor = \"dogstatsd\", tagged = true or events");
        if (*s->events && strncasecmp(s->events, "http://", 7) != 0 && strncasecmp(s->events, "https://", 8) != 0)
                return ob_setting_fail(config_setting_get_member(at, "events"), err,
                        "\"events\" must be the address of graphite-web, like \"http://127.0.0.1:8080\"");
        if (check_receiver(at, s, err) || (tags && read_tags(tags, s, texts, err)) ||
                (is_dog && take_environment(at, s, texts, err)))
                return -1;
        if (is_dog && !is_container(s->container))
                return ob_setting_fail(config_setting_get_member(at, "container"), err,
                        "\"container\" must be an id of at most %d letters, digits, _ and -, or \"auto\", or \"\"",
                        CONTAINER_MAX);
        if (is_dog && *s->socket && !config_setting_get_member(at, "payload"))
                s->payload = OB_PAYLOAD_MAX;
        return 0;
}

/* Adds the sink that was read last, unless its name is taken. */
static int name_sink(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        const char *name = c->sinks[c->n_sinks].name;

        for (size_t i = 0; i < c->n_sinks; i++)
                if (!strcmp(name, c->sinks[i].name))
                        return ob_setting_fail(
                                at, err, "two sinks are called \"%s\": give one of them another \"name\"", name);
        c->n_sinks++;
        return 0;
}

/* A sink of its own posts the events to graphite-web, so that carbon never waits for graphite-web. */
static int add_events_sink(
        const config_setting_t *at, struct ob_config *c, const struct ob_sink_settings *of, struct ob_err *err)
{
        struct ob_sink_settings *s = &c->sinks[c->n_sinks];

        *s = *of;
        s->type = OB_SINK_EVENTS;
        s->name = ob_texts_keep(&c->texts, ob_format("%s.events", of->name));
        s->url = of->events;
        return name_sink(at, c, err);
}

/*
 * The defaults of a sink whose "type" is this word. Those of the other type are laid first, so that no text is
 * NULL. A word that is no type is refused when the settings are read.
 */
static struct ob_sink_settings defaults_of(const char *word)
{
        bool is_graphite = !strcmp(word, "graphite");
        struct ob_sink_settings s = { .n_tags = 0 };

        ob_settings_defaults(settings_of[is_graphite ? OB_SINK_STATSD : OB_SINK_GRAPHITE], &s);
        ob_settings_defaults(settings_of[is_graphite ? OB_SINK_GRAPHITE : OB_SINK_STATSD], &s);
        return s;
}

static int read_sink(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_sink_settings *s = &c->sinks[c->n_sinks];
        const config_setting_t *type_at;
        const char *type;

        if (config_setting_type(at) != CONFIG_TYPE_GROUP)
                return ob_setting_fail(at, err, "a sink must be a group: { … }");
        type_at = config_setting_get_member(at, "type");
        if (!type_at)
                return ob_setting_fail(at, err, "a sink needs a \"type\": \"statsd\" or \"graphite\"");
        type = ob_setting_text(type_at, &c->texts, err);
        if (!type)
                return -1;
        *s = defaults_of(type);
        if (ob_settings_read(at, settings_of[s->type], s, &c->texts, err) || check_sink(at, s, &c->texts, err) ||
                name_sink(at, c, err))
                return -1;
        return *s->events ? add_events_sink(at, c, s, err) : 0;
}

int ob_config_read_sinks(const config_setting_t *root, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *list = ob_setting_list(root, "sinks", c->file, err);

        if (!list)
                return -1;
        c->sinks = ob_alloc(
                2 * (size_t)config_setting_length(list), sizeof(*c->sinks)); /* each may have an events sink */
        for (int i = 0; i < config_setting_length(list); i++)
                if (read_sink(config_setting_get_elem(list, (unsigned)i), c, err))
                        return -1;
        return 0;
}
