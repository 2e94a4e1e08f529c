-- Makes the database in which several agents keep their state, and its two users. First change the passwords and the hosts
-- below. Then run this script on one server of the database, as an administrator:
--
--     mysql < deploy/state.sql
--
-- A second run makes what is missing, also of a newer version, and changes neither rows nor passwords (ALTER USER changes a
-- password). cluster.md explains what the agents promise. MySQL 5.7 or later, MariaDB 10.5 or
-- later, Galera. max_allowed_packet must be at least 16 MiB on each server; MySQL 5.7 has 4 MiB by default.
--
-- A unit is what one agent owns as a whole: a manager of Otter, with its checkpoints, its batches, its sinks and its totals.
-- These have no relation to those of another unit. The table `leases` gives each manager its number, and says which agent owns
-- it. The primary key of each table except `state_version` and `agents` begins with `unit`.
--
-- Texts are VARBINARY, since two texts are the same only when all their bytes are.

CREATE DATABASE IF NOT EXISTS otterbeat;
USE otterbeat;

CREATE TABLE IF NOT EXISTS state_version (id INT NOT NULL, version INT NOT NULL, PRIMARY KEY (id)) ENGINE = InnoDB;

-- The agents. The row of a dead agent stays, with its `expires` in the past. `instance` tells two processes of one name apart. An agent takes no managers before `rests_until`.
-- All times are milliseconds since 1970 by the clock of the database.
CREATE TABLE IF NOT EXISTS agents (name VARBINARY(200) NOT NULL, instance BIGINT NOT NULL, beats BIGINT NOT NULL,
        expires BIGINT NOT NULL, rests_until BIGINT NOT NULL, PRIMARY KEY (name)) ENGINE = InnoDB;

-- Who owns a manager, and until when. `generation` grows with each owner, `beats` with each renewal, and `last_batch` is the
-- number of the last batch that was put into the queue. Every transaction of the owner changes this row. The agents add a row
-- for each manager of their config.
CREATE TABLE IF NOT EXISTS leases (unit INT NOT NULL AUTO_INCREMENT, manager VARBINARY(200) NOT NULL,
        owner VARBINARY(200) NOT NULL, instance BIGINT NOT NULL, generation BIGINT NOT NULL, beats BIGINT NOT NULL,
        expires BIGINT NOT NULL, last_batch BIGINT NOT NULL, PRIMARY KEY (unit), UNIQUE KEY manager (manager)) ENGINE = InnoDB;

-- The last owner that was asked to release a manager, by its generation: see `otterbeat cluster release`.
CREATE TABLE IF NOT EXISTS releases (unit INT NOT NULL, generation BIGINT NOT NULL, PRIMARY KEY (unit)) ENGINE = InnoDB;

-- The state itself: see agent/store/sql.c, which has the same tables for a file.
CREATE TABLE IF NOT EXISTS sources (unit INT NOT NULL, name VARBINARY(200) NOT NULL, cursor_id BIGINT NOT NULL,
        since BIGINT NOT NULL, floor_id BIGINT NOT NULL, counted_before BIGINT NOT NULL, newest BIGINT NOT NULL,
        identity VARBINARY(255) NOT NULL, changed BIGINT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, name))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS seen_ids (unit INT NOT NULL, source VARBINARY(200) NOT NULL, chunk BIGINT NOT NULL,
        newest BIGINT NOT NULL, bits BLOB NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, source, chunk))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS tracked_rows (unit INT NOT NULL, source VARBINARY(200) NOT NULL, row_key VARBINARY(2000) NOT NULL,
        row_id BIGINT NOT NULL, made BIGINT NOT NULL, below_since BIGINT NOT NULL, checksum BIGINT NOT NULL,
        PRIMARY KEY (unit, source, row_key)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS tracked_totals (unit INT NOT NULL, source VARBINARY(200) NOT NULL,
        row_key VARBINARY(2000) NOT NULL, column_name VARBINARY(256) NOT NULL, total BIGINT NOT NULL,
        checksum BIGINT NOT NULL, PRIMARY KEY (unit, source, row_key, column_name)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS names (unit INT NOT NULL, manager VARBINARY(200) NOT NULL, kind BIGINT NOT NULL,
        id BIGINT NOT NULL, since BIGINT NOT NULL, parent BIGINT NOT NULL, node VARBINARY(1020) NOT NULL,
        label1 VARBINARY(4000) NOT NULL, label2 VARBINARY(4000) NOT NULL, checksum BIGINT NOT NULL,
        PRIMARY KEY (unit, manager, kind, id, since)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS event_signatures (unit INT NOT NULL, source VARBINARY(200) NOT NULL,
        signature VARBINARY(2048) NOT NULL, since BIGINT NOT NULL, newest BIGINT NOT NULL, counted BIGINT NOT NULL,
        is_sent BIGINT NOT NULL, event LONGBLOB NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, source, signature))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS event_values (unit INT NOT NULL, source VARBINARY(200) NOT NULL, tag VARBINARY(256) NOT NULL,
        value VARBINARY(1020) NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, source, tag, value))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS pipeline_states (unit INT NOT NULL, source VARBINARY(200) NOT NULL,
        pipeline VARBINARY(200) NOT NULL, state BIGINT NOT NULL, checksum BIGINT NOT NULL,
        PRIMARY KEY (unit, source, pipeline)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS batches (unit INT NOT NULL, seq BIGINT NOT NULL, points BIGINT NOT NULL, bytes BIGINT NOT NULL,
        body LONGBLOB NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, seq)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS sinks (unit INT NOT NULL, name VARBINARY(200) NOT NULL, acked BIGINT NOT NULL,
        sent_upto BIGINT NOT NULL, saved_state LONGBLOB NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, name))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS sink_totals (unit INT NOT NULL, sink VARBINARY(200) NOT NULL, name VARBINARY(200) NOT NULL,
        n_identity BIGINT NOT NULL, tags VARBINARY(1400) NOT NULL, total BIGINT NOT NULL, checksum BIGINT NOT NULL,
        PRIMARY KEY (unit, sink, name, n_identity, tags)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS sink_totals_upto (unit INT NOT NULL, sink VARBINARY(200) NOT NULL, seq BIGINT NOT NULL,
        series_by BIGINT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (unit, sink)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- A user who may change the tables, for repairs by hand. No agent logs in as this user.
CREATE USER IF NOT EXISTS 'otterbeat_owner'@'localhost' IDENTIFIED BY 'change-me-1';
GRANT ALL PRIVILEGES ON otterbeat.* TO 'otterbeat_owner'@'localhost';

-- The agents. They change rows, and no tables.
CREATE USER IF NOT EXISTS 'otterbeat_agent'@'%' IDENTIFIED BY 'change-me-2';
GRANT SELECT ON otterbeat.state_version TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, UPDATE ON otterbeat.leases TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, UPDATE ON otterbeat.releases TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON otterbeat.agents TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.sources TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.seen_ids TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.tracked_rows TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.tracked_totals TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.names TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.event_signatures TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.event_values TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.pipeline_states TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON otterbeat.batches TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.sinks TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.sink_totals TO 'otterbeat_agent'@'%';
GRANT SELECT, INSERT, DELETE ON otterbeat.sink_totals_upto TO 'otterbeat_agent'@'%';

-- This statement is the last one: before it, agents of this version refuse the tables, so they never use a half-made upgrade.
INSERT INTO state_version (id, version) VALUES (1, 2) ON DUPLICATE KEY UPDATE version = GREATEST(version, 2);
