/*
 * A store off a damaged disk: its file with some bytes changed, opened, repaired and used as an agent does. Nothing
 * crashes, and a repair leaves nothing to be repaired.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/store/store.h"
#include "proto/memory.h"
#include "tests/unit/cells.h"

#define FILE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/dev/shm/fuzz-store-XXXXXX"; /* in memory: a disk would be waited for */
static char path[sizeof(dir) + 16];
static unsigned char sound[FILE_MAX];
static size_t length;

static void remove_all(void)
{
        static const char *const names[] = { "otterbeat.db", "otterbeat.db-wal", "otterbeat.db-shm",
                "otterbeat.lock" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                ob_cleanup(ob_free_at) char *file = ob_format("%s/%s", dir, names[i]);

                unlink(file);
        }
}

static void end(void)
{
        remove_all();
        rmdir(dir);
}

static const struct {
        enum ob_store_table table;
        struct ob_value row[OB_ROW_COLUMNS];
} rows[] = {
        { OB_TABLE_TRACKED_ROWS, { T("o"), B("key"), N(7), N(8), N(0) } },
        { OB_TABLE_TRACKED_TOTALS, { T("o"), B("key"), T("column"), N(9) } },
        { OB_TABLE_NAMES, { T("o"), N(1), N(3), N(5), N(0), T("node"), T("one"), T("two") } },
        { OB_TABLE_EVENT_SIGNATURES, { T("o"), T("signature"), N(1), N(2), N(1), N(1), B("event") } },
        { OB_TABLE_EVENT_VALUES, { T("o"), T("tag"), T("value") } },
        { OB_TABLE_PIPELINE_STATES, { T("o"), T("3"), N(2) } },
        { OB_TABLE_SINK_TOTALS, { T("o"), T("name"), N(0), B(""), N(5) } },
        { OB_TABLE_SINK_TOTALS_UPTO, { T("o"), N(2), N(0) } },
};

static void fill(struct ob_store *st)
{
        struct ob_delivery delivery = {
                .acked = 1, .sent_upto = 2, .saved_state = { (unsigned char *)"state", 5, 5 }
        };
        struct ob_bytes key = { (unsigned char *)"key", 3, 3 };
        struct ob_checkpoint checkpoint = { .cursor = 700, .identity = "server otter" };
        struct ob_chunk chunk = { .number = 2, .bits = { 1, 2, 3 } };
        struct ob_err err;
        int got = ob_store_put_delivery(st, "graphite", &delivery, &err) |
                  ob_store_put_checkpoint(st, "delay", &checkpoint, &err) |
                  ob_store_put_chunk(st, "delay", &chunk, &err) | ob_store_put_batch(st, 3, &key, &err) |
                  ob_store_put_batch(st, 4, &key, &err);

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                got |= ob_store_put_row(st, rows[i].table, rows[i].row, &err);

        assert(!got);
}

/* The file of a sound store, made once. */
static void make(void)
{
        struct ob_state_dir place;
        struct ob_err err;
        FILE *f;

        if (!mkdtemp(dir))
                abort();
        atexit(end);
        snprintf(path, sizeof(path), "%s/otterbeat.db", dir);
        if (ob_state_dir_open(&place, dir, &err))
                abort();
        fill(place.anchor);
        ob_state_dir_close(&place);
        f = fopen(path, "re");
        assert(f);
        length = fread(sound, 1, sizeof(sound), f);
        fclose(f);
}

/* Each four bytes of the input change one of the file: where, and how. */
static void corruption(const uint8_t *data, size_t size)
{
        ob_cleanup(ob_free_at) unsigned char *bytes = ob_alloc(length, 1);
        FILE *f = fopen(path, "we");

        assert(f);
        memcpy(bytes, sound, length);
        for (size_t i = 0; i + 4 <= size; i += 4)
                bytes[(data[i] | data[i + 1] << 8 | data[i + 2] << 16) % (int)length] ^= data[i + 3];
        fwrite(bytes, 1, length, f);
        fclose(f);
}

static int take_row(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        (void)ctx;
        (void)err;
        return row[0].type == OB_VALUE_TEXT && !row[0].data ? -1 : 0;
}

static void use(struct ob_store *st)
{
        static const char *const sinks[] = { "graphite" };
        struct ob_stored_batch b = { .seq = 0 };
        struct ob_delivery p = { .acked = 0 };
        struct ob_checkpoint s;
        struct ob_chunk c;
        struct ob_err err;
        int64_t points, bytes;

        while (ob_store_next_batch(st, b.seq, &b, &err) == 1)
                continue;
        ob_bytes_free(&b.body);
        ob_store_get_delivery(st, "graphite", &p, &err);
        ob_bytes_free(&p.saved_state);
        ob_store_get_checkpoint(st, "delay", &s, &err);
        ob_store_get_chunk(st, "delay", 2, &c, &err);
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                ob_store_each_row(st, rows[i].table, "o", take_row, NULL, &err);
        ob_store_keep_sinks(st, sinks, 1, &err);
        ob_store_rewind_source(st, "delay", 5, INT64_MAX, &err);
        ob_store_drop_acked(st, &points, &bytes, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ob_state_dir place;
        struct ob_corruption d;
        struct ob_err err;

        if (!length)
                make();
        remove_all();
        corruption(data, size);
        if (!ob_state_dir_open(&place, dir, &err)) {
                if (!ob_store_repair(place.anchor, &d, &err)) {
                        assert(!ob_store_repair(place.anchor, &d, &err));
                        assert(!*d.first);
                }
                use(place.anchor);
        }
        if (*place.aside)
                unlink(place.aside);
        ob_state_dir_close(&place);
        return 0;
}
