#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/file.h"
#include "proto/memory.h"

#define INCLUDES_MAX 10 /* libconfig reads no deeper */

static const char *const type_words[] = { "statsd", "graphite", NULL };
static const char *const flavor_words[] = { "plain", "dogstatsd", NULL };
static const char *const counters_words[] = { "counter", "gauge", "both", NULL };
static const char *const path_words[] = { "ids", "names", NULL };
static const char *const level_words[] = { "error", "warn", "info", NULL };
static const char *const crash_words[] = { "lose", "repeat", NULL };

#define AT(what, member) offsetof(struct what, member)

static const struct ob_setting top_settings[] = {
        { "prefix", OB_SET_PREFIX, AT(ob_config, prefix) },
        { "state_dir", OB_SET_PATH, AT(ob_config, state_dir) },
        { "log_file", OB_SET_PATH, AT(ob_config, log_file) },
        { "log_level", OB_SET_CHOICE, AT(ob_config, log_level), .choices = level_words },
        { "drain", OB_SET_INT, AT(ob_config, drain), 0, 60 },
        { "managers", OB_SET_GROUP },
        { "sources", OB_SET_GROUP },
        { "queue", OB_SET_GROUP },
        { "names", OB_SET_GROUP },
        { "health", OB_SET_GROUP },
        { "status", OB_SET_GROUP },
        { "sinks", OB_SET_GROUP },
        { NULL },
};

static const struct ob_setting queue_settings[] = {
        { "max_bytes", OB_SET_LONG, AT(ob_config, queue_max_bytes), 65536, INT64_C(1) << 40 },
        { NULL },
};

static const struct ob_setting names_settings[] = {
        { "enabled", OB_SET_BOOL, AT(ob_config, names.enabled) },
        { "every", OB_SET_INT, AT(ob_config, names.every), 1, 86400 },
        { NULL },
};

static const struct ob_setting health_settings[] = {
        { "lag", OB_SET_INT, AT(ob_health_settings, lag), 1, 86400 },
        { "idle", OB_SET_INT, AT(ob_health_settings, idle), 1, 86400 },
        { "stall", OB_SET_INT, AT(ob_health_settings, stall), 1, 86400 },
        { "skew", OB_SET_INT, AT(ob_health_settings, skew), 1, 86400 },
        { "hold", OB_SET_INT, AT(ob_health_settings, hold), 0, 86400 },
        { "heartbeat", OB_SET_BOOL, AT(ob_health_settings, heartbeat) },
        { NULL },
};

static const struct ob_setting source_settings[] = {
        { "enabled", OB_SET_BOOL, AT(ob_source, enabled) },
        { "every", OB_SET_INT, AT(ob_source, every), 1, 86400 },
        { "start", OB_SET_START, AT(ob_source, start) },
        { "overlap", OB_SET_INT, AT(ob_source, overlap), 0, 86400 },
        { "settle", OB_SET_INT, AT(ob_source, settle), 0, 3600 },
        { "batch", OB_SET_INT, AT(ob_source, batch), 1, 100000 },
        { "limit", OB_SET_INT, AT(ob_source, limit), 1, 10000 },
        { "merge", OB_SET_INT, AT(ob_source, merge), 0, 3600 },
        { "table", OB_SET_GROUP },
        { "address", OB_SET_GROUP },
        { "heading", OB_SET_GROUP },
        { "rows", OB_SET_GROUP },
        { "columns", OB_SET_GROUP },
        { NULL },
};

