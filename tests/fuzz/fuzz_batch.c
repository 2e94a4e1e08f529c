/* A batch off a damaged disk: whatever the bytes are, what comes out of them can be used. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/number.h"
#include "proto/statsd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes it in every way that a sink does. */
static void use(const struct ob_metric *m)
{
        char room[512];
        struct ob_text t = ob_text_over(room, sizeof(room));

        ob_statsd_plain(&t, "o", m);
        ob_text_reset(&t, 0);
        ob_statsd_plain_by_nodes(&t, "o", m);
        ob_text_reset(&t, 0);
        ob_statsd_dog(&t, "o", m);
        ob_text_reset(&t, 0);
        ob_name_tagged(&t, "o", m->series);
}

/* What was read is written, and read again. */
static void assert_same(const struct ob_metric *m, unsigned number, struct ob_batch_reader *again)
{
        struct ob_metric other;
        unsigned other_number;
        int got = ob_batch_next(again, &other, &other_number);

        assert(got == 1);
        assert(other.time == m->time && other.value == m->value);
        assert(!strcmp(other.series->name, m->series->name) && other.series->n_tags == m->series->n_tags);
        assert(number < OB_BATCH_POINTS && other_number < OB_BATCH_POINTS);
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
                if (whole)
                        read_again(data, size, ob_batch_blob(b));
        }
        ob_batch_close(&r);
        ob_batch_free(b);
        return 0;
}
