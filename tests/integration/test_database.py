"""The database disappears, returns, is another server, or does not answer."""
import re
import time

import pymysql
import pytest

from servers.fake_otter import FakeOtter
from servers.mariadb import PASSWORD, USER, MariaDB
from servers.process import wait_until

LOG_ROW = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES ('1', '4', 'T', 'x', NOW() - INTERVAL {} SECOND, NOW() - INTERVAL {} SECOND)")
SERIES = "otter.pipeline.4.title.t.log.records"


def add(server, n, age=5, since="NOW()"):
    """Rows so many seconds older than `since`, an expression of SQL."""
    for _ in range(n):
        server.query(LOG_ROW.format(age, age).replace("NOW()", since))


@pytest.fixture
def own_otter(own_mariadb, folder):
    fake = FakeOtter(own_mariadb, folder)
    fake.do("create", "--pipelines", 2)
    return fake


def test_a_database_that_was_killed(own_mariadb, own_otter, statsd, both, make_agent):
    agent = make_agent(own_mariadb, both).start()
    add(own_mariadb, 3)
    statsd.wait_for({SERIES: 3})
    own_mariadb.kill9()
    agent.wait_for_log("source=log event=poll_failed")
    own_mariadb.start()
    agent.wait_for_log("source=log event=poll_recovered")
    add(own_mariadb, 2)
    statsd.wait_for({SERIES: 5})
    assert agent.log().count("source=log event=poll_failed") == 1, "logged once"


def test_another_server_counts_nothing_twice(own_mariadb, own_otter, template, folder, statsd, both, make_agent):
    """A replica has become the server, with the same rows and one more row."""
    agent = make_agent(own_mariadb, both)
    begun = f"FROM_UNIXTIME({int(time.time())})"
    add(own_mariadb, 3, age=30, since=begun)
    agent.once()
    statsd.wait_for({SERIES: 3})
    place = folder / "replica"
    place.mkdir()
    replica = MariaDB(place, template, server_id=2).start()
    try:
        replica.query("CREATE DATABASE otter", database=None)
        replica.make_user()
        FakeOtter(replica, folder).do("create", "--pipelines", 2)
        add(replica, 3, age=40, since=begun)
        add(replica, 1, age=3)
        agent.top["managers"][0]["mysql"]["port"] = replica.port
        agent.write()
        done = agent.once()
        assert "source=log event=database_changed" in done.stderr
        statsd.wait_for({SERIES: 4})
    finally:
        replica.stop()


