/*
 * The name of a series on each wire. Pure functions; a name that does not fit marks the text as too long. Rules:
 * Graphite's docs/tags.rst, carbon's util.TaggedSeries; the rule for dotted paths is our own.
 */
#ifndef OB_PROTO_NAME_H
#define OB_PROTO_NAME_H

#include <stdbool.h>

#include "proto/metric.h"
#include "proto/text.h"

/*
 * Prefix, then each identity tag and its value, then the name: otter.pipeline.3.delay_ms. In values every byte
 * outside [A-Za-z0-9_-] becomes '_'; an empty value is "none".
 */
void ob_name_dotted(struct ob_text *out, const char *prefix, const struct ob_series *series);

/* The same with the tags' nodes instead of their values: otter.pipeline.orders.delay_ms. */
void ob_name_dotted_by_nodes(struct ob_text *out, const char *prefix, const struct ob_series *series);

/* The mark of our events, which have no name: the prefix, or "otterbeat" when there is no prefix. */
const char *ob_name_mark(const char *prefix);

/* otter.delay_ms: prefix and name alone, for wires that carry the tags elsewhere. */
void ob_name_bare(struct ob_text *out, const char *prefix, const struct ob_series *series);

/*
 * otter.delay_ms;channel=shop;pipeline=3: all tags in order of their keys, since relays hash the
 * text as it comes. Values are ASCII without ';' and blanks, and do not begin with '~'. The key "name" is the
 * metric's own, so a tag of that key is called "name_".
 */
void ob_name_tagged(struct ob_text *out, const char *prefix, const struct ob_series *series);

/* The same with up to OB_TAGS_MORE_MAX more tags; a series' own tag with the same key wins. */
void ob_name_tagged_with(struct ob_text *out, const char *prefix, const struct ob_series *series,
        const struct ob_tag *more, unsigned n_more);

/*
 * Whether `path` is a name of this metric with these identity tags; an empty value matches every value. In a tagged
 * name only tags with a value are compared.
 */
bool ob_name_is_dotted_of(const char *path, const char *prefix, const struct ob_series *series);
bool ob_name_is_tagged_of(const char *path, const char *prefix, const struct ob_series *series);

/* Whether `path` is the name of a series with this tag; in a dotted name the tag must be the first one. */
bool ob_name_is_dotted_under(const char *path, const char *prefix, const struct ob_tag *tag);
bool ob_name_is_tagged_with(const char *path, const struct ob_tag *tag);

/* [A-Za-z0-9_-]: the characters of a node in a dotted path. */
bool ob_name_is_node_char(char c);

#endif
