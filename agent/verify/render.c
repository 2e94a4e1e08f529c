/*
 * Facts: graphite-web's render/views.py. Without maxDataPoints no points are consolidated. `from` is exclusive and
 * `until` is inclusive, since whisper begins with the step after `from`. The render API of VictoriaMetrics reads
 * storage_step, which graphite-web ignores.
 *
 * VictoriaMetrics' /api/v1/export answers all samples of each series, an object of JSON a line, with times in
 * milliseconds. Several samples of one time stay several samples, unless the server deduplicates.
 */
#include "agent/verify/render.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/memory.h"
#include "proto/number.h"
#include "proto/text.h"

#define TIMEOUT_MS  120000
#define HEADERS_MAX 65536
#define BODY_MAX    (64u << 20)
#define TRIES       3 /* graphite-web fails while carbon is just creating a file */
#define TARGET_ROOM 8192
#define SAID_MAX    120 /* bytes of what the server answered that an error shows */

#define SERIES_KEY "__name__"
#define PROBED     1000000000 /* any time */

/* How a server is asked, and how it answers. */
struct ob_render_api {
        const char *path; /* below the address of the server */
        void (*add_range)(const struct ob_render *r, struct ob_bytes *form, int64_t from, int64_t end);
        void (*add_series)(const struct ob_render *r, struct ob_bytes *form, const char *path, size_t number);
        /* False: the answer has another form than this API's. */
        bool (*read)(const struct ob_render *r, const char *const *paths, size_t n, struct ob_rendered *found);
};

/* The host of an address of HTTP; NULL: it is no such address. */
static const char *host_of(const char *url)
{
        static const char *const schemes[] = { "http://", "https://" };

        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
                if (!strncmp(url, schemes[i], strlen(schemes[i])))
                        return url + strlen(schemes[i]);
        return NULL;
}

int ob_render_open(struct ob_render *r, const char *url, int64_t step, struct ob_err *err)
{
        const char *host = host_of(url);

        *r = (struct ob_render) { .step = step };
        if (!host)
                return ob_fail(err,
                        "'%s' is no address of graphite-web or VictoriaMetrics: write it as http://HOST:PORT", url);
        if (memchr(host, '@', strcspn(host, "/")))
                return ob_fail(
                        err, "--render takes no user and no password: other users of this machine could read them");
        r->base = ob_copy(url);
        ob_http_open(&r->http, &(struct ob_http_settings) {
                                       .timeout_ms = TIMEOUT_MS,
                                       .headers_max = HEADERS_MAX,
                                       .body_max = BODY_MAX,
                               });
        return 0;
}

void ob_render_close(struct ob_render *r)
{
        if (r->http.curl)
                ob_http_close(&r->http);
        ob_bytes_free(&r->body);
        free(r->base);
        free(r->url);
        r->base = r->url = NULL;
}

void ob_rendered_free(struct ob_rendered *found, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(found[i].points);
        memset(found, 0, n * sizeof(*found));
}

bool ob_render_can_ask(const char *path)
{
        return strlen(path) < TARGET_ROOM / 4 && !strpbrk(path, "'\"\\");
}

static void add_form(struct ob_bytes *form, const char *text)
{
        ob_bytes_add(form, text, strlen(text));
}

/* Adds a parameter with a text that has to be escaped. */
static void add_escaped(
        const struct ob_render *r, struct ob_bytes *form, const char *name, const struct ob_text *text)
{
        char *escaped = curl_easy_escape(r->http.curl, text->data, (int)text->length);

        if (!escaped)
                abort(); /* there is no memory */
        add_form(form, name);
        add_form(form, escaped);
        curl_free(escaped);
}

/* Adds the tags of a path, with a text before each tag, one between its key and its value, and one after it. */
static void add_tags(
        struct ob_text *out, const char *path, const char *before, const char *between, const char *after)
{
        while (*path) {
                size_t key = strcspn(++path, "=;"), value;

                ob_text_add_string(out, before);
                ob_text_add(out, path, key);
                path += key + (path[key] == '=');
                value = strcspn(path, ";");
                ob_text_add_string(out, between);
                ob_text_add(out, path, value);
                ob_text_add_string(out, after);
                path += value;
        }
}

static void add_range_graphite(const struct ob_render *r, struct ob_bytes *form, int64_t from, int64_t end)
{
        ob_cleanup(ob_free_at) char *range =
                ob_format("format=json&noCache=1&from=%lld&until=%lld&storage_step=%lld", (long long)from - 1,
                        (long long)end - 1, (long long)r->step);

        add_form(form, range);
}

/*
 * alias(otter.pipeline.3.delay_ms,'0'), or alias(seriesByTag('name=otter.delay_ms','pipeline=3'),'0'): the answer
 * repeats the number.
 */
