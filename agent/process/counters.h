/*
 * The agent's own counters: one set for each source and each sink. The series agent.* and the status page show
 * them. The thread that owns the source or sink writes its set, any thread reads it.
 */
#ifndef OB_PROCESS_COUNTERS_H
#define OB_PROCESS_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/health.h"

#define OB_READ_UPTO_NOTHING INT64_MIN
#define OB_READ_UPTO_ALL     INT64_MAX

struct ob_source_counters {
        char *name;                /* ours; set before any thread starts */
        _Atomic int64_t poll_ms;   /* how long the last whole poll took */
        _Atomic int64_t polled_at; /* ob_clock_ms() of the last whole poll; before the first poll: of the start */
        _Atomic int64_t rows;      /* rows that were counted */
        /*
         * The time of the newest counted row, in seconds. NOTHING: no row yet; ALL: a source that is read once is
         * done.
         */
        _Atomic int64_t read_upto;
        _Atomic int64_t
                late_rows; /* of the counted rows: those that became visible after a newer row had been counted */
        _Atomic int64_t errors; /* failed polls, and cells that could not be read */
        int64_t every_ms;       /* from poll to poll; this and busy_ms are set before the thread starts */
        int64_t busy_ms;        /* the longest time between two signs of life of its thread during a poll */
        struct ob_health health;
};

struct ob_sink_counters {
        const char *name;
        /* Every point that came in is counted in one of: sent, folded, late, lost, behind. */
        _Atomic int64_t points;    /* points that came in, with those that an earlier run had left */
        _Atomic int64_t sent;      /* delivered */
        _Atomic int64_t folded;    /* delivered as a part of another point, or delivered before */
        _Atomic int64_t late;      /* came too late for their step */
        _Atomic int64_t lost;      /* dropped; the log has the reason of each loss */
        _Atomic int64_t behind;    /* in the queue, and not delivered yet */
        _Atomic int64_t uncertain; /* lost or repeated points: after a crash it is unknown whether they were sent */
        _Atomic int64_t reconnects;
        struct ob_health health;
};

/* Of all sources and sinks that work over one queue. */
struct ob_counters {
        int64_t started;        /* seconds since 1970 */
        char host[256];         /* the name of the agent in its own series: by default that of the machine */
        atomic_bool is_running; /* sources are read, and sinks send */
        _Atomic int64_t queue_points,
                queue_bytes;                /* in the store; the bytes include those that are about to be written */
        struct ob_source_counters *sources; /* ours */
        size_t n_sources;
        struct ob_sink_counters *sinks; /* ours */
        size_t n_sinks;
};

/* All counters are zero. The caller sets the name of each source and sink. */
void ob_counters_init(struct ob_counters *c, size_t n_sources, size_t n_sinks);
void ob_counters_fini(struct ob_counters *c);

/*
 * Work begins, perhaps for another time: totals keep their values, and all that describes a moment begins anew.
 * Points that are still in the store are counted as incoming again.
 */
void ob_counters_begin(struct ob_counters *c);

#endif