static const struct ob_setting statsd_settings[] = {
        { "type", OB_SET_CHOICE, AT(ob_sink_settings, type), .choices = type_words },
        { "name", OB_SET_PREFIX, AT(ob_sink_settings, name) },
        { "host", OB_SET_TEXT, AT(ob_sink_settings, host) },
        { "port", OB_SET_INT, AT(ob_sink_settings, port), 1, 65535 },
        { "path", OB_SET_CHOICE, AT(ob_sink_settings, path), .choices = path_words },
        { "flavor", OB_SET_CHOICE, AT(ob_sink_settings, flavor), .choices = flavor_words },
        { "socket", OB_SET_PATH, AT(ob_sink_settings, socket) },
        { "payload", OB_SET_INT, AT(ob_sink_settings, payload), 64, OB_PAYLOAD_MAX },
        { "tags", OB_SET_GROUP },
        { "backlog", OB_SET_INT, AT(ob_sink_settings, backlog), 0, 86400 },
        { "container", OB_SET_TEXT, AT(ob_sink_settings, container) },
        { "counters", OB_SET_CHOICE, AT(ob_sink_settings, counters), .choices = counters_words },
        { "after_crash", OB_SET_CHOICE, AT(ob_sink_settings, after_crash), .choices = crash_words },
        { NULL },
};

static const struct ob_setting graphite_settings[] = {
        { "type", OB_SET_CHOICE, AT(ob_sink_settings, type), .choices = type_words },
        { "name", OB_SET_PREFIX, AT(ob_sink_settings, name) },
        { "host", OB_SET_TEXT, AT(ob_sink_settings, host) },
        { "port", OB_SET_INT, AT(ob_sink_settings, port), 1, 65535 },
        { "path", OB_SET_CHOICE, AT(ob_sink_settings, path), .choices = path_words },
        { "step", OB_SET_INT, AT(ob_sink_settings, step), 1, 86400 },
        { "tagged", OB_SET_BOOL, AT(ob_sink_settings, tagged) },
        { "horizon", OB_SET_INT, AT(ob_sink_settings, horizon), 0, 86400 },
        { "creates", OB_SET_INT, AT(ob_sink_settings, creates), 0, 1000000 },
        { "max_age", OB_SET_LONG, AT(ob_sink_settings, max_age), 0, INT64_C(10000000000) },
        { "tags", OB_SET_GROUP },
        { "events", OB_SET_TEXT, AT(ob_sink_settings, events) },
        { NULL },
};

/* What a sink of each type knows, and begins as. */
static const struct {
        const struct ob_setting *settings;
        struct ob_sink_settings defaults;
} sink_types[OB_SINK_EVENTS] = {
        [OB_SINK_STATSD] = { statsd_settings, { .type = OB_SINK_STATSD,
                                                      .name = "statsd",
                                                      .host = "127.0.0.1",
                                                      .port = 8125,
                                                      .socket = "",
                                                      .events = "",
                                                      .payload = 1432,
                                                      .backlog = 120,
                                                      .container = "auto" } },
        [OB_SINK_GRAPHITE] = { graphite_settings, { .type = OB_SINK_GRAPHITE,
                                                          .name = "graphite",
                                                          .host = "127.0.0.1",
                                                          .port = 2003,
                                                          .socket = "",
                                                          .events = "",
                                                          .step = 60,
                                                          .horizon = 300,
                                                          .creates = 50 } },
};

