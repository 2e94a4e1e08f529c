#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "proto/memory.h"

#define CONTAINER_MAX 64
#define TAG_MAX       200 /* bytes: Datadog's limit, in characters */

bool ob_config_has_tags(const struct ob_sink_settings *s)
{
        if (s->type == OB_SINK_EVENTS)
                return true;
        return s->type == OB_SINK_GRAPHITE ? s->tagged : s->flavor == OB_FLAVOR_DOGSTATSD;
}

/* Keys that both wires take: they begin with a letter. */
static bool is_key(const char *key)
{
        if (!isalpha((unsigned char)*key))
                return false;
        for (; *key; key++)
                if (!isalnum((unsigned char)*key) && !strchr("_-./", *key))
                        return false;
        return true;
}

/* Whether a value can stand in a line as it is. */
static bool is_value(const char *value)
{
        if (!*value)
                return false;
        for (; *value; value++)
                if ((unsigned char)*value < ' ' || *value == 0x7f || strchr("|,;", *value))
                        return false;
        return true;
}

int ob_config_add_tag(struct ob_sink_settings *s, const char *tag, struct ob_texts *texts, struct ob_err *err)
{
        char *key = ob_copy(tag), *colon = strchr(key, ':');

        ob_texts_keep(texts, key);
        if (colon)
                *colon = '\0';
        if (!is_key(key) || (colon && !is_value(colon + 1)) || strlen(tag) > TAG_MAX)
                return ob_fail(err,
                        "\"%s\" is no tag: \"key:value\", at most %d bytes; the key begins with a letter and is made of "
                        "A-Z a-z 0-9 _ . / -, the value has no comma, bar or semicolon",
                        tag, TAG_MAX);
        if (!colon && s->type == OB_SINK_GRAPHITE)
                return ob_fail(err, "tag \"%s\" has no value, and Graphite's must have one: \"key:value\"", tag);
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!strcmp(s->tags[i].key, key))
                        return 0;
        if (s->n_tags == OB_TAGS_MORE_MAX)
                return ob_fail(err, "a sink has at most %d tags of its own", OB_TAGS_MORE_MAX);
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
                if (ob_config_add_tag(s, tag, texts, &why))
                        return ob_setting_fail(at, err, "%s", why.text);
                if (s->n_tags == before)
                        return ob_setting_fail(at, err, "two tags have the key of \"%s\"", tag);
        }
        return 0;
}

static bool is_container(const char *id)
{
        for (const char *c = id; *c; c++)
                if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
                        return false;
        return strlen(id) <= CONTAINER_MAX;
}

int ob_config_check_sink(
        const config_setting_t *at, struct ob_sink_settings *s, struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *path = config_setting_get_member(at, "path");
        const config_setting_t *tags = config_setting_get_member(at, "tags");
        bool is_dog = s->type == OB_SINK_STATSD && s->flavor == OB_FLAVOR_DOGSTATSD;

        if (s->path == OB_PATH_NAMES && ob_config_has_tags(s))
                return ob_setting_fail(path, err, "\"path\" is about dotted names, and this sink sends tags");
        if (tags && config_setting_length(tags) && !ob_config_has_tags(s) && !*s->events)
                return ob_setting_fail(tags, err,
                        "\"tags\": this sink sends none: it has no flavor = \"dogstatsd\", "
                        "or tagged = true, or events");
        if (*s->events && strncasecmp(s->events, "http://", 7) != 0 && strncasecmp(s->events, "https://", 8) != 0)
                return ob_setting_fail(config_setting_get_member(at, "events"), err,
                        "\"events\" is where graphite-web is, as \"http://127.0.0.1:8080\"");
        if ((tags && read_tags(tags, s, texts, err)) || (is_dog && ob_config_take_datadog(at, s, texts, err)))
                return -1;
        if (is_dog && !is_container(s->container))
                return ob_setting_fail(config_setting_get_member(at, "container"), err,
                        "\"container\" is an id of at most %d letters, digits, _ and -; or \"auto\"; or \"\"",
                        CONTAINER_MAX);
        if (is_dog && *s->socket && !config_setting_get_member(at, "payload"))
                s->payload = OB_PAYLOAD_MAX;
        return 0;
}
