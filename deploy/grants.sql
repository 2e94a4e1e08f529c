-- A user for otterbeat that may read what it needs and nothing else. Run it in the manager's database, as
-- an administrator, after changing the password and the host:
--
--     mysql otter < deploy/grants.sql
--
-- Columns are named one by one on purpose: DATA_MEDIA.PROPERTIES, DATA_MEDIA_SOURCE.PROPERTIES and
-- CANAL.PARAMETERS hold the passwords of the databases that Otter copies between, in clear text.

CREATE USER IF NOT EXISTS 'otterbeat'@'127.0.0.1' IDENTIFIED BY 'change-me';

-- The five tables of statistics. An index is only seen, and so only chosen, when all its columns may be read:
-- who adds one for otterbeat over other columns grants these, too.
GRANT SELECT (ID, PIPELINE_ID, DELAY_TIME, GMT_CREATE, GMT_MODIFIED) ON DELAY_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED)
        ON THROUGHPUT_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, DATA_MEDIA_PAIR_ID, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, FILE_COUNT, FILE_SIZE,
        GMT_CREATE, GMT_MODIFIED) ON TABLE_HISTORY_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, DATA_MEDIA_PAIR_ID, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, FILE_COUNT, FILE_SIZE,
        GMT_CREATE, GMT_MODIFIED) ON TABLE_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED)
        ON LOG_RECORD TO 'otterbeat'@'127.0.0.1';

-- What channels, pipelines, nodes and tables are called, for labels and paths. Without these there are ids alone.
GRANT SELECT (ID, NAME) ON CHANNEL TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, NAME, CHANNEL_ID, GMT_CREATE) ON PIPELINE TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, NAME) ON NODE TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID) ON DATA_MEDIA_PAIR TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, NAMESPACE, NAME) ON DATA_MEDIA TO 'otterbeat'@'127.0.0.1';
