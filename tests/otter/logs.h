/*
 * What managers write into LOG_RECORD: the rule monitors' rounds, the alarms of nodes, and the
 * managers' own doings, in the words of the real ones.
 */
#ifndef FO_LOGS_H
#define FO_LOGS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/otter/random.h"
#include "tests/otter/rows.h"
#include "tests/otter/text.h"
#include "tests/otter/world.h"

/* The memory behind a row's texts; all zero before its first use. */
struct fo_log_texts {
        const struct fo_world *world; /* borrowed */
        char nid[24];
        char channel[24];
        char pipeline[24];
        struct fo_text message;
};

size_t fo_logs_kinds(void);

/*
 * A record of kind 0 … fo_logs_kinds() - 1 about `pipeline` (kinds that have none ignore it).
 * The row lives in `texts` until the next call.
 */
struct fo_log fo_logs_make(struct fo_log_texts *texts, const struct fo_world *world, size_t kind, int64_t pipeline,
        struct fo_random *random);

void fo_logs_fini(struct fo_log_texts *texts);

#endif
