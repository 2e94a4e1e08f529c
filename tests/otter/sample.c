#include "tests/otter/sample.h"

#include "proto/memory.h"
#include "tests/otter/bulk.h"
#include "tests/otter/rows.h"

/* 2020-04-20 04:00:00 UTC and some minutes and seconds. */
#define AT(minutes, seconds) (INT64_C(1587355200) + (minutes)*60 + (seconds))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * All ids are odd: the other master has the even ones, and nobody wrote there. The manager was
 * started again at 04:12, so its minute ends at :57 before and at :11 after. Pipeline 2 had no
 * traffic from 04:09 to 04:11, which shows as rows that are not there; pipeline 3 never had
 * any, which only the rule monitor tells.
 */

/* { id, written }, { pipeline, ms } */
static const struct {
        struct fo_stamp stamp;
        struct fo_delay row;
} delays[] = {
        { { 3001, AT(5, 57) }, { 1, 312 } },
        { { 3003, AT(5, 57) }, { 2, 845 } },
        { { 3007, AT(6, 57) }, { 1, 287 } },
        { { 3009, AT(6, 57) }, { 2, 790 } },
        { { 3011, AT(7, 57) }, { 1, 301 } },
        { { 3013, AT(8, 57) }, { 1, 295 } },
        { { 3015, AT(8, 57) }, { 2, 812 } },
        { { 3017, AT(9, 57) }, { 1, 48230 } },
        { { 3019, AT(10, 57) }, { 1, 1822 } },
        { { 3021, AT(11, 57) }, { 1, 410 } },
        { { 3023, AT(13, 11) }, { 1, 305 } },
        { { 3027, AT(13, 11) }, { 2, 2240 } },
        { { 3031, AT(14, 11) }, { 1, 298 } },
        { { 3033, AT(14, 11) }, { 2, 901 } },
        { { 3035, AT(15, 11) }, { 1, 311 } },
        { { 3037, AT(15, 11) }, { 2, 850 } },
        { { 3039, AT(16, 11) }, { 2, 2040 } },
        { { 3043, AT(17, 11) }, { 1, 290 } },
        { { 3045, AT(18, 11) }, { 1, 333 } },
        { { 3047, AT(18, 11) }, { 2, 795 } },
        { { 3049, AT(19, 11) }, { 1, 302 } },
        { { 3051, AT(19, 11) }, { 2, 888 } },
};

/* { id, written }, { pipeline, type, number, size, start, end } */
static const struct {
        struct fo_stamp stamp;
        struct fo_throughput row;
} throughputs[] = {
        { { 5201, AT(5, 57) }, { 1, "ROW", 10000, 4686000, AT(5, 7), AT(5, 56) } },
        { { 5203, AT(5, 57) }, { 2, "ROW", 135, 138240, AT(4, 59), AT(5, 52) } },
        { { 5205, AT(6, 57) }, { 1, "ROW", 672, 209664, AT(6, 11), AT(6, 55) } },
        { { 5207, AT(6, 57) }, { 2, "ROW", 3, 2100, AT(5, 59), AT(6, 56) } },
        { { 5209, AT(6, 57) }, { 2, "FILE", 3, 1468006, AT(5, 59), AT(6, 56) } },
        { { 5211, AT(7, 57) }, { 1, "ROW", 512, 246744, AT(7, 0), AT(7, 51) } },
        { { 5213, AT(8, 57) }, { 2, "ROW", 100, 102400, AT(8, 11), AT(8, 53) } },
        { { 5217, AT(9, 57) }, { 1, "ROW", 2500, 1215000, AT(9, 0), AT(9, 48) } },
        { { 5221, AT(10, 57) }, { 1, "ROW", 20001, 6240486, AT(10, 2), AT(10, 53) } },
        { { 5223, AT(11, 57) }, { 1, "ROW", 743, 231816, AT(11, 11), AT(11, 53) } },
        { { 5225, AT(13, 11) }, { 1, "ROW", 360, 112320, AT(12, 17), AT(13, 6) } },
        { { 5227, AT(13, 11) }, { 2, "ROW", 1603, 1640500, AT(12, 17), AT(13, 3) } },
        { { 5229, AT(13, 11) }, { 2, "FILE", 2, 524288, AT(12, 17), AT(13, 3) } },
        { { 5231, AT(14, 11) }, { 1, "ROW", 333, 103896, AT(13, 16), AT(14, 1) } },
        { { 5235, AT(14, 11) }, { 2, "ROW", 90, 92160, AT(13, 19), AT(14, 7) } },
        { { 5239, AT(15, 11) }, { 1, "ROW", 700, 340200, AT(14, 18), AT(15, 7) } },
        { { 5243, AT(15, 11) }, { 2, "FILE", 1, 4096, AT(14, 13), AT(15, 8) } },
        { { 5245, AT(16, 11) }, { 2, "ROW", 72, 73728, AT(15, 23), AT(15, 59) } },
        { { 5247, AT(17, 11) }, { 1, "ROW", 105, 49986, AT(16, 21), AT(17, 8) } },
        { { 5251, AT(18, 11) }, { 1, "ROW", 1000, 312000, AT(17, 23), AT(18, 8) } },
        { { 5255, AT(18, 11) }, { 2, "ROW", 33, 33792, AT(17, 18), AT(18, 8) } },
        { { 5259, AT(19, 11) }, { 1, "ROW", 2, 798, AT(18, 20), AT(19, 7) } },
        { { 5261, AT(19, 11) }, { 2, "ROW", 11, 10940, AT(18, 24), AT(19, 9) } },
        { { 5265, AT(19, 11) }, { 2, "FILE", 1, 99999, AT(18, 24), AT(19, 9) } },
};

