/* A fold off a damaged disk: it is refused, or goes on as a fold that was made here would. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/sink/fold.h"
#include "proto/memory.h"
#include "proto/number.h"

#define STEP 60
#define KEEP 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct given {
        struct ob_fold *fold;
        unsigned n;
        uint64_t bytes;
};

static void note(void *ctx, const struct ob_fold_value *v)
{
        struct given *g = ctx;

        assert(v->path[v->length] == '\0' && strlen(v->path) == v->length);
        g->bytes += v->length;
        g->n++;
}

static void add(struct ob_fold *f, enum ob_kind kind, int64_t time)
{
        const struct ob_series series = { .kind = kind };
        const struct ob_metric m = { &series, time, ob_whole(INT64_MAX) };

        ob_fold_add(f, ob_fold_find(f, "a", 1), &m, true);
}

/* What is written is read, and then written as the same bytes. */
static void write_twice(struct ob_fold *f, struct ob_fold *other)
{
        struct ob_bytes once = { .length = 0 }, again = { .length = 0 };

        ob_fold_write(f, &once);
        if (ob_fold_read(other, once.data, once.length)) {
                ob_fold_write(other, &again);
                assert(once.length == again.length && !memcmp(once.data, again.data, once.length));
        }
        ob_bytes_free(&once);
        ob_bytes_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct given given = { .n = 0 }, ignored = { .n = 0 };
        struct ob_fold *f = ob_fold_new(STEP, KEEP, note, &given), *other = ob_fold_new(STEP, KEEP, note, &ignored);

        if (ob_fold_read(f, data, size)) {
                write_twice(f, other);
                ob_fold_assign(other, f);
                for (enum ob_kind kind = 0; kind < OB_KINDS; kind++) {
                        add(other, kind, 1587312000);
                        add(f, kind, 1587312000 - KEEP);
                }
                ob_fold_flush(f, other);
                ob_fold_forget_idle(f, 90000, 86400, 0);
                ob_fold_flush(f, NULL);
                given.n = 0;
                ob_fold_flush(f, NULL);
                assert(given.n == 0);
        }
        ob_fold_flush(other, NULL);
        ob_fold_free(f);
        ob_fold_free(other);
        return 0;
}
