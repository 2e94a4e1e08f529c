/*
 * A cache for the rows of a task. Many rows have the same tags, so what depends on the tags only is found once: the
 * series in the outbox's batch, and the pipeline or channel that a fact is about. Owned by the task.
 */
#ifndef OB_SOURCE_SERIES_CACHE_H
#define OB_SOURCE_SERIES_CACHE_H

#include <stdint.h>

#include "agent/source/pipeline_health.h"
#include "config/source.h"
#include "proto/batch.h"
#include "proto/bytes.h"
#include "proto/hash.h"

struct ob_task;

/* What is known of the rows with these tags. */
struct ob_cached_row {
        UT_hash_handle hh;
        struct ob_cached_row *behind; /* the row that was found after this one; NULL */
        int64_t since; /* seconds: rows of this time or later have these series; earlier rows may have others */
        struct ob_cached_column {
                struct ob_batch_series *to_all, *to_idempotent; /* NULL: not yet looked up */
                struct ob_health_subject *subject;              /* the same */
                size_t fact; /* the index of the page's fact in `facts`, plus one; 0: the page has none yet */
        } * columns;         /* one for each column of the source; in the allocation of the row */
        char *key;           /* the texts of the tags; in the allocation of the row */
};

/* A fact about a pipeline that a page of rows holds: the last row of the page decides. */
struct ob_page_fact {
        struct ob_cached_column *column;
        const struct ob_fact_source *source;
        struct ob_sighting at;
};

struct ob_series_cache {
        struct ob_cached_row *rows;  /* ours, by key */
        struct ob_cached_row *found; /* the row that was found last; NULL */
        struct ob_cached_row *old;   /* ours: for a row from before a rename; NULL: not used yet */
        uint64_t forgets, names;     /* ob_batch_forgets() and ob_names_version() when the rows were made */
        unsigned tags[OB_COLUMNS_MAX], n_tags; /* the columns that make the key */
        struct ob_bytes key;
        struct ob_page_fact *facts; /* ours */
        size_t n_facts, room_facts;
};

/* A row's series without the name; the texts belong to the row or to `words`. */
#define OB_ENUM_MAX 64 /* bytes of a word; a longer word keeps its case */
struct ob_row_series {
        struct ob_series series;
        char words[OB_TAGS_MAX][OB_ENUM_MAX];
};
/* Returns the time from on which the series is the same: see ob_names_add(). */
int64_t ob_row_name(const struct ob_task *f, const char *const *row, int64_t time, struct ob_row_series *n);

struct ob_series_cache *ob_series_cache_new(const struct ob_source *source);
void ob_series_cache_free(struct ob_series_cache *c);

/* What is known of a row's tags; valid until the next call. `time`: the row's, in seconds. */
struct ob_cached_row *ob_series_cache_find(struct ob_task *f, const char *const *row, int64_t time);

/* Whether the batch has forgotten the series since the last find: then what was found is not valid any more. */
bool ob_series_cache_is_old(const struct ob_task *f);

/* The series of column `i` in the outbox's batch, for the sinks that f->deliver_to names. */
struct ob_batch_series *ob_series_cache_series(
        struct ob_task *f, struct ob_cached_row *known, unsigned i, const char *const *row, int64_t time);

/* Notes the fact that column `i` holds. The task's health gets it at the end of the page. */
void ob_series_cache_note(struct ob_task *f, struct ob_cached_row *known, unsigned i, const char *const *row,
        const struct ob_sighting *at);

/* Gives the page's facts to the task's health. */
void ob_series_cache_end_page(struct ob_task *f);

#endif
