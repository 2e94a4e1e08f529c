#include "agent/process/counters.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

void ob_counters_init(struct ob_counters *c, size_t n_sources, size_t n_sinks)
{
        *c = (struct ob_counters) { .started = ob_clock_wall(), .n_sources = n_sources, .n_sinks = n_sinks };
        c->sources = ob_alloc(n_sources, sizeof(*c->sources));
        c->sinks = ob_alloc(n_sinks, sizeof(*c->sinks));
        for (size_t i = 0; i < n_sources; i++)
                ob_health_init(&c->sources[i].health);
        for (size_t i = 0; i < n_sinks; i++)
                ob_health_init(&c->sinks[i].health);
        if (gethostname(c->host, sizeof(c->host) - 1))
                c->host[0] = '\0';
        ob_counters_begin(c);
}

void ob_counters_begin(struct ob_counters *c)
{
        for (size_t i = 0; i < c->n_sources; i++) {
                atomic_store(&c->sources[i].polled_at, ob_clock_ms());
                atomic_store(&c->sources[i].read_upto, OB_READ_UPTO_NOTHING);
                ob_health_begin(&c->sources[i].health);
        }
        for (size_t i = 0; i < c->n_sinks; i++) {
                c->sinks[i].points -= c->sinks[i].behind;
                c->sinks[i].behind = 0;
                ob_health_begin(&c->sinks[i].health);
        }
}

void ob_counters_fini(struct ob_counters *c)
{
        for (size_t i = 0; i < c->n_sources; i++) {
                ob_health_fini(&c->sources[i].health);
                free(c->sources[i].name);
        }
        for (size_t i = 0; i < c->n_sinks; i++)
                ob_health_fini(&c->sinks[i].health);
        free(c->sources);
        free(c->sinks);
}
