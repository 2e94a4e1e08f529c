#include "agent/verify/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/terminal.h"
#include "agent/source/rewind.h"
#include "proto/date.h"
#include "proto/memory.h"
#include "proto/number.h"

#define SHOWN 5 /* steps that differ, in a line for people */

/* Why a series differs: a word for machines, and the likely reason. */
struct reason {
        const char *word, *text;
};

static const struct reason by_cause[OB_CAUSES] = {
        [OB_CAUSE_BEFORE] = { "before",
                "Graphite keeps no point of this time: the retention in storage-schemas.conf is "
                "shorter, or the series begins later" },
        [OB_CAUSE_LEADING] = { "begins_late", "the series begins late in Graphite: carbon created its file late "
                                              "(MAX_CREATES_PER_MINUTE), or the agent began later" },
        [OB_CAUSE_MISSING] = { "missing",
                "Graphite has no value: the points got lost on their way, or the agent did not run, or it is behind; "
                "otterbeat replay sends them again" },
        [OB_CAUSE_PURGED] = { "purged",
                "the rows were purged: the oldest row of the table is newer than these steps" },
        [OB_CAUSE_NO_ROWS] = { "no_rows",
                "the table has no row: rows were deleted, or another sender writes this series" },
        [OB_CAUSE_TWICE] = { "more",
                "the value in Graphite is larger than the value from the rows: rows were deleted, or another sender writes this "
                "series, or the receiver adds what is sent again" },
        [OB_CAUSE_MORE] = { "more",
                "the value in Graphite is larger than the value from the rows: rows were deleted, or another sender writes this "
                "series, or the receiver adds what is sent again" },
        [OB_CAUSE_LESS] = { "less",
                "the value in Graphite is smaller than the value from the rows: a later value was overwritten, or rows came too late "
                "(agent.late)" },
};

static const struct reason absent = { "absent",
        "Graphite has no such series: carbon has not created its file (MAX_CREATES_PER_MINUTE), or refuses it, or the "
        "series is not indexed (tags), or nothing was sent" };
static const struct reason not_asked = { "not_asked",
        "a tag has a quote or a backslash, so Graphite can't be asked" };
static const struct reason aggregated = { "aggregated",
        "Graphite aggregates: the step that it answers with is longer than the sink's step, so the first retention in "
        "storage-schemas.conf is not the sink's step, or covers less than this time" };
static const struct reason appends = { "appends",
        "each step has at least twice the amount: the receiver adds up, or keeps, what is sent again for a step; set "
        "receiver = \"append\" in this sink" };

static bool is_aggregated(const struct ob_compare *c, const struct ob_compared *s)
{
        return s->width > c->sink->step;
}

/* A receiver that appends has more in every step that has something. */
static bool is_appended(const struct ob_compared *s)
{
        return s->by[OB_CAUSE_TWICE] && !s->equal_positive && s->by[OB_CAUSE_TWICE] == s->differ;
}

/* The reason that explains all steps of a series; NULL: there is none. */
static const struct reason *find_whole(const struct ob_compare *c, const struct ob_compared *s)
{
        if (!s->was_asked)
                return &not_asked;
        if (!s->is_found)
                return &absent;
        if (is_aggregated(c, s))
                return &aggregated;
        return is_appended(s) ? &appends : NULL;
}

/* How many steps differ for the reason of a cause. Causes with one reason stand next to each other. */
static int64_t count_cause(const struct ob_compared *s, enum ob_cause cause)
{
        if (cause == OB_CAUSE_TWICE)
                return 0;
        return s->by[cause] + (cause == OB_CAUSE_MORE ? s->by[OB_CAUSE_TWICE] : 0);
}

static void print_amount(const struct ob_amount *a)
{
        char text[OB_NUMBER_MAX];

        if (a->is_there)
                printf("%.*s", (int)ob_number_format(text, a->value), text);
        else
                fputs("nothing", stdout);
}

