#include "tests/otter/schema.h"

#include "proto/memory.h"
#include "tests/otter/text.h"

#define COUNT    " bigint(20) not null"
#define NULLABLE " bigint(20) default null"
#define INSTANT  " timestamp not null default '0000-00-00 00:00:00'"
#define WINDOW   "START_TIME" INSTANT ", END_TIME" INSTANT

struct table {
        const char *name;
        const char *id; /* its type */
        const char *columns;
        const char *keys; /* but the primary one */
};

static const struct table tables[] = {
        {
                .name = "CHANNEL",
                .id = "bigint(20)",
                .columns = "NAME varchar(200) not null, DESCRIPTION varchar(200) default null,"
                           " PARAMETERS text default null",
                .keys = "unique key CHANNELUNIQUE (NAME)",
        },
        {
                .name = "PIPELINE",
                .id = "bigint(20)",
                .columns = "NAME varchar(200) not null, DESCRIPTION varchar(200) default null,"
                           " PARAMETERS text default null, CHANNEL_ID" COUNT,
                .keys = "unique key PIPELINEUNIQUE (NAME, CHANNEL_ID),"
                        " key idx_ChannelID (CHANNEL_ID, ID)",
        },
        {
                .name = "NODE",
                .id = "bigint(20)",
                .columns = "NAME varchar(200) not null, IP varchar(200) not null, PORT" COUNT
                           ", DESCRIPTION varchar(200) default null,"
                           " PARAMETERS text default null",
                .keys = "unique key NODEUNIQUE (NAME, IP)",
        },
        {
                .name = "DATA_MEDIA_SOURCE",
                .id = "bigint(20)",
                .columns = "NAME varchar(200) not null, TYPE varchar(20) not null,"
                           " PROPERTIES varchar(1000) not null",
                .keys = "unique key DATAMEDIASOURCEUNIQUE (NAME)",
        },
        {
                .name = "DATA_MEDIA",
                .id = "bigint(20)",
                .columns = "NAME varchar(200) not null, NAMESPACE varchar(200) not null,"
                           " PROPERTIES varchar(1000) not null, DATA_MEDIA_SOURCE_ID" COUNT,
                .keys = "unique key DATAMEDIAUNIQUE (NAME, NAMESPACE, DATA_MEDIA_SOURCE_ID)",
        },
        {
                .name = "DATA_MEDIA_PAIR",
                .id = "bigint(20)",
                .columns = "PULLWEIGHT" NULLABLE ", PUSHWEIGHT" NULLABLE
                           ", RESOLVER text default null, FILTER text default null,"
                           " SOURCE_DATA_MEDIA_ID" NULLABLE ", TARGET_DATA_MEDIA_ID" NULLABLE ", PIPELINE_ID" COUNT
                           ", COLUMN_PAIR_MODE varchar(20) default null",
                .keys = "key idx_PipelineID (PIPELINE_ID, ID)",
        },
        {
                .name = "DELAY_STAT",
                .id = "bigint(20)",
                .columns = "DELAY_TIME" COUNT ", DELAY_NUMBER" COUNT ", PIPELINE_ID" COUNT,
                .keys = "key idx_PipelineID_GmtModified_ID (PIPELINE_ID, GMT_MODIFIED, ID),"
                        " key idx_Pipeline_GmtCreate (PIPELINE_ID, GMT_CREATE),"
                        " key idx_GmtCreate_id (GMT_CREATE, ID)",
        },
        {
                .name = "THROUGHPUT_STAT",
                .id = "bigint(20)",
                .columns =
                        "TYPE varchar(20) not null, NUMBER" COUNT ", SIZE" COUNT ", PIPELINE_ID" COUNT ", " WINDOW,
                .keys = "key idx_PipelineID_Type_GmtCreate_ID"
                        " (PIPELINE_ID, TYPE, GMT_CREATE, ID),"
                        " key idx_PipelineID_Type_EndTime_ID"
                        " (PIPELINE_ID, TYPE, END_TIME, ID),"
                        " key idx_GmtCreate_id (GMT_CREATE, ID)",
        },
        {
                .name = "TABLE_HISTORY_STAT",
                .id = "bigint(20) unsigned",
                .columns = "FILE_SIZE" NULLABLE ", FILE_COUNT" NULLABLE ", INSERT_COUNT" NULLABLE
                           ", UPDATE_COUNT" NULLABLE ", DELETE_COUNT" NULLABLE ", DATA_MEDIA_PAIR_ID" NULLABLE
                           ", PIPELINE_ID" NULLABLE ", " WINDOW,
                .keys = "key idx_DATA_MEDIA_PAIR_ID_END_TIME (DATA_MEDIA_PAIR_ID, END_TIME),"
                        " key idx_GmtCreate_id (GMT_CREATE, ID)",
        },
        {
                .name = "TABLE_STAT",
                .id = "bigint(20)",
                .columns = "FILE_SIZE" COUNT ", FILE_COUNT" COUNT ", INSERT_COUNT" COUNT ", UPDATE_COUNT" COUNT
                           ", DELETE_COUNT" COUNT ", DATA_MEDIA_PAIR_ID" COUNT ", PIPELINE_ID" COUNT,
                /* Not unique: two managers can make two rows of one pair. */
                .keys = "key idx_PipelineID_DataMediaPairID (PIPELINE_ID, DATA_MEDIA_PAIR_ID)",
        },
        {
                .name = "LOG_RECORD",
                .id = "bigint(20)",
                .columns = "NID varchar(200) default null, CHANNEL_ID varchar(200) not null,"
                           " PIPELINE_ID varchar(200) not null,"
                           " TITLE varchar(1000) default null, MESSAGE text default null",
                /* No index on a time here: the agent has to go by ID. */
                .keys = "key logRecord_pipelineId (PIPELINE_ID)",
        },
};

static int create_table(struct fo_db *db, const struct table *table)
{
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };

        fo_text_addf(
                &sql, "create table %s (ID %s not null auto_increment, %s", table->name, table->id, table->columns);
        fo_text_add(&sql, ", GMT_CREATE" INSTANT ", GMT_MODIFIED timestamp not null"
                          " default current_timestamp on update current_timestamp");
        fo_text_addf(&sql, ", primary key (ID), %s) engine=InnoDB default charset=utf8", table->keys);
        return fo_db_run(db, &sql);
}

int fo_schema_create(struct fo_db *db)
{
        const char *database = db->where->database;

        if (fo_db_runf(db, "drop database if exists `%s`", database) ||
                fo_db_runf(db, "create database `%s` default charset utf8", database) ||
                fo_db_runf(db, "use `%s`", database))
                return -1;
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
                if (create_table(db, &tables[i]))
                        return -1;
        }
        return 0;
}