/*
 * { id, written }, { pipeline, pair, { inserts, updates, deletes, files, bytes }, start, end }
 *
 * The rows of a pipeline and minute add up to its ROW throughput: 1000 + 9000 = 10000.
 */
static const struct {
        struct fo_stamp stamp;
        struct fo_history row;
} histories[] = {
        { { 9001, AT(5, 57) }, { 1, 1, { 1000, 0, 0, 0, 0 }, AT(5, 7), AT(5, 49) } },
        { { 9003, AT(5, 57) }, { 1, 2, { 8000, 700, 300, 0, 0 }, AT(5, 12), AT(5, 56) } },
        { { 9005, AT(5, 57) }, { 2, 4, { 120, 15, 0, 0, 0 }, AT(4, 59), AT(5, 52) } },
        { { 9007, AT(6, 57) }, { 1, 1, { 640, 32, 0, 0, 0 }, AT(6, 11), AT(6, 55) } },
        { { 9009, AT(6, 57) }, { 2, 5, { 3, 0, 0, 3, 1468006 }, AT(5, 59), AT(6, 56) } },
        { { 9011, AT(7, 57) }, { 1, 1, { 12, 0, 0, 0, 0 }, AT(7, 3), AT(7, 45) } },
        { { 9013, AT(7, 57) }, { 1, 2, { 450, 50, 0, 0, 0 }, AT(7, 0), AT(7, 51) } },
        { { 9017, AT(8, 57) }, { 2, 4, { 75, 5, 20, 0, 0 }, AT(8, 11), AT(8, 53) } },
        { { 9019, AT(9, 57) }, { 1, 2, { 0, 0, 2500, 0, 0 }, AT(9, 0), AT(9, 48) } },
        { { 9021, AT(10, 57) }, { 1, 1, { 20000, 0, 0, 0, 0 }, AT(10, 2), AT(10, 52) } },
        { { 9023, AT(10, 57) }, { 1, 2, { 1, 0, 0, 0, 0 }, AT(10, 5), AT(10, 53) } },
        { { 9025, AT(11, 57) }, { 1, 1, { 700, 41, 2, 0, 0 }, AT(11, 11), AT(11, 53) } },
        { { 9027, AT(13, 11) }, { 1, 1, { 350, 10, 0, 0, 0 }, AT(12, 17), AT(13, 6) } },
        { { 9029, AT(13, 11) }, { 2, 4, { 1300, 260, 40, 0, 0 }, AT(12, 17), AT(13, 3) } },
        { { 9031, AT(13, 11) }, { 2, 5, { 2, 1, 0, 2, 524288 }, AT(12, 25), AT(13, 0) } },
        { { 9033, AT(14, 11) }, { 1, 1, { 333, 0, 0, 0, 0 }, AT(13, 16), AT(14, 1) } },
        { { 9035, AT(14, 11) }, { 2, 4, { 90, 0, 0, 0, 0 }, AT(13, 19), AT(14, 7) } },
        { { 9037, AT(15, 11) }, { 1, 2, { 610, 77, 13, 0, 0 }, AT(14, 18), AT(15, 7) } },
        { { 9041, AT(15, 11) }, { 2, 5, { 0, 0, 0, 1, 4096 }, AT(14, 13), AT(15, 8) } },
        { { 9043, AT(16, 11) }, { 2, 4, { 64, 8, 0, 0, 0 }, AT(15, 23), AT(15, 59) } },
        { { 9045, AT(17, 11) }, { 1, 1, { 5, 0, 1, 0, 0 }, AT(16, 22), AT(17, 8) } },
        { { 9047, AT(17, 11) }, { 1, 2, { 95, 4, 0, 0, 0 }, AT(16, 21), AT(17, 1) } },
        { { 9049, AT(18, 11) }, { 1, 1, { 900, 100, 0, 0, 0 }, AT(17, 23), AT(18, 8) } },
        { { 9051, AT(18, 11) }, { 2, 4, { 0, 33, 0, 0, 0 }, AT(17, 18), AT(18, 8) } },
        { { 9053, AT(19, 11) }, { 1, 1, { 1, 0, 0, 0, 0 }, AT(18, 22), AT(19, 6) } },
        { { 9055, AT(19, 11) }, { 1, 2, { 0, 1, 0, 0, 0 }, AT(18, 20), AT(19, 7) } },
        { { 9057, AT(19, 11) }, { 2, 4, { 10, 0, 0, 0, 0 }, AT(18, 24), AT(19, 9) } },
        { { 9061, AT(19, 11) }, { 2, 5, { 1, 0, 0, 1, 99999 }, AT(18, 27), AT(18, 59) } },
};