def test_a_locked_table_holds_up_only_its_source(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    wanted = {name: value for name, value in otter.sums().items() if ".throughput." not in name}
    lock = mariadb.connect("otter")
    lock.cursor().execute("LOCK TABLES THROUGHPUT_STAT WRITE")
    agent = make_agent(mariadb, both).start()
    statsd.wait_for(wanted)
    agent.wait_for_log("source=throughput event=poll_failed", 15)
    lock.cursor().execute("UNLOCK TABLES")
    agent.wait_for_log("source=throughput event=poll_recovered")
    statsd.wait_for(otter.sums())


def test_a_table_that_was_emptied(mariadb, otter, statsd, both, make_agent):
    """The ids of the emptied table begin at 1 again."""
    agent = make_agent(mariadb, both)
    add(mariadb, 5, age=30)
    agent.once()
    mariadb.query("TRUNCATE LOG_RECORD")
    add(mariadb, 2, age=5)
    agent.once()
    statsd.wait_for({SERIES: 7})
    mariadb.query("TRUNCATE LOG_RECORD")
    time.sleep(3.5)
    add(mariadb, 9, age=0)
    agent.once()
    statsd.wait_for({SERIES: 16})
    agent.once()
    statsd.wait_for({SERIES: 16})
    assert "event=ids_went_back" in agent.log() and "event=ids_reused" in agent.log()


def test_old_rows_that_were_deleted(mariadb, otter, statsd, both, make_agent):
    agent = make_agent(mariadb, both)
    add(mariadb, 5)
    agent.once()
    mariadb.query("DELETE FROM LOG_RECORD WHERE ID <= 3")
    agent.once()
    mariadb.query("DELETE FROM LOG_RECORD")
    agent.once()
    add(mariadb, 1)
    agent.once()
    statsd.wait_for({SERIES: 6})
    wait_until(lambda: statsd.counters()[SERIES] == 6, "it stays")


SECRET = "hush-7c1e"
SECRETS = {  # {table: its columns with secrets}
    "DATA_MEDIA": ("PROPERTIES",),
    "DATA_MEDIA_SOURCE": ("PROPERTIES",),
    "CANAL": ("PARAMETERS",),
    "USER": ("PASSWORD",),
    "CHANNEL": ("PARAMETERS",),
    "PIPELINE": ("PARAMETERS",),
    "NODE": ("PARAMETERS",),
    "DATA_MEDIA_PAIR": ("RESOLVER",),
}
# Queries that show a secret, or show whether a guess is right: the server must refuse all of them.
ATTACKS = """
SELECT {column} FROM {table}
SELECT 1 FROM {table} WHERE {column} = '{secret}'
SELECT ID FROM {table} ORDER BY {column}
SELECT COUNT(*) FROM {table} GROUP BY {column}
SELECT * FROM {table}
HANDLER {table} OPEN
SELECT COUNT(*) FROM {table} JOIN (SELECT '{secret}' AS {column}) guess USING ({column})
SELECT COUNT(*) FROM {table} NATURAL JOIN (SELECT '{secret}' AS {column}) guess
SELECT COUNT(*) FROM {table} t JOIN {table} u USING ({column})
EXPLAIN SELECT {column} FROM {table}
EXPLAIN EXTENDED SELECT {column} FROM {table}
ANALYZE FORMAT=JSON SELECT {column} FROM {table}
PREPARE attack FROM 'SELECT {column} FROM {table}'
EXECUTE IMMEDIATE 'SELECT {column} FROM {table}'
CHECKSUM TABLE {table}
SHOW CREATE TABLE {table}
CREATE TEMPORARY TABLE stolen AS SELECT * FROM {table}
CREATE VIEW stolen AS SELECT * FROM {table}
CREATE OR REPLACE VIEW otterbeat_{table} AS SELECT * FROM {table}
ALTER VIEW otterbeat_{table} AS SELECT * FROM {table}
SELECT {column} FROM {table} INTO OUTFILE '/tmp/{secret}'
UPDATE {table} SET {column} = '{secret}'
LOCK TABLES {table} READ
ANALYZE TABLE {table} PERSISTENT FOR ALL
SELECT * FROM mysql.column_stats
SELECT * FROM mysql.user
SHOW BINLOG EVENTS
HANDLER otterbeat_{table} OPEN
SELECT {column} FROM otterbeat_{table}
SELECT COUNT(*) FROM otterbeat_{table} JOIN (SELECT '{secret}' AS {column}) guess USING ({column})
EXPLAIN EXTENDED SELECT * FROM otterbeat_{table}
SHOW CREATE VIEW otterbeat_{table}
""".strip().splitlines()
# Queries whose answer must not contain a secret.
LOOKS = """
SELECT * FROM information_schema.COLUMNS
SELECT * FROM information_schema.TABLES
SELECT * FROM information_schema.VIEWS
SELECT * FROM information_schema.STATISTICS
SELECT * FROM information_schema.PROCESSLIST
SHOW FULL PROCESSLIST
SHOW TABLE STATUS
SHOW GRANTS
SELECT * FROM otterbeat_CHANNEL
SELECT * FROM otterbeat_PIPELINE
SELECT * FROM otterbeat_NODE
SELECT * FROM otterbeat_DATA_MEDIA_PAIR
SELECT * FROM otterbeat_DATA_MEDIA
""".strip().splitlines()


def keep_secrets(server):
    """Puts a secret into each column that may hold secrets. Tables that the fake Otter lacks are created here in a short form."""
    for table, column in (("CANAL", "PARAMETERS"), ("`USER`", "PASSWORD")):
        server.query(f"CREATE TABLE IF NOT EXISTS {table} (ID bigint primary key, NAME varchar(50), {column} text)")
        server.query(f"INSERT INTO {table} VALUES (1, 'a', '')")
    for table, columns in SECRETS.items():
        for column in columns:
            server.query(f"ALTER TABLE `{table}` MODIFY {column} varchar(1000)")
            server.query(f"UPDATE `{table}` SET {column} = '{SECRET}'")


def test_the_user_of_grants_sql_is_enough(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    mariadb.grant_as_we_say()
    agent = make_agent(mariadb, both)
    assert "names_refused" not in agent.once().stderr
    statsd.wait_for(otter.sums())
    checked = agent.run("--check").stdout
    assert "ok   grants otter: otterbeat may read, and not write" in checked, checked
    assert "ok   secrets otter: user otterbeat cannot read the tables" in checked, checked
    assert len(re.findall(r"ok   names \w+: [1-9]\d* are known", checked)) == 4, checked


def test_the_user_of_grants_sql_can_not_read_a_secret(mariadb, otter):
    keep_secrets(mariadb)
    mariadb.grant_as_we_say()
    # An older version of the script granted columns of the tables; the new version revokes this grant.
    mariadb.query("GRANT SELECT (ID, NAMESPACE, NAME) ON otter.DATA_MEDIA TO otterbeat@'127.0.0.1'")
    mariadb.run_grants()
    spy = pymysql.connect(host="127.0.0.1", port=mariadb.port, user=USER, password=PASSWORD, database="otter")
    answered = []
    with spy, spy.cursor() as cursor:
        for table, columns in SECRETS.items():
            for sql in [attack.format(table=table, column=column, secret=SECRET) for attack in ATTACKS for column in columns]:
                try:
                    cursor.execute(sql)
                except pymysql.Error:
                    continue
                answered.append((sql, cursor.fetchall()))
        assert not answered
        for sql in LOOKS:
            cursor.execute(sql)
            rows = cursor.fetchall()
            assert SECRET not in str(rows), sql
            assert not sql.startswith("SELECT * FROM otterbeat_") or rows, sql


def test_check_says_who_can_read_secrets(mariadb, otter, both, make_agent):
    """Also when the granted columns contain no secret."""
    mariadb.make_user("SELECT ON otter.DELAY_STAT")
    agent = make_agent(mariadb, both)
    for host in ("127.0.0.1", "localhost"):
        mariadb.query(f"GRANT SELECT (ID, NAMESPACE, NAME) ON otter.DATA_MEDIA TO otterbeat@'{host}'")
    checked = agent.run("--check").stdout
    assert re.search("warn secrets otter: user otterbeat can read passwords .* through some columns of DATA_MEDIA; .*deploy/grants.sql",
                     checked), checked


def test_a_view_whose_maker_is_gone_is_no_worse_than_none(mariadb, otter, both, make_agent):
    """The names are then read from the tables, if the user may read them."""
    mariadb.grant_as_we_say()
    mariadb.query("CREATE USER maker@localhost")
    mariadb.query("ALTER DEFINER = maker@localhost SQL SECURITY DEFINER VIEW otterbeat_NODE AS SELECT ID, NAME FROM NODE")
    mariadb.query("DROP USER maker@localhost")
    agent = make_agent(mariadb, both)
    checked = agent.run("--check").stdout
    assert "warn names node: shown by ids alone" in checked, [line for line in checked.splitlines() if "names" in line]
    mariadb.query("GRANT SELECT (ID, NAME) ON otter.NODE TO otterbeat@'127.0.0.1'")
    assert "ok   names node" in agent.run("--check").stdout