static void add_series_graphite(const struct ob_render *r, struct ob_bytes *form, const char *path, size_t number)
{
        char room[TARGET_ROOM];
        struct ob_text text = ob_text_over(room, sizeof(room));
        size_t name = strcspn(path, ";");

        ob_text_add_string(&text, path[name] ? "alias(seriesByTag('name=" : "alias(");
        ob_text_add(&text, path, name);
        add_tags(&text, path + name, "','", "=", "");
        ob_text_add_string(&text, path[name] ? "'),'" : ",'");
        ob_text_add_int(&text, (long long)number);
        ob_text_add_string(&text, "')");
        add_escaped(r, form, "&target=", &text);
}

static void add_range_export(const struct ob_render *r, struct ob_bytes *form, int64_t from, int64_t end)
{
        ob_cleanup(ob_free_at) char *range =
                ob_format("start=%lld&end=%lld.999", (long long)from, (long long)end - 1);

        (void)r;
        add_form(form, range);
}

/* {__name__="otter.delay_ms",pipeline="3"} */
static void add_series_export(const struct ob_render *r, struct ob_bytes *form, const char *path, size_t number)
{
        char room[TARGET_ROOM];
        struct ob_text text = ob_text_over(room, sizeof(room));
        size_t name = strcspn(path, ";");

        (void)number;
        ob_text_add_string(&text, "{" SERIES_KEY "=\"");
        ob_text_add(&text, path, name);
        ob_text_add_string(&text, "\"");
        add_tags(&text, path + name, ",", "=\"", "\"");
        ob_text_add_string(&text, "}");
        add_escaped(r, form, "&match[]=", &text);
}

static int explain(const struct ob_render *r, CURLcode got, long code, struct ob_err *err)
{
        size_t length = r->body.length;
        const char *said = (const char *)r->body.data;

        if (got != CURLE_OK)
                return ob_fail(err, "%s: %s", r->url, r->http.why);
        if (length > SAID_MAX)
                length = SAID_MAX;
        if (length && *said == '<') /* a page in HTML */
                length = 0;
        return ob_fail(err,
                "%s: HTTP %ld%s%.*s: check that --render is the address of graphite-web or VictoriaMetrics, and does not end in /render",
                r->url, code, length ? ": " : "", (int)length, length ? said : "");
}

static int post(struct ob_render *r, const struct ob_bytes *form, struct ob_err *err)
{
        const struct timespec pause = { .tv_sec = 1 };
        CURLcode got = CURLE_OK;
        long code = 0;

        curl_easy_setopt(r->http.curl, CURLOPT_POSTFIELDSIZE, (long)form->length);
        curl_easy_setopt(r->http.curl, CURLOPT_POSTFIELDS, form->data);
        for (int i = 0; i < TRIES; i++) {
                if (i)
                        nanosleep(&pause, NULL);
                got = ob_http_perform(&r->http, r->url, &r->body, &code);
                if (got != CURLE_OK || code < 500)
                        break;
        }
        return got == CURLE_OK && code == 200 ? 0 : explain(r, got, code, err);
}

static size_t count_tags(const char *path)
{
        size_t n = 0;

        while ((path = strchr(path, ';'))) {
                path++;
                n++;
        }
        return n;
}

/* seriesByTag() also finds the series that have more tags than were asked for; "name" is one of the answer's tags.
 */
static bool is_that_series(const json_t *series, const char *path)
{
        const json_t *tags = json_object_get(series, "tags");

        return !strchr(path, ';') || !json_is_object(tags) || json_object_size(tags) == count_tags(path) + 1;
}

static bool read_points(const json_t *points, struct ob_rendered *found)
{
        size_t n = json_array_size(points);

        *found = (struct ob_rendered) { .is_found = true, .n = n, .points = ob_alloc(n, sizeof(*found->points)) };
        for (size_t i = 0; i < n; i++) {
                const json_t *point = json_array_get(points, i), *value = json_array_get(point, 0),
                             *time = json_array_get(point, 1);

                if (!json_is_number(time) || (!json_is_number(value) && !json_is_null(value)))
                        return false;
                found->points[i].time = (int64_t)json_number_value(time);
                found->points[i].value = json_is_null(value) ? NAN : json_number_value(value);
                if (i && found->points[i].time <= found->points[i - 1].time)
                        return false;
        }
        if (n > 1)
                found->step = found->points[1].time - found->points[0].time;
        return true;
}

static bool read_series(const json_t *series, const char *const *paths, size_t n, struct ob_rendered *found)
{
        const char *name = json_string_value(json_object_get(series, "target"));
        const json_t *points = json_object_get(series, "datapoints");
        int64_t number;

        if (!name || !ob_number_parse_int(name, &number) || number < 0 || (uint64_t)number >= n ||
                !json_is_array(points))
                return false;
        if (found[number].is_found || !is_that_series(series, paths[number]))
                return true;
        return read_points(points, &found[number]);
}

