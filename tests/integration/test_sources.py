"""Every built-in table has its series, and also a table that the user defines."""
import re
import socket
import time

from servers.process import wait_until
from servers.agent import SOURCES, Raw

EACH_SECOND = {name: {"enabled": True, "every": 1, "start": "now", "settle": 0} for name in SOURCES}


def test_gauges_of_age_also_when_nothing_arrives(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    make_agent(mariadb, both).start()
    age = wait_until(lambda: statsd.gauges().get("otter.pipeline.1.delay_age_s"), "an age")
    newest = mariadb.query("SELECT UNIX_TIMESTAMP(MAX(GMT_CREATE)) FROM DELAY_STAT WHERE PIPELINE_ID = 1")[0][0]
    assert abs(time.time() - newest - age) < 10
    wait_until(lambda: "otter.pipeline.2.throughput_age_s" in statsd.gauges(), "an age of the other table")
    wait_until(lambda: statsd.gauges()["otter.pipeline.1.delay_age_s"] > age, "it grows")


def test_an_age_that_only_grew_is_sent_once_in_ten_seconds(mariadb, otter, sink, make_agent):
    """The table is polled each second. The age of a new row is sent at once, so it is still small."""
    def ages():
        name = "otter.pipeline.1.delay_age_s:"
        return [int(line.removeprefix(name).split("|")[0]) for line in sink.lines() if line.startswith(name)]

    otter.do("sample")
    make_agent(mariadb, [{"type": "statsd", "port": sink.port}]).start()
    wait_until(ages, "an age")
    before = len(ages())
    time.sleep(4)
    assert len(ages()) - before <= 1, ages()
    for row in range(3):
        before = len(ages())
        mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)"
                      " VALUES (1, 1, 1, NOW(), NOW())")
        assert wait_until(lambda: ages()[before:], "the age of the new row")[0] <= 4, f"row {row}"
    before = ages()[-1]
    wait_until(lambda: ages()[-1] > before, "it grows")


def test_a_poll_without_news_asks_for_the_clock_and_the_rows_at_once(mariadb, otter, sink, make_agent):
    """In a poll, each of five sources sends one query; the ages of a table without a new row need none."""
    def selects():
        return int(mariadb.query("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])

    otter.do("sample")
    agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}], sources=EACH_SECOND).start()
    agent.wait_for_log("source=log event=plan")
    time.sleep(3)
    before, began = selects(), time.monotonic()
    time.sleep(6)
    seconds, asked = time.monotonic() - began, selects() - before
    assert asked <= 5 * (seconds + 1) + 8, f"{asked} queries in {seconds:.1f} s"
    assert asked >= 5, "it polls"


def test_the_agent_counts_itself(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    make_agent(mariadb, both).once()
    rows = mariadb.query("SELECT COUNT(*) FROM LOG_RECORD")[0][0]
    prefix = f"otter.agent.{re.sub('[^A-Za-z0-9_-]', '_', socket.gethostname())}"
    counters = wait_until(lambda: statsd.ask("counters", of_agent=True), "its counters")
    assert counters[f"{prefix}.source.log.agent.rows"] == rows > 0
    assert counters[f"{prefix}.source.log.agent.errors"] == 0
    assert f"{prefix}.sink.graphite.agent.behind" in statsd.ask("gauges", of_agent=True)
    assert f"{prefix}.agent.queue_bytes" in statsd.ask("gauges", of_agent=True)


def test_start_now_counts_what_comes_from_now_on(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    now = {name: {"start": "now", "settle": 0} for name in ("delay", "throughput", "history", "table", "log")}
    agent = make_agent(mariadb, both, sources=now).start()
    agent.wait_for_log("source=log event=plan")
    wait_until(lambda: "otter.pipeline.1.delay_age_s" in statsd.gauges(), "it reads")
    before = otter.sums()
    time.sleep(2.5)
    otter.do("run", "--seconds", 3, "--speed", 60)
    after = otter.sums()
    wanted = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    assert len(wanted) > 10
    statsd.wait_for(wanted)


def test_a_table_of_the_users_own(mariadb, otter, statsd, both, make_agent):
    mariadb.query("CREATE TABLE ORDERS (ID BIGINT AUTO_INCREMENT PRIMARY KEY, CREATED TIMESTAMP, SHOP VARCHAR(50), "
                  "AMOUNT DECIMAL(20,0), DEPTH INT)")
    mariadb.query("INSERT INTO ORDERS (CREATED, SHOP, AMOUNT, DEPTH) VALUES (NOW() - INTERVAL 1 HOUR, 'a.b', 7, 3), "
                  "(NOW() - INTERVAL 1 HOUR, 'a.b', 5, 4), (NOW() - INTERVAL 1 HOUR, 'c', 1, 9)")
    columns = Raw('( ("cursor", "ID"), ("time", "CREATED"), ("key", "SHOP"), ("increment", "AMOUNT"), '
                  '("value", "DEPTH", "depth"), ("count", "", "orders.made") )')
    agent = make_agent(mariadb, both, sources={"orders": {"every": 1, "start": "oldest", "table": "ORDERS",
                                                          "columns": columns}})
    agent.once()
    statsd.wait_for({"otter.shop.a_b.orders.amount": 12, "otter.shop.a_b.orders.made": 2,
                     "otter.shop.c.orders.amount": 1})
    assert statsd.gauges()["otter.shop.c.depth"] == 9
    agent.once()
    statsd.wait_for({"otter.shop.a_b.orders.amount": 12})


def test_two_managers_have_series_of_their_own(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    database = make_agent(mariadb, both).top["managers"][0]["mysql"]
    agent = make_agent(mariadb, both, name="two", managers=[{"name": "east", "mysql": database},
                                                            {"name": "west", "mysql": database}])
    agent.once()
    wanted = {name.replace("otter.", f"otter.manager.{manager}.", 1): value
              for name, value in otter.sums().items() for manager in ("east", "west")}
    statsd.wait_for(wanted)
