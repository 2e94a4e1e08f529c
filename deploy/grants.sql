-- Creates a database user that can read what otterbeat needs and nothing else. First change the password and the host
-- below. Then run this script in the manager's database, as an administrator whose account will not be deleted:
--
--     mysql otter < deploy/grants.sql
--
-- DATA_MEDIA.PROPERTIES, DATA_MEDIA_SOURCE.PROPERTIES and CANAL.PARAMETERS hold the passwords of the databases between
-- which Otter copies, in clear text. A grant of some columns of a table does not protect the other columns: HANDLER reads
-- all columns, and JOIN … USING shows whether a guessed value is right. So otterbeat reads the names from views. A view
-- shows only its own columns. It reads its table with the rights of the account that ran this script, so the views fail
-- when that account is deleted.
--
-- Run this script again after each upgrade of otterbeat. After each run the user has exactly the rights below.

CREATE USER IF NOT EXISTS 'otterbeat'@'127.0.0.1' IDENTIFIED BY 'change-me';
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'otterbeat'@'127.0.0.1';

-- The five tables of statistics contain no secrets. MySQL shows an index to the user only when the user can read all columns
-- of the index. When you add an index for otterbeat, grant all its columns, too.
GRANT SELECT (ID, PIPELINE_ID, DELAY_TIME, GMT_CREATE, GMT_MODIFIED) ON DELAY_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED)
        ON THROUGHPUT_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, DATA_MEDIA_PAIR_ID, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, FILE_COUNT, FILE_SIZE,
        GMT_CREATE, GMT_MODIFIED) ON TABLE_HISTORY_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, PIPELINE_ID, DATA_MEDIA_PAIR_ID, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, FILE_COUNT, FILE_SIZE,
        GMT_CREATE, GMT_MODIFIED) ON TABLE_STAT TO 'otterbeat'@'127.0.0.1';
GRANT SELECT (ID, NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED)
        ON LOG_RECORD TO 'otterbeat'@'127.0.0.1';

-- The names of channels, pipelines, nodes and tables, for labels and paths. Without these views the series have only ids.
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
