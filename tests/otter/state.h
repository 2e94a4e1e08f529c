/*
 * What has gone wrong with a manager just now: a small file that is read at each request, one
 * order a line. No file, or an empty one: all is well.
 *
 *     channel N running|paused|stopped      (running)
 *     pipeline N working|locating|off       (working, or off when its channel is stopped)
 *     pipeline N position EPOCH             last moved then; 0: there is none (newest statistic)
 *     node N up|down                        (up)
 *     zookeeper down                        pages that ask it hang
 *     login required                        no page for anonymous visitors
 *     session expired                       all sessions end, each time the file is written anew
 *     latency MS                            of each answer
 *     decimal comma                         3,456 s and 65.000
 *     skew SECONDS                          the times of the last sync are off by so much
 *     hang PAGE                             until the order is withdrawn
 *     error STATUS PAGE
 *     drift PAGE WORD [OTHER]               the word is not there, or is another
 *     empty PAGE                            no rows
 *     truncate PAGE                         hangs up after half of what it has announced
 *     huge PAGE, bomb PAGE                  without end; the same as gzip of a few 100 KB
 *     slow body PAGE                        a few bytes a second
 *     latin1 PAGE, gbk PAGE                 in another character set; gbk does not say so
 *
 * PAGE is channelList, pipelineList, nodeList, analysisStageStat or login.
 */
#ifndef FO_STATE_H
#define FO_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/otter/text.h"

enum { FO_WORDS = 4 };

struct fo_order {
        const char *words[FO_WORDS]; /* NULL after the last */
};

struct fo_state {
        struct fo_text text;
        struct fo_order *orders; /* ours */
        size_t count;
        size_t room;
        uint64_t written; /* another number for each writing of the file */
};

/*
 * Reads the file (NULL: there is none). -1: it has an order that nobody knows, which is put
 * into `orders` as its last. fo_state_fini in any case.
 */
int fo_state_read(struct fo_state *state, const char *path);
void fo_state_fini(struct fo_state *state);

/* The first order that begins with these words (NULL: any word, or none); NULL: there is none. */
const struct fo_order *fo_state_find(const struct fo_state *state, const char *a, const char *b, const char *c);

/* The same for "pipeline 3 locating". */
const struct fo_order *fo_state_of(const struct fo_state *state, const char *kind, int64_t id, const char *word);

/* The number after a single word, such as "latency"; 0 when there is none. */
int64_t fo_state_number(const struct fo_state *state, const char *word);

#endif
