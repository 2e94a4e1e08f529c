/* A batch off a damaged disk: whatever the bytes are, what comes out of them can be used. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/dogstatsd.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/number.h"
#include "proto/statsd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ob_tag more[] = { { "env", "prod" }, { "flag", NULL } };
static const struct ob_dog dog = { "o", more, 2, "ci-x" };

/* Each line is one, whatever is in it: a newline ends it and stands nowhere else. */
static void assert_lines(const struct ob_text *t, size_t lines)
{
        size_t n = 0;

        for (size_t i = 0; i < t->length; i++)
                n += t->data[i] == '\n';
        assert(t->too_long || (n == lines && (!n || t->data[t->length - 1] == '\n')));
}

static bool is_sound(const char *name)
{
        return !strpbrk(name, "\n");
}

/* Writes it in every way that a sink does. */
static void use(const struct ob_metric *m)
{
        char room[512];
        struct ob_text t = ob_text_over(room, sizeof(room));

        ob_statsd_plain(&t, "o", m);
        ob_text_reset(&t, 0);
        ob_statsd_plain_by_nodes(&t, "o", m);
        ob_text_reset(&t, 0);
        ob_dog_metric(&t, &dog, m);
        if (is_sound(m->series->name))
                assert_lines(&t, 1);
        ob_text_reset(&t, 0);
        ob_name_tagged_with(&t, "o", m->series, more, 2);
}

static void use_event(const struct ob_event *e)
{
        static const size_t rooms[] = { 0, 64, 100, 1432, 8192 };
        char room[8192];

        for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
                struct ob_text t = ob_text_over(room, rooms[i]);

                ob_dog_event(&t, &dog, e);
                if (is_sound(e->signature))
                        assert_lines(&t, *e->title != '\0');
                ob_text_reset(&t, 0);
                ob_dog_check(&t, &dog, e);
                if (is_sound(e->check))
                        assert_lines(&t, *e->check != '\0');
        }
}

/* What was read is written, and read again. */
static void assert_same(const struct ob_metric *m, unsigned number, struct ob_batch_reader *again)
{
        struct ob_metric other;
        unsigned other_number;
        int got = ob_batch_next(again, &other, &other_number);

        assert(got == 1);
        assert(other.time == m->time && !ob_number_compare(other.value, m->value));
        assert(!strcmp(other.series->name, m->series->name) && other.series->n_tags == m->series->n_tags);
        assert(number < OB_BATCH_POINTS && other_number < OB_BATCH_POINTS);
}

static void assert_same_events(struct ob_batch_reader *r, struct ob_batch_reader *again)
{
        struct ob_event e, other;

        while (ob_batch_next_event(r, &e) == 1) {
                assert(ob_batch_next_event(again, &other) == 1);
                assert(e.time == other.time && e.alert == other.alert && e.status == other.status);
                assert(!strcmp(e.text, other.text) && !strcmp(e.title, other.title) && e.n_tags == other.n_tags);
        }
        assert(ob_batch_next_event(again, &other) == 0);
}

static void read_again(const uint8_t *data, size_t size, const struct ob_bytes *blob)
{
        struct ob_batch_reader r, again;
        struct ob_metric m;
        unsigned number;

        if (ob_batch_open(&r, data, size) && ob_batch_open(&again, blob->data, blob->length)) {
                while (ob_batch_next(&r, &m, &number) == 1)
                        assert_same(&m, number, &again);
                assert(ob_batch_next(&again, &m, &number) == 0);
                assert_same_events(&r, &again);
                ob_batch_close(&again);
        }
        ob_batch_close(&r);
}

/* Differences of times that fit as they were read may not fit as they are written: those are not written. */
static bool is_of_this_world(const struct ob_metric *m)
{
        return m->time > INT64_MIN / 4 && m->time < INT64_MAX / 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ob_batch *b = ob_batch_new();
        struct ob_batch_reader r;
        struct ob_metric m;
        struct ob_event e;
        unsigned number;
        bool whole = true;

        if (ob_batch_open(&r, data, size)) {
                ob_batch_start(b, r.made);
                while (ob_batch_next(&r, &m, &number) == 1) {
                        use(&m);
                        whole &= is_of_this_world(&m);
                        if (whole)
                                ob_batch_add(b, &m);
                }
                while (ob_batch_next_event(&r, &e) == 1) {
                        use_event(&e);
                        ob_batch_add_event(b, &e);
                }
                if (whole)
                        read_again(data, size, ob_batch_blob(b));
        }
        ob_batch_close(&r);
        ob_batch_free(b);
        return 0;
}
