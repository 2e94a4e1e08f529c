-- The tables of an Otter manager, as far as an agent can see them.
-- Each ends with GMT_CREATE, which the manager sets, and GMT_MODIFIED, which the server keeps.

create table CHANNEL (
    ID bigint(20) not null auto_increment,
    NAME varchar(200) not null,
    DESCRIPTION varchar(200) default null,
    PARAMETERS text default null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    unique key CHANNELUNIQUE (NAME)
) engine=InnoDB default charset=utf8;

create table PIPELINE (
    ID bigint(20) not null auto_increment,
    NAME varchar(200) not null,
    DESCRIPTION varchar(200) default null,
    PARAMETERS text default null,
    CHANNEL_ID bigint(20) not null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    unique key PIPELINEUNIQUE (NAME, CHANNEL_ID),
    key idx_ChannelID (CHANNEL_ID, ID)
) engine=InnoDB default charset=utf8;

create table NODE (
    ID bigint(20) not null auto_increment,
    NAME varchar(200) not null,
    IP varchar(200) not null,
    PORT bigint(20) not null,
    DESCRIPTION varchar(200) default null,
    PARAMETERS text default null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    unique key NODEUNIQUE (NAME, IP)
) engine=InnoDB default charset=utf8;

create table DATA_MEDIA_SOURCE (
    ID bigint(20) not null auto_increment,
    NAME varchar(200) not null,
    TYPE varchar(20) not null,
    PROPERTIES varchar(1000) not null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    unique key DATAMEDIASOURCEUNIQUE (NAME)
) engine=InnoDB default charset=utf8;

create table DATA_MEDIA (
    ID bigint(20) not null auto_increment,
    NAME varchar(200) not null,
    NAMESPACE varchar(200) not null,
    PROPERTIES varchar(1000) not null,
    DATA_MEDIA_SOURCE_ID bigint(20) not null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    unique key DATAMEDIAUNIQUE (NAME, NAMESPACE, DATA_MEDIA_SOURCE_ID)
) engine=InnoDB default charset=utf8;

create table DATA_MEDIA_PAIR (
    ID bigint(20) not null auto_increment,
    PULLWEIGHT bigint(20) default null,
    PUSHWEIGHT bigint(20) default null,
    RESOLVER text default null,
    FILTER text default null,
    SOURCE_DATA_MEDIA_ID bigint(20) default null,
    TARGET_DATA_MEDIA_ID bigint(20) default null,
    PIPELINE_ID bigint(20) not null,
    COLUMN_PAIR_MODE varchar(20) default null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    key idx_PipelineID (PIPELINE_ID, ID)
) engine=InnoDB default charset=utf8;

create table DELAY_STAT (
    ID bigint(20) not null auto_increment,
    DELAY_TIME bigint(20) not null,
    DELAY_NUMBER bigint(20) not null,
    PIPELINE_ID bigint(20) not null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    key idx_PipelineID_GmtModified_ID (PIPELINE_ID, GMT_MODIFIED, ID),
    key idx_Pipeline_GmtCreate (PIPELINE_ID, GMT_CREATE),
    key idx_GmtCreate_id (GMT_CREATE, ID)
) engine=InnoDB default charset=utf8;

create table THROUGHPUT_STAT (
    ID bigint(20) not null auto_increment,
    TYPE varchar(20) not null,
    NUMBER bigint(20) not null,
    SIZE bigint(20) not null,
    PIPELINE_ID bigint(20) not null,
    START_TIME timestamp not null default '0000-00-00 00:00:00',
    END_TIME timestamp not null default '0000-00-00 00:00:00',
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    key idx_PipelineID_Type_GmtCreate_ID (PIPELINE_ID, TYPE, GMT_CREATE, ID),
    key idx_PipelineID_Type_EndTime_ID (PIPELINE_ID, TYPE, END_TIME, ID),
    key idx_GmtCreate_id (GMT_CREATE, ID)
) engine=InnoDB default charset=utf8;

create table TABLE_HISTORY_STAT (
    ID bigint(20) unsigned not null auto_increment,
    FILE_SIZE bigint(20) default null,
    FILE_COUNT bigint(20) default null,
    INSERT_COUNT bigint(20) default null,
    UPDATE_COUNT bigint(20) default null,
    DELETE_COUNT bigint(20) default null,
    DATA_MEDIA_PAIR_ID bigint(20) default null,
    PIPELINE_ID bigint(20) default null,
    START_TIME timestamp not null default '0000-00-00 00:00:00',
    END_TIME timestamp not null default '0000-00-00 00:00:00',
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    key idx_DATA_MEDIA_PAIR_ID_END_TIME (DATA_MEDIA_PAIR_ID, END_TIME),
    key idx_GmtCreate_id (GMT_CREATE, ID)
) engine=InnoDB default charset=utf8;

-- The key of a pair is not unique: two managers can make two rows of one pair.
create table TABLE_STAT (
    ID bigint(20) not null auto_increment,
    FILE_SIZE bigint(20) not null,
    FILE_COUNT bigint(20) not null,
    INSERT_COUNT bigint(20) not null,
    UPDATE_COUNT bigint(20) not null,
    DELETE_COUNT bigint(20) not null,
    DATA_MEDIA_PAIR_ID bigint(20) not null,
    PIPELINE_ID bigint(20) not null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    key idx_PipelineID_DataMediaPairID (PIPELINE_ID, DATA_MEDIA_PAIR_ID)
) engine=InnoDB default charset=utf8;

-- There is no index on a time: an agent has to go by ID.
create table LOG_RECORD (
    ID bigint(20) not null auto_increment,
    NID varchar(200) default null,
    CHANNEL_ID varchar(200) not null,
    PIPELINE_ID varchar(200) not null,
    TITLE varchar(1000) default null,
    MESSAGE text default null,
    GMT_CREATE timestamp not null default '0000-00-00 00:00:00',
    GMT_MODIFIED timestamp not null default current_timestamp on update current_timestamp,
    primary key (ID),
    key logRecord_pipelineId (PIPELINE_ID)
) engine=InnoDB default charset=utf8;
