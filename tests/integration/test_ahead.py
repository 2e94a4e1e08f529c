"""A page that was asked for while the one before was on its way."""
import time

from servers.mariadb import USER
from servers.process import wait_until
from servers.wiring import to_statsd

ASKED = "SELECT ID, COMMAND FROM information_schema.PROCESSLIST WHERE USER = %s"


def test_it_holds_nothing_open_and_may_be_lost(mariadb, otter, statsd, make_agent):
    """The queue is full, so that pages that were asked for are not fetched; then their connections are killed."""
    otter.do("history", "--rows", 20000, "--hours", 24)
    statsd.kill9()
    agent = make_agent(mariadb, [to_statsd(statsd)], queue={"max_bytes": 65536}).start()
    agent.wait_for_log("event=sink_failed")
    wait_until(lambda: {command for _, command in mariadb.query(ASKED, USER)} == {"Sleep"}, "no statement is open")
    time.sleep(2)
    sessions = mariadb.query(ASKED, USER)
    assert {command for _, command in sessions} == {"Sleep"}
    for session, _ in sessions:
        mariadb.query(f"KILL {session}")
    statsd.start()
    statsd.wait_for(otter.sums(), 60)
    agent.wait_for_log("event=poll_failed")
