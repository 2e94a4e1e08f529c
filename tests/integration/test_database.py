"""The database goes away, comes back, is another one, holds still."""
import time

import pytest

from servers.fake_otter import FakeOtter
from servers.mariadb import MariaDB
from servers.process import wait_until

LOG_ROW = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES ('1', '4', 'T', 'x', NOW() - INTERVAL {} SECOND, NOW() - INTERVAL {} SECOND)")
SERIES = "otter.pipeline.4.title.t.log.records"


def add(server, n, age=5):
    for _ in range(n):
        server.query(LOG_ROW.format(age, age))


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
    assert agent.log().count("source=log event=poll_failed") == 1, "told once"


def test_another_server_counts_nothing_twice(own_mariadb, own_otter, template, folder, statsd, both, make_agent):
    """A replica took over, with the same rows and one more."""
    agent = make_agent(own_mariadb, both)
    add(own_mariadb, 3, age=30)
    agent.once()
    statsd.wait_for({SERIES: 3})
    place = folder / "replica"
    place.mkdir()
    replica = MariaDB(place, template, server_id=2).start()
    try:
        replica.query("CREATE DATABASE otter", database=None)
        replica.make_user()
        FakeOtter(replica, folder).do("create", "--pipelines", 2)
        add(replica, 3, age=40)
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
    """Its ids begin at 1 again."""
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
    assert "event=ids_went_back" in agent.log() and "event=ids_used_again" in agent.log()


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


def test_the_user_of_grants_sql_is_enough(mariadb, otter, statsd, both, make_agent, folder):
    """… and may not read where Otter keeps passwords."""
    import pathlib
    import subprocess

    import pymysql
    grants = pathlib.Path(__file__).resolve().parents[2] / "deploy/grants.sql"
    otter.do("sample")
    mariadb.query("DROP USER IF EXISTS otterbeat@localhost, otterbeat@'127.0.0.1'", database=None)
    with open(grants, "rb") as sql:
        subprocess.run(["mariadb", "--no-defaults", f"--socket={mariadb.socket}", "--user=root", "otter"], stdin=sql,
                       check=True)
    agent = make_agent(mariadb, both, mysql={"password": "change-me"})
    assert "names_refused" not in agent.once().stderr
    statsd.wait_for(otter.sums())
    spy = pymysql.connect(host="127.0.0.1", port=mariadb.port, user="otterbeat", password="change-me", database="otter")
    with pytest.raises(pymysql.Error):
        spy.cursor().execute("SELECT PROPERTIES FROM DATA_MEDIA")
    with pytest.raises(pymysql.Error):
        spy.cursor().execute("SELECT ID FROM DATA_MEDIA_SOURCE")
