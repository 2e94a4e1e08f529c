/*
 * What the agent counts of itself: one set per source and per sink, told as agent.* and by the
 * status. Written by the thread that owns the source or sink, read by any.
 */
#ifndef OB_PROCESS_COUNTERS_H
#define OB_PROCESS_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/health.h"

#define OB_READ_UPTO_NOTHING INT64_MIN
#define OB_READ_UPTO_ALL     INT64_MAX

struct ob_source_counters {
        char *name;                /* ours; set before any thread starts */
        _Atomic int64_t poll_ms;   /* of the last whole poll */
        _Atomic int64_t polled_at; /* ob_clock_ms() of the last whole poll, at first: of the start */
        _Atomic int64_t rows;      /* counted rows */
        _Atomic int64_t
                read_upto; /* the latest time of a counted row, seconds; NOTHING; ALL: of what is read once */
        _Atomic int64_t late_rows; /* … of which became visible after a newer one had been counted */
        _Atomic int64_t errors;    /* failed polls, and cells that could not be read */
        int64_t every_ms;          /* from poll to poll; set before its thread starts, as is … */
        int64_t busy_ms;           /* the longest from one sign of life to the next while it polls */
        struct ob_health health;
};

struct ob_sink_counters {
        const char *name;
        /* Every point that came in is one of: sent, folded, late, lost, behind. */
        _Atomic int64_t points;    /* that came in, also those that an earlier run had left */
        _Atomic int64_t sent;      /* delivered */
        _Atomic int64_t folded;    /* delivered as a part of another one, or not for this sink: it had it before */
        _Atomic int64_t late;      /* too late for their step */
        _Atomic int64_t lost;      /* given up, each with its reason in the log */
        _Atomic int64_t behind;    /* in the queue, not delivered yet */
        _Atomic int64_t uncertain; /* of the lost or repeated ones: a crash left in doubt whether they went out */
        _Atomic int64_t reconnects;
        struct ob_health health;
};

struct ob_counters {
        int64_t started; /* seconds since 1970 */
        char host[256];
        atomic_size_t reading;              /* workers that are not done */
        struct ob_source_counters *sources; /* ours */
        size_t n_sources;
        struct ob_sink_counters *sinks; /* ours */
        size_t n_sinks;
};

/* All zero, with room for so many; the names are filled in by whoever owns the source or sink. */
void ob_counters_init(struct ob_counters *c, size_t n_sources, size_t n_sinks);
void ob_counters_fini(struct ob_counters *c);

#endif
