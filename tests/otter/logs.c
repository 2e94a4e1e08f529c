#include "tests/otter/logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NODES = 4 };

/* Who found it, which decides NID and whether there is a pipeline. */
enum origin {
        MONITOR, /* a rule: NID "-1" */
        NODE,    /* a node's alarm: its number */
        MANAGER, /* a recovery, a dead node: no NID, channel and pipeline "-1" */
};

/* In messages $p is the pipeline, $c its channel, $n a node, $s and $t some seconds, $i ids. */
struct kind {
        const char *title;
        enum origin origin;
        const char *message;
};

static const struct kind kinds[] = {
        { .title = "DELAYTIME", .origin = MONITOR, .message = "pid:$p delay_time:$s seconds" },
        { .title = "EXCEPTION",
                .origin = NODE,
                .message = "pid:$p nid:$n exception:setl:com.alibaba.otter.node.etl.load."
                           "exception.LoadException: java.util.concurrent.ExecutionException:"
                           " Duplicate entry '$s' for key 'PRIMARY'\n"
                           "\tat com.alibaba.otter.node.etl.load.loader.db.DbLoadAction.load\n"
                           "\tat java.lang.Thread.run(Thread.java:745)\n" },
        { .title = "POSITIONTIMEOUT", .origin = MONITOR, .message = "pid:$p position $s seconds no update" },
        { .title = "PIPELINETIMEOUT", .origin = MONITOR, .message = "pid:$p elapsed $s seconds no sync" },
        { .title = "PROCESSTIMEOUT", .origin = MONITOR, .message = "pid:$p processIds:$i elapsed $s seconds" },
        { .title = "EXCEPTION",
                .origin = MANAGER,
                .message = "pid:-1 nid:null exception:cid:$c restart recovery successful"
                           " for rid:$p" },
        { .title = "DELAYTIME", .origin = MONITOR, .message = "pid:$p delay $s seconds no update" },
        { .title = "EXCEPTION",
                .origin = NODE,
                .message = "pid:$p nid:$n exception:canal:canal-$p:java.io.IOException: "
                           "connection reset by peer\n\tat sun.nio.ch.SocketDispatcher.read0\n" },
        { .title = "EXCEPTION",
                .origin = NODE,
                .message = "pid:$p nid:$n exception:mainstem:pid:$p canal elapsed $s seconds"
                           " no data" },
        { .title = "EXCEPTION",
                .origin = MANAGER,
                .message = "pid:-1 nid:null exception:nid:$n is dead and restart cids:[$c]" },
        { .title = "EXCEPTION",
                .origin = NODE,
                .message = "pid:$p nid:$n exception:channel:can't restart by no select live"
                           " node" },
        { .title = "DELAYTIME",
                .origin = MONITOR,
                .message = "pid:$p delay_time:$s seconds, but delay $t seconds no update" },
        { .title = "EXCEPTION",
                .origin = NODE,
                .message = "pid:$p nid:$n exception:setl:load miss data with keys:[订单=$s,"
                           " it's=\"$t\"]" },
        /* There never was a throughput row: seconds since 1970. */
        { .title = "PIPELINETIMEOUT", .origin = MONITOR, .message = "pid:$p elapsed 1525422593 seconds no sync" },
        { .title = "EXCEPTION",
                .origin = MANAGER,
                .message = "pid:-1 nid:null exception:cid:$c stop recovery successful"
                           " for rid:-1" },
        { .title = "EXCEPTION",
                .origin = NODE,
                .message = "pid:$p nid:$n exception:channel:ROLLBACK\npid:$p by node $n" },
};

size_t fo_logs_kinds(void)
{
        return sizeof(kinds) / sizeof(kinds[0]);
}

void fo_logs_fini(struct fo_log_texts *texts)
{
        fo_text_fini(&texts->message);
}

static void add_word(struct fo_log_texts *texts, char word, int64_t pipeline, struct fo_random *random)
{
        struct fo_text *message = &texts->message;
        int64_t process = fo_random_between(random, 1, 90000);

        switch (word) {
        case 'p':
                fo_text_addf(message, "%" PRId64, pipeline);
                return;
        case 'c':
                fo_text_addf(message, "%" PRId64, fo_world_channel_of(texts->world, pipeline));
                return;
        case 'n':
                fo_text_add(message, texts->nid);
                return;
        case 'i':
                fo_text_addf(message, "%" PRId64 ",%" PRId64, process, process + 1);
                return;
        default:
                fo_text_addf(message, "%" PRId64, fo_random_between(random, 601, 9000));
        }
}

static void write_message(
        struct fo_log_texts *texts, const char *pattern, int64_t pipeline, struct fo_random *random)
{
        const char *word = strchr(pattern, '$');

        fo_text_clear(&texts->message);
        while (word) {
                fo_text_addf(&texts->message, "%.*s", (int)(word - pattern), pattern);
                add_word(texts, word[1], pipeline, random);
                pattern = word + 2;
                word = strchr(pattern, '$');
        }
        fo_text_add(&texts->message, pattern);
}

struct fo_log fo_logs_make(struct fo_log_texts *texts, const struct fo_world *world, size_t kind, int64_t pipeline,
        struct fo_random *random)
{
        const struct kind *k = &kinds[kind];
        bool of_pipeline = k->origin != MANAGER;

        snprintf(texts->nid, sizeof(texts->nid), "%" PRId64,
                k->origin == MONITOR ? INT64_C(-1) : fo_random_between(random, 1, NODES));
        snprintf(texts->pipeline, sizeof(texts->pipeline), "%" PRId64, of_pipeline ? pipeline : INT64_C(-1));
        snprintf(texts->channel, sizeof(texts->channel), "%" PRId64,
                of_pipeline ? fo_world_channel_of(world, pipeline) : INT64_C(-1));
        texts->world = world;
        write_message(texts, k->message, pipeline, random);
        return (struct fo_log) {
                .nid = of_pipeline ? texts->nid : NULL,
                .channel = texts->channel,
                .pipeline = texts->pipeline,
                .title = k->title,
                .message = texts->message.bytes,
        };
}
