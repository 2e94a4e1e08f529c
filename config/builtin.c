/*
 * Everything we know about Otter's tables, and the columns that are taken from its pages (pages.c). Facts:
 * otter-manager-schema.sql and the manager's writers (StatsRemoteServiceImpl, TableStatServiceImpl,
 * LogRecordServiceImpl) in alibaba/otter.
 *
 * Otter only adds rows to DELAY_STAT, THROUGHPUT_STAT, TABLE_HISTORY_STAT and LOG_RECORD, so these tables are read
 * by ID, their primary key. Otter updates the rows of TABLE_STAT in place.
 */
#include "config/source.h"

#include <stddef.h>

#include "config/alarm.h"

#define MYSQL_DEFAULTS .kind = OB_SOURCE_TABLE, .enabled = true, .overlap = 600, .settle = 2, .batch = 1000
#define PAGE_DEFAULTS  .has_gaps = true, .batch = 1000, .enabled = true, .every = 30, .worker = "page"
/* A column that is read from the text of an alarm. */
#define OF_MESSAGE(role, name_, part_, ...)                                                                        \
        {                                                                                                          \
                role, "MESSAGE", name_, .part = part_, __VA_ARGS__                                                 \
        }

const struct ob_source ob_builtin_sources[] = {
        {
                MYSQL_DEFAULTS,
                .name = "delay",
                .worker = "delay",
                .table = "DELAY_STAT",
                .every = 15,
                .n_columns = 5,
                .columns = {
                        { OB_CURSOR, "ID" },
                        { OB_SETTLED, "GMT_MODIFIED" },
                        { OB_TIME, "GMT_CREATE" },
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        /* Several managers write several rows a minute: the largest delay is sent. */
                        { OB_PEAK, "DELAY_TIME", "delay_ms" },
                },
        },
        {
                MYSQL_DEFAULTS,
                .name = "delay_age",
                .is_roster = true,
                .worker = "delay",
                .table = "DELAY_STAT",
                .every = 15,
                .n_columns = 2,
                .columns = {
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        { OB_AGE, "GMT_CREATE", "delay_age_s" },
                },
        },
        {
                MYSQL_DEFAULTS,
                .name = "throughput",
                .worker = "throughput",
                .table = "THROUGHPUT_STAT",
                .every = 15,
                .n_columns = 7,
                .columns = {
                        { OB_CURSOR, "ID" },
                        { OB_SETTLED, "GMT_MODIFIED" },
                        { OB_TIME, "GMT_CREATE" },
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        { OB_ENUM, "TYPE", "type" },
                        { OB_INCREMENT, "NUMBER", "throughput.count" },
                        { OB_INCREMENT, "SIZE", "throughput.bytes" },
                },
        },
        {
                MYSQL_DEFAULTS,
                .name = "throughput_age",
                .is_roster = true,
                .worker = "throughput",
                .table = "THROUGHPUT_STAT",
                .every = 15,
                .n_columns = 2,
                .columns = {
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        { OB_AGE, "GMT_CREATE", "throughput_age_s" },
                },
        },
        {
                MYSQL_DEFAULTS,
                .name = "history",
                .worker = "history",
                .table = "TABLE_HISTORY_STAT",
                .every = 15,
                .n_columns = 10,
                .columns = {
                        { OB_CURSOR, "ID" },
                        { OB_SETTLED, "GMT_MODIFIED" },
                        { OB_TIME, "GMT_CREATE" },
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        { OB_KEY, "DATA_MEDIA_PAIR_ID", "pair" },
                        { OB_INCREMENT, "INSERT_COUNT", "history.inserts" },
                        { OB_INCREMENT, "UPDATE_COUNT", "history.updates" },
                        { OB_INCREMENT, "DELETE_COUNT", "history.deletes" },
                        { OB_INCREMENT, "FILE_COUNT", "history.files" },
                        { OB_INCREMENT, "FILE_SIZE", "history.bytes" },
                },
        },
        {
                MYSQL_DEFAULTS,
                .name = "table",
                .worker = "table",
                .table = "TABLE_STAT",
                .every = 30,
                .n_columns = 10,
                .columns = {
                        { OB_CURSOR, "ID" },
                        { OB_MADE, "GMT_CREATE" },
                        { OB_TIME, "GMT_MODIFIED" },
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        { OB_KEY, "DATA_MEDIA_PAIR_ID", "pair" },
                        { OB_TOTAL, "INSERT_COUNT", "table.inserts" },
                        { OB_TOTAL, "UPDATE_COUNT", "table.updates" },
                        { OB_TOTAL, "DELETE_COUNT", "table.deletes" },
                        { OB_TOTAL, "FILE_COUNT", "table.files" },
                        { OB_TOTAL, "FILE_SIZE", "table.bytes" },
                },
        },
        {
                MYSQL_DEFAULTS,
                .name = "log",
                .worker = "log",
                .table = "LOG_RECORD",
                .every = 15,
                .limit = 100,
                .has_gaps = true,
                .n_columns = 17,
                .columns = {
                        { OB_CURSOR, "ID" },
                        { OB_SETTLED, "GMT_MODIFIED" },
                        { OB_TIME, "GMT_CREATE" },
                        { OB_KEY, "PIPELINE_ID", "pipeline" },
                        { OB_ENUM, "TITLE", "title", .is_open = true },
                        { OB_LABEL, "CHANNEL_ID", "channel" },
                        /* A node reports an alarm to one manager. An alarm that managers find themselves is written by each. */
                        { OB_LABEL, "NID", "node", .is_sole = true },
                        OF_MESSAGE(OB_LABEL, "code", ob_alarm_code, .is_open = true),
                        OF_MESSAGE(OB_LABEL, "class", ob_alarm_class, .is_open = true),
                        OF_MESSAGE(OB_EVENT, NULL, ob_alarm_alert, .expression = "LEFT(`MESSAGE`, 8000)"),
                        { OB_COUNT, NULL, "log.records" },
                        OF_MESSAGE(OB_PEAK, "log.delay_s", ob_alarm_delay),
                        OF_MESSAGE(OB_PEAK, "log.no_delay_s", ob_alarm_no_delay),
                        OF_MESSAGE(OB_PEAK, "log.no_sync_s", ob_alarm_no_sync),
                        OF_MESSAGE(OB_PEAK, "log.process_s", ob_alarm_process),
                        OF_MESSAGE(OB_PEAK, "log.position_s", ob_alarm_position),
                        OF_MESSAGE(OB_PEAK, "log.no_data_s", ob_alarm_no_data),
                },
        },
        /* This source comes first, because the ages below may need the time zone that it finds. */
        {
                PAGE_DEFAULTS,
                .kind = OB_SOURCE_ZONE,
                .name = "page_zone",
                .table = "pipelines",
        },
        {
                PAGE_DEFAULTS,
                .kind = OB_SOURCE_PAGE,
                .name = "page_channels",
                .table = "channels",
                .n_columns = 2,
                .columns = {
                        { OB_KEY, "channel_id", "channel" },
                        { OB_VALUE, "status", "channel_state" },
                },
        },
        {
                PAGE_DEFAULTS,
                .kind = OB_SOURCE_PAGE,
                .name = "page_pipelines",
                .table = "pipelines",
                .n_columns = 10,
                .columns = {
                        { OB_KEY, "pipeline_id", "pipeline" },
                        { OB_VALUE, "mainstem", "mainstem_state" },
                        { OB_VALUE, "delay_ms", "page.delay_ms" },
                        { OB_VALUE, "parallelism", "page.parallelism" },
                        { OB_VALUE, "alarm_rules", "page.alarm_rules" },
                        { OB_VALUE, "last_sync_age_s", "last_sync_age_s" },
                        { OB_VALUE, "last_position_age_s", "last_position_age_s" },
                        { OB_FACT, "channel_id", "channel" },
                        { OB_FACT, "last_sync_epoch", "last_sync" },
                        { OB_FACT, "last_position_epoch", "last_position" },
                },
        },
        {
                PAGE_DEFAULTS,
                .kind = OB_SOURCE_PAGE,
                .name = "page_nodes",
                .table = "nodes",
                .n_columns = 2,
                .columns = {
                        { OB_KEY, "node_id", "node" },
                        { OB_VALUE, "status", "node_up" },
                },
        },
        {
                PAGE_DEFAULTS,
                .kind = OB_SOURCE_PAGE,
                .name = "page_progress",
                .table = "progress",
                .n_columns = 3,
                .columns = {
                        { OB_KEY, "pipeline_id", "pipeline" },
                        { OB_VALUE, "in_flight", "in_flight" },
                        { OB_VALUE, "binlog_lag_ms", "binlog_lag_ms" },
                },
        },
        {
                PAGE_DEFAULTS,
                .kind = OB_SOURCE_PAGE,
                .name = "page_stages",
                .table = "stages",
                .n_columns = 3,
                .columns = {
                        { OB_KEY, "pipeline_id", "pipeline" },
                        { OB_ENUM, "stage", "stage" },
                        /* Of several processes in flight the slowest is sent. */
                        { OB_PEAK, "ms", "stage_ms" },
                },
        },
        { .kind = OB_SOURCE_HEALTH, .enabled = true, .name = "state", .worker = "state", .every = 15 },
        { .kind = OB_SOURCE_COUNTERS, .enabled = true, .name = "agent", .worker = "agent", .every = 15 },
};

const unsigned ob_n_builtin_sources = sizeof(ob_builtin_sources) / sizeof(*ob_builtin_sources);

const struct ob_source ob_empty_page_source = { PAGE_DEFAULTS, .kind = OB_SOURCE_PAGE };