static const config_setting_t *expect_list(const config_t *file, const char *name, struct ob_err *err)
{
        const config_setting_t *list = config_lookup(file, name);

        if (!list || !config_setting_length(list)) {
                ob_fail(err, "%s:%u: \"%s\" is missing or empty: ( { … } )",
                        config_setting_source_file(list ? list : config_root_setting(file)),
                        list ? config_setting_source_line(list) : 1, name);
                return NULL;
        }
        if (ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( { … }, … )", err))
                return NULL;
        return list;
}

static int read_managers(const config_t *file, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *list = expect_list(file, "managers", err);

        if (!list)
                return -1;
        c->managers = ob_alloc((size_t)config_setting_length(list), sizeof(*c->managers));
        for (int i = 0; i < config_setting_length(list); i++)
                if (ob_config_read_manager(config_setting_get_elem(list, (unsigned)i), c, err))
                        return -1;
        return 0;
}

/* Lays a group over every source of the worker that it names. Returns how many there are. */
static int read_worker(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        const char *name = config_setting_name(at);
        int n = 0;

        for (size_t i = 0; i < ob_n_builtin_sources; i++) {
                if (strcmp(c->sources[i].worker, name) != 0)
                        continue;
                if (config_setting_get_member(at, "table") || config_setting_get_member(at, "columns") ||
                        ob_config_is_page(at))
                        return ob_setting_fail(at, err,
                                "\"%s\" is built in: its table and columns can't be "
                                "set; give your source another name",
                                name);
                if (ob_settings_read(at, source_settings, &c->sources[i], &c->texts, err))
                        return -1;
                n++;
        }
        return n;
}

/* A worker's further sources have its settings, and names that nobody else may have: the store goes by them. */
static const struct ob_source *find_builtin(const char *name)
{
        for (size_t i = 0; i < ob_n_builtin_sources; i++)
                if (!strcmp(ob_builtin_sources[i].name, name))
                        return &ob_builtin_sources[i];
        return NULL;
}

static int read_source(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_source *s = &c->sources[c->n_sources];
        const struct ob_source *builtin;
        int known;

        if (ob_setting_expect(at, CONFIG_TYPE_GROUP, "a group: { … }", err))
                return -1;
        known = read_worker(at, c, err);
        if (known)
                return known < 0 ? -1 : 0;
        builtin = find_builtin(config_setting_name(at));
        if (builtin)
                return ob_setting_fail(at, err,
                        "\"%s\" is built in and has the settings of \"%s\": set them "
                        "there, or give your source another name",
                        builtin->name, builtin->worker);
        *s = (struct ob_source) { .enabled = true, .every = 15, .overlap = 600, .settle = 2, .batch = 1000 };
        if (ob_config_is_page(at))
                *s = (struct ob_source) { OB_PAGE_DEFAULTS, .kind = OB_SOURCE_PAGE, .enabled = true, .every = 30,
                        .worker = "page" };
        s->name = ob_texts_keep(&c->texts, ob_copy(config_setting_name(at)));
        s->worker = s->worker ? s->worker : s->name;
        if (ob_settings_read(at, source_settings, s, &c->texts, err) ||
                ob_config_define(at, s, &c->pages[c->n_pages], &c->texts, err))
                return -1;
        c->n_sources++;
        c->n_pages += s->kind == OB_SOURCE_PAGE;
        return 0;
}

static int read_sources(const config_t *file, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *group = config_lookup(file, "sources");
        size_t n = group ? (size_t)config_setting_length(group) : 0;

        c->sources = ob_alloc(ob_n_builtin_sources + n, sizeof(*c->sources));
        memcpy(c->sources, ob_builtin_sources, ob_n_builtin_sources * sizeof(*c->sources));
        c->n_sources = ob_n_builtin_sources;
        c->pages = ob_alloc(ob_n_builtin_pages + n, sizeof(*c->pages));
        memcpy(c->pages, ob_builtin_pages, ob_n_builtin_pages * sizeof(*c->pages));
        c->n_pages = ob_n_builtin_pages;
        if (group && ob_setting_expect(group, CONFIG_TYPE_GROUP, "a group: { … }", err))
                return -1;
        for (size_t i = 0; i < n; i++)
                if (read_source(config_setting_get_elem(group, (unsigned)i), c, err))
                        return -1;
        return 0;
}

/* The sink that was read last counts, if its name tells it apart. */
static int name_sink(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        const char *name = c->sinks[c->n_sinks].name;

        for (size_t i = 0; i < c->n_sinks; i++)
                if (!strcmp(name, c->sinks[i].name))
                        return ob_setting_fail(at, err, "two sinks are called \"%s\": give one a \"name\"", name);
        c->n_sinks++;
        return 0;
}

/* graphite-web is told by a sink of its own: carbon does not wait for it. */
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

static int read_sink(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_sink_settings *s = &c->sinks[c->n_sinks];
        const config_setting_t *type_at;
        const char *type;
        size_t t = 0;

        if (config_setting_type(at) != CONFIG_TYPE_GROUP)
                return ob_setting_fail(at, err, "a sink is a group: { … }");
        type_at = config_setting_get_member(at, "type");
        if (!type_at)
                return ob_setting_fail(at, err, "a sink needs a \"type\": \"statsd\" or \"graphite\"");
        type = ob_setting_text(type_at, &c->texts, err);
        if (!type)
                return -1;
        while (t < OB_SINK_EVENTS - 1 && strcmp(type, type_words[t]) != 0)
                t++; /* a type that is none of them is refused with the other settings */
        *s = sink_types[t].defaults;
        if (ob_settings_read(at, sink_types[t].settings, s, &c->texts, err) ||
                ob_config_check_sink(at, s, &c->texts, err))
                return -1;
        if (name_sink(at, c, err))
                return -1;
        return *s->events ? add_events_sink(at, c, s, err) : 0;
}

static int read_sinks(const config_t *file, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *list = expect_list(file, "sinks", err);

        if (!list)
                return -1;
        c->sinks = ob_alloc(2 * (size_t)config_setting_length(list), sizeof(*c->sinks)); /* each, and its events' */
        for (int i = 0; i < config_setting_length(list); i++)
                if (read_sink(config_setting_get_elem(list, (unsigned)i), c, err))
                        return -1;
        return 0;
}

static int read_all(const config_t *file, const char *path, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *root = config_root_setting(file);

        c->file = ob_texts_keep(&c->texts, ob_copy(path));
        c->state_dir = ob_path_beside(path, c->state_dir, &c->texts);
        if (ob_settings_read(root, top_settings, c, &c->texts, err) ||
                ob_settings_read_group(root, "queue", queue_settings, c, &c->texts, err) ||
                ob_settings_read_group(root, "names", names_settings, c, &c->texts, err) ||
                ob_settings_read_group(root, "health", health_settings, &c->health, &c->texts, err) ||
                ob_config_read_status(root, c, err))
                return -1;
        return read_managers(file, c, err) || read_sources(file, c, err) || read_sinks(file, c, err) ? -1 : 0;
}

/*
 * libconfig opens the file and what it includes, and would wait for a pipe among them: each is opened here first.
 * An included file that is not there is left for libconfig to complain of.
 */
static int check_files(const char *path, int depth, struct ob_err *err)
{
        FILE *f = ob_file_read(path, err);
        char *line = NULL;
        size_t room = 0;
        int got = 0;

        if (!f)
                return depth && errno == ENOENT ? 0 : -1;
        while (!got && depth < INCLUDES_MAX && getline(&line, &room, f) > 0) {
                char *name = line + strspn(line, " \t");

                if (strncmp(name, "@include", 8) != 0 || !(name = strchr(name, '"')))
                        continue;
                name[1 + strcspn(name + 1, "\"\n")] = '\0';
                got = check_files(name + 1, depth + 1, err);
        }
        free(line);
        fclose(f);
        return got;
}

struct ob_config *ob_config_load(const char *path, struct ob_err *err)
{
        struct ob_config *c = ob_alloc(1, sizeof(*c));
        ob_cleanup(config_destroy) config_t file;

        config_init(&file);
        *c = (struct ob_config) {
                .prefix = "otter",
                .state_dir = "state",
                .log_file = "",
                .log_level = OB_LOG_INFO,
                .drain = 10,
                .queue_max_bytes = 67108864,
                .names = { .enabled = true, .every = 300 },
                .health = { .lag = 60, .idle = 180, .stall = 300, .skew = 60, .hold = 30, .heartbeat = true },
        };
        if (!check_files(path, 0, err)) {
                if (config_read_file(&file, path) != CONFIG_TRUE)
                        ob_fail(err, "%s:%d: %s", config_error_file(&file) ? config_error_file(&file) : path,
                                config_error_line(&file), config_error_text(&file));
                else if (!read_all(&file, path, c, err))
                        return c;
        }
        ob_config_free(c);
        return NULL;
}

void ob_config_free(struct ob_config *config)
{
        if (!config)
                return;
        free(config->managers);
        free(config->sources);
        free(config->pages);
        free(config->sinks);
        ob_texts_free(&config->texts);
        free(config);
}
