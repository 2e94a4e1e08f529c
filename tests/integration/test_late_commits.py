"""Transactions that commit late, and ids of two masters: every row counts once."""
import time

import pytest


@pytest.mark.slow
def test_six_writers_and_two_masters(mariadb, otter, carbon, statsd, both, make_agent):
    agent = make_agent(mariadb, both).start()
    managers = otter.run("--seconds", 15, "--speed", 20, "--managers", 2, "--masters", 2, "--writers", 6, "--hold", 6,
                         "--rate", 200)
    assert managers.wait(60) == 0, managers.log()
    wanted = otter.sums()
    statsd.wait_for(wanted, 30)
    agent.stop()
    carbon.wait_for(wanted)
    agent.once()
    statsd.wait_for(wanted)


def test_a_row_that_becomes_visible_behind_a_newer_one(mariadb, otter, statsd, both, make_agent):
    """The row with the lower id commits last, and counts once, as a late row."""
    agent = make_agent(mariadb, both, sources={"log": {"settle": 0}}).start()
    row = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES ('1', '1', '%s', 'x', NOW(), NOW())")
    late = mariadb.connect("otter")
    late.begin()
    late.cursor().execute(row % "LATE")
    mariadb.query(row % "EARLY")
    statsd.wait_for({"otter.pipeline.1.title.early.log.records": 1})
    late.commit()
    statsd.wait_for({"otter.pipeline.1.title.late.log.records": 1})
    time.sleep(2.5)
    statsd.wait_for({"otter.pipeline.1.title.late.log.records": 1, "otter.pipeline.1.title.early.log.records": 1})
    agent.stop()


def test_rows_that_come_behind_the_overlap_while_as_many_are_purged(mariadb, otter, statsd, both, make_agent):
    """Sixty rows are deleted and 59 rows become visible at the same time, so that a count of rows shows almost no change."""
    row = ("INSERT INTO LOG_RECORD (ID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES (%s, '1', '1', %s, 'x', NOW() - INTERVAL 1 MINUTE, NOW() - INTERVAL 1 MINUTE)")
    with mariadb.connect("otter") as connection, connection.cursor() as cursor:
        cursor.executemany(row, [(1000 + 2 * i, "EARLY") for i in range(120)])
        cursor.execute(row.replace("1 MINUTE", "0 MINUTE"), (9000, "LAST"))
    agent = make_agent(mariadb, both, sources={"log": {"overlap": 4}}).start()
    series = "otter.pipeline.1.title.{}.log.records"
    statsd.wait_for({series.format("early"): 120, series.format("last"): 1})
    time.sleep(5)  # the row is now older than the overlap
    with mariadb.connect("otter") as connection, connection.cursor() as cursor:
        connection.begin()
        cursor.execute("DELETE FROM LOG_RECORD WHERE ID < 1120")
        cursor.executemany(row, [(1121 + 2 * i, "LATE") for i in range(59)])
        connection.commit()
    statsd.wait_for({series.format("late"): 59})
    agent.wait_for_log("event=late_rows table=LOG_RECORD rows=59")
    time.sleep(3)
    statsd.wait_for({series.format("early"): 120, series.format("late"): 59})