static void print_pair(const struct ob_amount *tables, const struct ob_amount *graphite)
{
        fputs("tables ", stdout);
        print_amount(tables);
        fputs(", Graphite ", stdout);
        print_amount(graphite);
}

static void print_steps(const struct ob_compared *s)
{
        char date[OB_DATE_MAX];
        size_t n = s->n_examples < SHOWN ? s->n_examples : SHOWN;

        for (size_t i = 0; i < n; i++) {
                printf("; %s ", ob_date_format(date, s->examples[i].time, ' '));
                print_pair(&s->examples[i].tables, &s->examples[i].graphite);
        }
        if (s->differ > (int64_t)n)
                printf("; %lld more steps differ, the last one at %s", (long long)(s->differ - (int64_t)n),
                        ob_date_format(date, s->last, ' '));
}

static void print_reasons(const struct ob_compare *c, const struct ob_compared *s)
{
        const struct reason *whole = find_whole(c, s);
        const char *before = "likely reason: ";

        if (whole == &aggregated)
                printf("; steps of %lld s instead of %d s", (long long)s->width, c->sink->step);
        fputs("; ", stdout);
        if (whole)
                printf("%s%s", before, whole->text);
        for (enum ob_cause cause = 0; !whole && cause < OB_CAUSES; cause++) {
                int64_t n = count_cause(s, cause);

                if (!n)
                        continue;
                if (n == s->differ)
                        printf("%s%s", before, by_cause[cause].text);
                else
                        printf("%s%s (%lld of the steps)", before, by_cause[cause].text, (long long)n);
                before = "; ";
        }
}

static const char *const kinds[OB_KINDS] = {
        [OB_COUNTER] = "sum", [OB_GAUGE] = "newest", [OB_GAUGE_MAX] = "largest"
};

static void print_series(const struct ob_compare *c, const struct ob_compared *s)
{
        const char *kind = kinds[s->column->pattern.kind];

        if (ob_compared_is_equal(s)) {
                printf("equal   %s: %lld steps", s->path, (long long)s->steps);
                if (is_aggregated(c, s))
                        printf(" of %lld s", (long long)s->width);
                printf(", %s ", kind);
                print_amount(&s->tables);
        } else {
                printf("DIFFERS %s: %lld of %lld steps, %s: ", s->path, (long long)s->differ, (long long)s->steps,
                        kind);
                print_pair(&s->tables, &s->graphite);
                print_steps(s);
                print_reasons(c, s);
        }
        putchar('\n');
}

static json_t *amount_json(const struct ob_amount *a)
{
        if (!a->is_there)
                return json_null();
        return a->value.is_real ? json_real(a->value.real) : json_integer(a->value.whole);
}

static json_t *reason_json(const struct reason *reason, int64_t steps)
{
        return json_pack("{ss sI ss}", "reason", reason->word, "steps", (json_int_t)steps, "text", reason->text);
}

static json_t *reasons_json(const struct ob_compare *c, const struct ob_compared *s)
{
        const struct reason *whole = ob_compared_is_equal(s) ? NULL : find_whole(c, s);
        json_t *all = json_array();

        if (whole)
                json_array_append_new(all, reason_json(whole, s->differ));
        for (enum ob_cause cause = 0; !whole && cause < OB_CAUSES; cause++)
                if (count_cause(s, cause))
                        json_array_append_new(all, reason_json(&by_cause[cause], count_cause(s, cause)));
        return all;
}

static json_t *steps_json(const struct ob_compared *s)
{
        json_t *all = json_array();

        for (size_t i = 0; i < s->n_examples; i++)
                json_array_append_new(all, json_pack("{sI so so}", "time", (json_int_t)s->examples[i].time,
                                                   "tables", amount_json(&s->examples[i].tables), "graphite",
                                                   amount_json(&s->examples[i].graphite)));
        return all;
}

