#include "agent/cluster/split.h"

#include <string.h>

#include "agent/sink/sink.h"
#include "agent/store/row.h"
#include "proto/batch.h"
#include "proto/bytes.h"
#include "proto/memory.h"
#include "proto/name.h"

#define NOBODY SIZE_MAX

struct split {
        const struct ob_config *config;
        struct ob_lease *leases;
        struct ob_store *from, *to;
        struct ob_copied *done;
        const struct ob_sink_settings *sink; /* whose rows are being divided */
};

/* The manager of a name; NOBODY: the config has none of this name. */
static size_t find(const struct split *s, const char *name, size_t length)
{
        for (size_t i = 0; i < s->config->n_managers; i++)
                if (strlen(s->config->managers[i].name) == length &&
                        !strncmp(s->config->managers[i].name, name, length))
                        return i;
        return NOBODY;
}

/* The manager is the first tag, if there is one. */
static size_t find_by_tag(const struct split *s, const char *key, const char *value)
{
        return strcmp(key, "manager") ? NOBODY : find(s, value, strlen(value));
}

static int turn(const struct split *s, size_t manager, struct ob_err *err)
{
        return ob_store_turn(s->to, &s->leases[manager == NOBODY ? 0 : manager], err);
}

static int turn_by_row(void *ctx, enum ob_store_table table, const struct ob_value *row, struct ob_err *err)
{
        const struct split *s = ctx;
        const char *name = row[0].data, *end = table == OB_TABLE_NAMES ? name + row[0].length : strchr(name, '/');

        return turn(s, end ? find(s, name, (size_t)(end - name)) : NOBODY, err);
}

/* Notes the manager of one more series or event of a batch. False: the batch has another one, too. */
static bool is_same(const struct split *s, unsigned n_tags, const struct ob_tag *tags, size_t *manager)
{
        size_t found = n_tags ? find_by_tag(s, tags[0].key, tags[0].value) : NOBODY;

        if (*manager == NOBODY)
                *manager = found;
        return found == NOBODY || found == *manager;
}

/* A batch that a repair has emptied is of nobody. */
static int find_by_batch(
        const struct split *s, int64_t seq, const void *body, size_t length, size_t *manager, struct ob_err *err)
{
        struct ob_batch_reader r;
        struct ob_event e;
        bool is_one = true;

        *manager = NOBODY;
        if (ob_batch_open(&r, body, length)) {
                for (unsigned i = 0; i < r.n_series && is_one; i++)
                        is_one = is_same(s, r.series[i].n_identity, r.series[i].tags, manager);
                while (is_one && ob_batch_next_event(&r, &e) == 1)
                        is_one = is_same(s, e.n_tags, e.tags, manager);
        }
        ob_batch_close(&r);
        return is_one ? 0 : ob_fail(err, "batch %lld has points of several managers", (long long)seq);
}

static int turn_by_batch(void *ctx, int64_t seq, const void *body, size_t length, struct ob_err *err)
{
        const struct split *s = ctx;
        size_t manager;

        return find_by_batch(s, seq, body, length, &manager, err) ? -1 : turn(s, manager, err);
}

/* One manager's part of the position of a sink. */
struct part {
        const struct split *split;
        size_t manager;
};

static bool is_path_of(const struct split *s, size_t manager, const char *path)
{
        const struct ob_tag tag = { "manager", s->config->managers[manager].name, NULL };

        return s->sink->tagged ? ob_name_is_tagged_with(path, &tag)
                               : ob_name_is_dotted_under(path, s->config->prefix, &tag);
}

static bool is_other(void *ctx, const char *path)
{
        const struct part *p = ctx;

        if (p->manager)
                return !is_path_of(p->split, p->manager, path);
        for (size_t i = 1; i < p->split->config->n_managers; i++)
                if (is_path_of(p->split, i, path))
                        return true;
        return false;
}

/* The manager of the first batch after `acked`; the first manager when there is no such batch. */
static int find_next(const struct split *s, int64_t acked, size_t *manager, struct ob_err *err)
{
        struct ob_stored_batch batch = { .seq = 0 };
        int got = ob_store_next_batch(s->from, acked, &batch, err);

        *manager = NOBODY;
        if (got == 1)
                got = find_by_batch(s, batch.seq, batch.body.data, batch.body.length, manager, err);
        if (!got && *manager == NOBODY)
                *manager = 0;
        ob_stored_batch_free(&batch);
        return got;
}

static int divide_position(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct split *s = ctx;
        size_t next;
        int got = find_next(s, row[1].number, &next, err);

        for (size_t i = 0; i < s->config->n_managers && !got; i++) {
                struct part part = { s, i };
                const struct ob_sink_part of = { .is_other = is_other, .ctx = &part, .has_next = i == next };
                struct ob_delivery d = { .acked = row[1].number, .sent_upto = row[2].number };

                ob_bytes_add(&d.saved_state, row[3].data, row[3].length);
                got = ob_sink_divide(s->sink, &of, &d, err) || turn(s, i, err) ||
                                      ob_store_put_delivery(s->to, s->sink->name, &d, err)
                              ? -1
                              : 0;
                ob_bytes_free(&d.saved_state);
                s->done->rows++;
        }
        return got;
}

static int divide_total(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct split *s = ctx;
        struct ob_bytes_reader tags = { row[3].data, (const unsigned char *)row[3].data + row[3].length };
        const char *key, *value;
        size_t manager = NOBODY;

        if (row[2].number > 0 && ob_bytes_read_string(&tags, &key) && ob_bytes_read_string(&tags, &value))
                manager = find_by_tag(s, key, value);
        s->done->rows++;
        return turn(s, manager, err) ? -1 : ob_store_put_row(s->to, OB_TABLE_SINK_TOTALS, row, err);
}

/* Which batches the totals have is the same for each manager. */
static int copy_upto(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct split *s = ctx;

        for (size_t i = 0; i < s->config->n_managers; i++, s->done->rows++)
                if (turn(s, i, err) || ob_store_put_row(s->to, OB_TABLE_SINK_TOTALS_UPTO, row, err))
                        return -1;
        return 0;
}

/* A sink that the config does not have is left out: the agent would forget it at its start. */
static int divide_sinks(struct split *s, struct ob_err *err)
{
        for (size_t i = 0; i < s->config->n_sinks; i++) {
                const char *name = s->config->sinks[i].name;

                s->sink = &s->config->sinks[i];
                if (ob_store_each_row(s->from, OB_TABLE_SINKS, name, divide_position, s, err) ||
                        ob_store_each_row(s->from, OB_TABLE_SINK_TOTALS, name, divide_total, s, err) ||
                        ob_store_each_row(s->from, OB_TABLE_SINK_TOTALS_UPTO, name, copy_upto, s, err))
                        return -1;
        }
        return 0;
}

int ob_split(const struct ob_config *config, struct ob_lease *leases, struct ob_store *from, struct ob_store *to,
        struct ob_copied *done, struct ob_err *err)
{
        struct split s = { .config = config, .leases = leases, .from = from, .to = to, .done = done };
        const struct ob_copy_turns turns = { turn_by_row, turn_by_batch, &s };

        if (ob_store_copy_divided(from, to, &turns, done, err))
                return -1;
        if (done->corrupt)
                return 0;
        for (size_t i = 0; i < config->n_managers; i++)
                if (turn(&s, i, err) || ob_store_copy_last_number(from, to, err))
                        return -1;
        return divide_sinks(&s, err);
}