/* { id, changed }, made, { as above }: what the histories of a pair add up to. */
static const struct {
        struct fo_stamp stamp;
        int64_t made;
        struct fo_history row;
} counters[] = {
        { { 41, AT(19, 6) }, AT(5, 8), { 1, 1, { 23941, 183, 3, 0, 0 }, 0, 0 } },
        { { 43, AT(19, 7) }, AT(5, 13), { 1, 2, { 9156, 832, 2813, 0, 0 }, 0, 0 } },
        { { 45, AT(19, 9) }, AT(5, 0), { 2, 4, { 1659, 321, 60, 0, 0 }, 0, 0 } },
        { { 47, AT(18, 59) }, AT(6, 0), { 2, 5, { 6, 1, 0, 7, 2096389 }, 0, 0 } },
};

/* { id, written }, { nid, channel, pipeline, title, message } */
static const struct {
        struct fo_stamp stamp;
        struct fo_log row;
} logs[] = {
        { { 701, AT(7, 40) }, { "1", "1", "1", "EXCEPTION",
                                      "pid:1 nid:1 exception:setl:com.alibaba.otter.node.etl.load.exception."
                                      "LoadException: Duplicate entry '77' for key 'PRIMARY'\n"
                                      "\tat com.alibaba.otter.node.etl.load.loader.db.DbLoadAction.load\n"
                                      "\tat java.lang.Thread.run(Thread.java:745)\n" } },
        { { 703, AT(7, 40) }, { "1", "1", "1", "EXCEPTION", "pid:1 nid:1 exception:channel:ROLLBACK" } },
        { { 705, AT(10, 31) }, { "-1", "1", "1", "DELAYTIME", "pid:1 delay_time:48 seconds" } },
        { { 707, AT(10, 31) }, { "-1", "1", "2", "DELAYTIME", "pid:2 delay 94 seconds no update" } },
        { { 711, AT(10, 31) }, { "-1", "1", "2", "PIPELINETIMEOUT", "pid:2 elapsed 98 seconds no sync" } },
        { { 713, AT(10, 32) },
                { "-1", "1", "1", "PROCESSTIMEOUT", "pid:1 processIds:4711,4712 elapsed 61 seconds" } },
        { { 715, AT(10, 32) }, { "-1", "1", "2", "POSITIONTIMEOUT", "pid:2 position 127 seconds no update" } },
        { { 717, AT(10, 58) }, { "2", "1", "2", "EXCEPTION",
                                       "pid:2 nid:2 exception:mainstem:pid:2 canal elapsed 121 seconds no data" } },
        { { 719, AT(11, 20) }, { "2", "1", "2", "EXCEPTION",
                                       "pid:2 nid:2 exception:canal:canal-2:java.io.IOException: connection reset"
                                       "\n\tat sun.nio.ch.SocketDispatcher.read0\n" } },
        { { 721, AT(12, 14) },
                { NULL, "-1", "-1", "EXCEPTION", "pid:-1 nid:null exception:nid:2 is dead and restart cids:[1]" } },
        { { 723, AT(12, 15) }, { "2", "1", "2", "EXCEPTION",
                                       "pid:2 nid:2 exception:channel:can't restart by no select live node" } },
        { { 725, AT(12, 48) }, { NULL, "-1", "-1", "EXCEPTION",
                                       "pid:-1 nid:null exception:cid:1 restart recovery successful for rid:3" } },
        { { 729, AT(12, 48) }, { NULL, "-1", "-1", "EXCEPTION",
                                       "pid:-1 nid:null exception:cid:1 stop recovery successful for rid:-1" } },
        { { 731, AT(13, 49) }, { "-1", "2", "3", "PIPELINETIMEOUT", "pid:3 elapsed 1587356029 seconds no sync" } },
        { { 733, AT(15, 49) }, { "-1", "2", "3", "PIPELINETIMEOUT", "pid:3 elapsed 1587356149 seconds no sync" } },
        { { 735, AT(17, 49) },
                { "-1", "1", "2", "DELAYTIME", "pid:2 delay_time:2 seconds, but delay 98 seconds no update" } },
        { { 737, AT(17, 49) }, { "-1", "2", "3", "PIPELINETIMEOUT", "pid:3 elapsed 1587356269 seconds no sync" } },
        { { 739, AT(18, 3) },
                { "1", "1", "1", "EXCEPTION", "pid:1 nid:1 exception:setl:load miss data with keys:[订单=5]" } },
};

