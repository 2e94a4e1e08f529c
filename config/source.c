#include "config/source.h"

#include <stddef.h>

#include "proto/metric.h"

const struct ob_role_facts ob_roles[OB_ROLES] = {
        [OB_CURSOR] = { .word = "cursor", .is_number = true, .at_most_one = true },
        [OB_SETTLED] = { .word = "settled", .is_time = true, .at_most_one = true },
        [OB_TIME] = { .word = "time", .is_time = true, .at_most_one = true },
        [OB_MADE] = { .word = "made", .is_time = true, .at_most_one = true },
        [OB_KEY] = { .word = "key", .is_tag = true },
        [OB_ENUM] = { .word = "enum", .is_tag = true },
        [OB_LABEL] = { .word = "label", .is_tag = true },
        [OB_VALUE] = { .word = "value", .is_metric = true, .kind = OB_GAUGE, .is_number = true },
        [OB_PEAK] = { .word = "peak", .is_metric = true, .kind = OB_GAUGE_MAX, .is_number = true },
        [OB_INCREMENT] = { .word = "increment", .is_metric = true, .kind = OB_COUNTER, .is_number = true },
        [OB_TOTAL] = { .word = "total", .is_metric = true, .kind = OB_COUNTER, .is_number = true },
        [OB_COUNT] = { .word = "count", .is_metric = true, .kind = OB_COUNTER },
        [OB_AGE] = { .word = "age", .is_metric = true, .kind = OB_GAUGE, .is_time = true, .at_most_one = true },
        [OB_EVENT] = { .word = "event", .at_most_one = true },
        [OB_FACT] = { .word = "fact", .is_number = true },
};

static unsigned count(const struct ob_source *s, enum ob_role role)
{
        unsigned n = 0;

        for (unsigned i = 0; i < s->n_columns; i++)
                n += s->columns[i].role == role;
        return n;
}

enum ob_shape ob_source_shape(const struct ob_source *s)
{
        if (count(s, OB_AGE))
                return OB_SHAPE_NEWEST;
        if (count(s, OB_TOTAL) || !count(s, OB_CURSOR))
                return OB_SHAPE_STATE;
        return OB_SHAPE_LOG;
}

int ob_source_find(const struct ob_source *s, enum ob_role role)
{
        for (unsigned i = 0; i < s->n_columns; i++)
                if (s->columns[i].role == role)
                        return (int)i;
        return -1;
}

/* Roles that a source of a shape cannot have, and why. */
static const struct {
        enum ob_shape shape;
        enum ob_role role;
        const char *why;
} misfits[] = {
        { OB_SHAPE_NEWEST, OB_VALUE, "put the age into a source of its own" },
        { OB_SHAPE_NEWEST, OB_PEAK, "put the age into a source of its own" },
        { OB_SHAPE_NEWEST, OB_INCREMENT, "put the age into a source of its own" },
        { OB_SHAPE_NEWEST, OB_TOTAL, "put the age into a source of its own" },
        { OB_SHAPE_NEWEST, OB_COUNT, "put the age into a source of its own" },
        { OB_SHAPE_NEWEST, OB_LABEL, "the newest time of each key is all that is read for an age" },
        { OB_SHAPE_NEWEST, OB_CURSOR, "the newest time of each key is all that is read for an age" },
        { OB_SHAPE_NEWEST, OB_TIME, "the newest time of each key is all that is read for an age" },
        { OB_SHAPE_NEWEST, OB_SETTLED, "the newest time of each key is all that is read for an age" },
        { OB_SHAPE_NEWEST, OB_MADE, "the newest time of each key is all that is read for an age" },
        { OB_SHAPE_NEWEST, OB_EVENT, "put the age into a source of its own" },
        { OB_SHAPE_STATE, OB_EVENT, "only rows with a cursor, and without totals, can be sent once as events" },
        { OB_SHAPE_STATE, OB_INCREMENT, "only rows with a cursor, and without totals, can be counted once" },
        { OB_SHAPE_STATE, OB_COUNT, "only rows with a cursor, and without totals, can be counted once" },
};

int ob_source_check(const struct ob_source *s, struct ob_err *err)
{
        unsigned metrics = 0, tags = 0;
        enum ob_shape shape = ob_source_shape(s);

        for (unsigned i = 0; i < s->n_columns; i++) {
                metrics += ob_roles[s->columns[i].role].is_metric;
                tags += ob_roles[s->columns[i].role].is_tag;
        }
        if (!metrics)
                return ob_fail(err,
                        "source \"%s\" has no metric: give a column the role value, peak, "
                        "increment, total, count or age",
                        s->name);
        if (tags >= OB_TAGS_MAX)
                return ob_fail(err, "source \"%s\" has more than %d tags", s->name, OB_TAGS_MAX - 1);
        for (enum ob_role r = 0; r < OB_ROLES; r++)
                if (ob_roles[r].at_most_one && count(s, r) > 1)
                        return ob_fail(
                                err, "source \"%s\" has several columns of role \"%s\"", s->name, ob_roles[r].word);
        for (size_t i = 0; i < sizeof(misfits) / sizeof(*misfits); i++)
                if (misfits[i].shape == shape && count(s, misfits[i].role))
                        return ob_fail(err, "source \"%s\" cannot have a column of role \"%s\": %s", s->name,
                                ob_roles[misfits[i].role].word, misfits[i].why);
        return 0;
}
