#include "agent/sink/resend_schedule.h"

#include <string.h>

#include "agent/process/clock.h"

void ob_resend_schedule_init(struct ob_resend_schedule *s, int horizon)
{
        *s = (struct ob_resend_schedule) { .part_ms = (int64_t)horizon * 1000 / OB_RESEND_PARTS };
}

void ob_resend_schedule_clear(struct ob_resend_schedule *s)
{
        s->n = 0;
}

void ob_resend_schedule_add(struct ob_resend_schedule *s, int64_t seq)
{
        int64_t now = ob_clock_ms();
        size_t last = s->n - 1;

        if (s->n && s->parts[last].seq >= seq)
                return; /* an earlier run sent the batch and saved the time */
        if (!s->n || (now - s->parts[last].at >= s->part_ms && s->n < OB_RESEND_MOST)) {
                last = s->n++;
                s->parts[last].at = now;
        }
        s->parts[last].seq = seq;
}

int64_t ob_resend_schedule_due(const struct ob_resend_schedule *s, int64_t head_seq)
{
        if (!s->n || s->parts[0].seq > head_seq)
                return INT64_MAX;
        return s->parts[0].at + s->part_ms * (OB_RESEND_PARTS + 1);
}

void ob_resend_schedule_drop_first(struct ob_resend_schedule *s)
{
        s->n--;
        memmove(s->parts, s->parts + 1, s->n * sizeof(*s->parts));
}

void ob_resend_schedule_write(const struct ob_resend_schedule *s, struct ob_bytes *out)
{
        int64_t now = ob_clock_ms(), wall = ob_clock_wall();

        ob_bytes_add_unsigned(out, s->n);
        for (size_t i = 0; i < s->n; i++) {
                ob_bytes_add_unsigned(out, (uint64_t)s->parts[i].seq);
                ob_bytes_add_unsigned(out, (uint64_t)(wall - (now - s->parts[i].at) / 1000));
        }
}

/* Parts that do not fit are corrupt and skipped: their batches are resent once too often. */
void ob_resend_schedule_read(struct ob_resend_schedule *s, struct ob_bytes_reader *from)
{
        int64_t now = ob_clock_ms(), wall = ob_clock_wall();
        uint64_t n, seq, at;

        s->n = 0;
        if (!ob_bytes_read_unsigned(from, &n))
                return;
        for (; n > 0 && ob_bytes_read_unsigned(from, &seq) && ob_bytes_read_unsigned(from, &at); n--) {
                if (s->n == OB_RESEND_MOST)
                        continue;
                if ((int64_t)at > wall)
                        at = (uint64_t)wall;
                s->parts[s->n].seq = (int64_t)seq;
                s->parts[s->n++].at = now - (wall - (int64_t)at) * 1000;
        }
}
