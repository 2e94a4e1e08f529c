-- A user for otterbeat that may read what it needs and nothing else. Run it in the manager's database, as
-- an administrator whose account stays, after changing the password and the host:
--
--     mysql otter < deploy/grants.sql
--
-- DATA_MEDIA.PROPERTIES, DATA_MEDIA_SOURCE.PROPERTIES and CANAL.PARAMETERS hold the passwords of the databases that
-- Otter copies between, in clear text. The grant of some columns of a table does not protect the others: HANDLER reads
-- them all, and JOIN … USING tells whether a guess is right. So names are read from views, which show the columns
-- that are in them and no more, by the rights of the account that runs this script. Run it again at any time, also
-- after an older version of it: the user then has just these rights.

CREATE USER IF NOT EXISTS 'otterbeat'@'127.0.0.1' IDENTIFIED BY 'change-me';
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'otterbeat'@'127.0.0.1';

-- The five tables of statistics, where nothing is secret. An index is only seen, and so only chosen, when all its
-- columns may be read: who adds one for otterbeat over other columns grants these, too.
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
CREATE OR REPLACE SQL SECURITY DEFINER VIEW otterbeat_CHANNEL AS SELECT ID, NAME FROM CHANNEL;
CREATE OR REPLACE SQL SECURITY DEFINER VIEW otterbeat_PIPELINE AS
        SELECT ID, NAME, CHANNEL_ID, GMT_CREATE FROM PIPELINE;
CREATE OR REPLACE SQL SECURITY DEFINER VIEW otterbeat_NODE AS SELECT ID, NAME FROM NODE;
CREATE OR REPLACE SQL SECURITY DEFINER VIEW otterbeat_DATA_MEDIA_PAIR AS
        SELECT ID, PIPELINE_ID, SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID FROM DATA_MEDIA_PAIR;
CREATE OR REPLACE SQL SECURITY DEFINER VIEW otterbeat_DATA_MEDIA AS SELECT ID, NAMESPACE, NAME FROM DATA_MEDIA;
GRANT SELECT ON otterbeat_CHANNEL TO 'otterbeat'@'127.0.0.1';
GRANT SELECT ON otterbeat_PIPELINE TO 'otterbeat'@'127.0.0.1';
GRANT SELECT ON otterbeat_NODE TO 'otterbeat'@'127.0.0.1';
GRANT SELECT ON otterbeat_DATA_MEDIA_PAIR TO 'otterbeat'@'127.0.0.1';
GRANT SELECT ON otterbeat_DATA_MEDIA TO 'otterbeat'@'127.0.0.1';
