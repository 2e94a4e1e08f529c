/*
 * Asks a server for the points of series as the server stores them: graphite-web, and servers with the same render
 * API; or VictoriaMetrics, whose builds often have no render API, by its own API. One thread at a time.
 */
#ifndef OB_VERIFY_RENDER_H
#define OB_VERIFY_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/http.h"
#include "proto/bytes.h"
#include "proto/error.h"

struct ob_render_api;

struct ob_render {
        char *base, *url;                /* ours: the server, and its API */
        const struct ob_render_api *api; /* NULL: not found yet */
        int64_t step; /* seconds: the step that a render API over a store without fixed steps is asked for */
        struct ob_http http;
        struct ob_bytes body;
};

/* The points of one series; all zero: the server has no such series. */
struct ob_rendered {
        bool is_found;
        int64_t step; /* seconds between two points; 0: there are fewer than two, or the store has no fixed steps */
        size_t n;
        struct ob_rendered_point {
                int64_t time;
                double value; /* NAN: there is none */
        } * points; /* ours, in the order of their times; a store without fixed steps may have several of one time
                     */
};

/* Connects to nothing yet. -1: `url` is no address of HTTP. */
int ob_render_open(struct ob_render *r, const char *url, int64_t step, struct ob_err *err);

/* Finds out which API the server has; -1: no known one. Must be called before the first ob_render_ask(). */
int ob_render_find(struct ob_render *r, struct ob_err *err);

void ob_render_close(struct ob_render *r);

/* Whether a series can be asked for: no quoting is known for quotes and backslashes in a tag's value. */
bool ob_render_can_ask(const char *path);

/*
 * Asks for the points from the time `from` up to but not including `end` of `n` series, in one request. `found` has
 * `n` members, which the caller frees with ob_rendered_free() unless the call fails.
 */
int ob_render_ask(struct ob_render *r, const char *const *paths, size_t n, int64_t from, int64_t end,
        struct ob_rendered *found, struct ob_err *err);

void ob_rendered_free(struct ob_rendered *found, size_t n);

#endif