static void print_json(json_t *object)
{
        json_dumpf(object, stdout, JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(object);
}

static void print_series_json(const struct ob_compare *c, const struct ob_compared *s)
{
        json_t *object = json_pack("{ss sb ss sI sI so so sI so so}", "series", s->path, "is_equal",
                ob_compared_is_equal(s), "kind", kinds[s->column->pattern.kind], "steps", (json_int_t)s->steps,
                "steps_that_differ", (json_int_t)s->differ, "tables", amount_json(&s->tables), "graphite",
                amount_json(&s->graphite), "graphite_step", (json_int_t)s->width, "reasons", reasons_json(c, s),
                "differences", steps_json(s));

        print_json(object);
}

/* The next enabled source whose points can't be made again from its table; NULL: there is no further one. */
static const struct ob_source *next_unkept(const struct ob_config *c, size_t *i)
{
        while (*i < c->n_sources) {
                const struct ob_source *s = &c->sources[(*i)++];

                if (s->enabled && !ob_rewind_has_history(s))
                        return s;
        }
        return NULL;
}

struct counts {
        size_t series, equal;
        int64_t left_out;
};

static void print_summary(const struct ob_verify_report *r, const struct counts *n)
{
        const struct ob_compare *c = r->compare;
        char since[OB_DATE_MAX], until[OB_DATE_MAX];
        const struct ob_source *s;
        const char *before = "not compared, since no table keeps what was sent: ";
        size_t i = 0;

        if (r->collect->left_out[OB_LOSS_LATE])
                printf("%lld points are not compared: they came after their steps were closed, so no agent sends them (the first "
                       "one belongs to %s)\n",
                        (long long)r->collect->left_out[OB_LOSS_LATE], r->collect->first[OB_LOSS_LATE]);
        if (n->left_out > r->collect->left_out[OB_LOSS_LATE])
                printf("%lld more points have names or times that carbon can't keep\n",
                        (long long)(n->left_out - r->collect->left_out[OB_LOSS_LATE]));
        while ((s = next_unkept(r->config, &i))) {
                printf("%s%s", before, s->name);
                if (s->kind == OB_SOURCE_TABLE && ob_source_shape(s) == OB_SHAPE_STATE)
                        printf(" (%s changes in place)", s->table);
                before = ", ";
        }
        if (*before == ',')
                putchar('\n');
        printf("%zu series from %s up to %s (UTC), sink %s: %zu equal, %zu differ\n", n->series,
                c->since == INT64_MIN ? "the oldest row" : ob_date_format(since, c->since, ' '),
                ob_date_format(until, c->until, ' '), c->sink->name, n->equal, n->series - n->equal);
}

static void print_summary_json(const struct ob_verify_report *r, const struct counts *n)
{
        const struct ob_compare *c = r->compare;
        json_t *unkept = json_array();
        const struct ob_source *s;
        size_t i = 0;

        while ((s = next_unkept(r->config, &i)))
                json_array_append_new(unkept, json_string(s->name));
        print_json(json_pack("{s{ss so sI sI sI sI so}}", "summary", "sink", c->sink->name, "since",
                c->since == INT64_MIN ? json_null() : json_integer(c->since), "until", (json_int_t)c->until,
                "equal", (json_int_t)n->equal, "differ", (json_int_t)(n->series - n->equal), "left_out",
                (json_int_t)n->left_out, "not_compared", unkept));
}

bool ob_verify_report(const struct ob_verify_report *r)
{
        const struct ob_compared *s, *next;
        struct counts n = { .series = 0 };

        HASH_ITER (hh, r->compare->series, s, next) {
                n.series++;
                n.equal += ob_compared_is_equal(s);
                (r->is_json ? print_series_json : print_series)(r->compare, s);
        }
        for (size_t i = 0; i < OB_LOSSES; i++)
                n.left_out += r->collect->left_out[i];
        (r->is_json ? print_summary_json : print_summary)(r, &n);
        return n.equal == n.series && !n.left_out;
}