static int insert_delays(struct fo_bulk *bulk)
{
        for (size_t i = 0; i < COUNT_OF(delays); i++) {
                if (fo_rows_delay(bulk, delays[i].stamp, &delays[i].row))
                        return -1;
        }
        return fo_bulk_end(bulk);
}

static int insert_throughputs(struct fo_bulk *bulk)
{
        for (size_t i = 0; i < COUNT_OF(throughputs); i++) {
                if (fo_rows_throughput(bulk, throughputs[i].stamp, &throughputs[i].row))
                        return -1;
        }
        return fo_bulk_end(bulk);
}

static int insert_histories(struct fo_bulk *bulk)
{
        for (size_t i = 0; i < COUNT_OF(histories); i++) {
                if (fo_rows_history(bulk, histories[i].stamp, &histories[i].row))
                        return -1;
        }
        return fo_bulk_end(bulk);
}

static int insert_counters(struct fo_bulk *bulk)
{
        for (size_t i = 0; i < COUNT_OF(counters); i++) {
                if (fo_rows_table_stat(bulk, counters[i].stamp, counters[i].made, &counters[i].row))
                        return -1;
        }
        return fo_bulk_end(bulk);
}

static int insert_logs(struct fo_bulk *bulk)
{
        for (size_t i = 0; i < COUNT_OF(logs); i++) {
                if (fo_rows_log(bulk, logs[i].stamp, &logs[i].row))
                        return -1;
        }
        return fo_bulk_end(bulk);
}

static int (*const inserts[FO_TABLES])(struct fo_bulk *bulk) = {
        [FO_DELAY] = insert_delays,
        [FO_THROUGHPUT] = insert_throughputs,
        [FO_HISTORY] = insert_histories,
        [FO_LOG] = insert_logs,
        [FO_TABLE] = insert_counters,
};

int fo_sample_insert(struct fo_db *db)
{
        ob_cleanup(fo_bulk_fini) struct fo_bulk bulk = { 0 };

        if (fo_db_runf(db, "start transaction"))
                return -1;
        for (enum fo_table table = 0; table < FO_TABLES; table++) {
                fo_rows_begin(&bulk, db, table);
                if (inserts[table](&bulk))
                        return -1; /* what was inserted goes with the connection */
        }
        return fo_db_runf(db, "commit");
}