static bool read_graphite(const struct ob_render *r, const char *const *paths, size_t n, struct ob_rendered *found)
{
        json_t *all = json_loadb((const char *)r->body.data, r->body.length, 0, NULL), *one;
        bool is_good = json_is_array(all);
        size_t i;

        if (is_good)
                json_array_foreach(all, i, one) is_good &= read_series(one, paths, n, found);
        json_decref(all);
        return is_good;
}

/* The next key of a series of VictoriaMetrics after `key` (NULL: the first one); NULL: there is no further one. */
static const char *next_key(json_t *metric, const char *key)
{
        const char *next = NULL, *each;
        json_t *value;

        json_object_foreach(metric, each, value) if (strcmp(each, SERIES_KEY) != 0 &&
                                                     (!key || strcmp(each, key) > 0) &&
                                                     (!next || strcmp(each, next) < 0)) next = each;
        return next;
}

/* The path of such a series, as our sinks write it: the tags in the order of their keys. The caller frees it. */
static char *path_of(json_t *metric)
{
        const char *name = json_string_value(json_object_get(metric, SERIES_KEY)), *key = NULL;
        char *path = ob_copy(name ? name : "");

        while ((key = next_key(metric, key))) {
                const char *value = json_string_value(json_object_get(metric, key));

                ob_append(&path, ";", "%s=%s", key, value ? value : "");
        }
        return path;
}

/* Adds the samples of one line. A series may come in several lines. */
static bool read_samples(const json_t *values, const json_t *times, struct ob_rendered *found)
{
        size_t n = json_array_size(times), before = found->n;

        if (json_array_size(values) != n)
                return false;
        found->is_found = true;
        found->points = ob_realloc(found->points, before + n, sizeof(*found->points));
        found->n += n;
        for (size_t i = 0; i < n; i++) {
                const json_t *value = json_array_get(values, i), *time = json_array_get(times, i);

                if (!json_is_number(time))
                        return false;
                found->points[before + i].time = (int64_t)(json_number_value(time) / 1000);
                found->points[before + i].value = json_is_number(value) ? json_number_value(value) : NAN;
        }
        return true;
}

static int by_time(const void *a, const void *b)
{
        int64_t x = ((const struct ob_rendered_point *)a)->time, y = ((const struct ob_rendered_point *)b)->time;

        return (x > y) - (x < y);
}

static bool read_line(json_t *line, const char *const *paths, size_t n, struct ob_rendered *found)
{
        ob_cleanup(ob_free_at) char *path = path_of(json_object_get(line, "metric"));
        bool is_good = json_is_object(line);

        for (size_t i = 0; is_good && i < n; i++)
                if (!strcmp(paths[i], path))
                        is_good = read_samples(
                                json_object_get(line, "values"), json_object_get(line, "timestamps"), &found[i]);
        return is_good;
}

static bool read_export(const struct ob_render *r, const char *const *paths, size_t n, struct ob_rendered *found)
{
        const char *at = (const char *)r->body.data, *end = at + r->body.length;
        bool is_good = true;

        while (is_good && at < end) {
                const char *line_end = memchr(at, '\n', (size_t)(end - at));
                json_t *line = json_loadb(at, (size_t)((line_end ? line_end : end) - at), 0, NULL);

                is_good = read_line(line, paths, n, found);
                json_decref(line);
                at = line_end ? line_end + 1 : end;
        }
        for (size_t i = 0; i < n; i++)
                if (found[i].n)
                        qsort(found[i].points, found[i].n, sizeof(*found[i].points), by_time);
        return is_good;
}

static const struct ob_render_api apis[] = {
        { "render", add_range_graphite, add_series_graphite, read_graphite },
        { "api/v1/export", add_range_export, add_series_export, read_export },
};

int ob_render_ask(struct ob_render *r, const char *const *paths, size_t n, int64_t from, int64_t end,
        struct ob_rendered *found, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes form = { .length = 0 };

        memset(found, 0, n * sizeof(*found));
        r->api->add_range(r, &form, from, end);
        for (size_t i = 0; i < n; i++)
                r->api->add_series(r, &form, paths[i], i);
        if (post(r, &form, err))
                return -1;
        if (r->api->read(r, paths, n, found))
                return 0;
        ob_rendered_free(found, n);
        return ob_fail(
                err, "%s: the answer has another form than that of graphite-web and VictoriaMetrics", r->url);
}

int ob_render_find(struct ob_render *r, struct ob_err *err)
{
        static const char *const nothing = "otterbeat.verify.nothing";
        struct ob_err other;

        for (size_t i = 0; i < sizeof(apis) / sizeof(*apis); i++) {
                struct ob_rendered found;

                free(r->url);
                r->api = &apis[i];
                r->url = ob_http_url(r->base, r->api->path);
                if (!ob_render_ask(r, &nothing, 1, PROBED, PROBED + r->step, &found, i ? &other : err)) {
                        ob_rendered_free(&found, 1);
                        return 0;
                }
        }
        return -1; /* `err` is the error of the render API */
}
