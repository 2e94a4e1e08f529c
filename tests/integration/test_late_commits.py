"""Transactions that commit late, ids of two masters: every row once."""
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
    """The lower id commits last, and is counted, once, as a late one."""
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
