"""Checks every DogStatsD line against the published grammar, over each kind of socket; and times, tags and the environment."""
import collections
import time

import pytest

from servers.dogstatsd import Check, Event, Frames, Metric, read_all, read_line
from servers.netdata import Netdata
from servers.process import wait_until
from servers.sinks import Datagrams
from servers.wiring import to_statsd

LOG = ("INSERT INTO LOG_RECORD (NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) VALUES "
       "(%s, '1', %s, %s, %s, NOW() - INTERVAL %s SECOND, NOW() - INTERVAL %s SECOND)")
ENVIRONMENT = ("AGENT_HOST", "DOGSTATSD_PORT", "DOGSTATSD_URL", "ENTITY_ID", "ENV", "SERVICE", "VERSION", "TAGS",
               "ORIGIN_DETECTION_ENABLED")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.delenv(f"DD_{name}", raising=False)


def sums(found, metric):
    """Returns sums by path, like SQL: of several values with one series and one second the last value is kept, like in the Agent."""
    stamped, total = {}, collections.Counter()
    for one in found:
        if not isinstance(one, Metric) or not one.name.startswith(f"otter.{metric}") or one.type != "c":
            continue
        tags = dict(tag.split(":", 1) for tag in one.tags if ":" in tag)
        path = ".".join(f"{key}.{tags[key]}" for key in ("pipeline", "pair", "type", "title") if key in tags)
        key = f"otter.{path}.{one.name.removeprefix('otter.')}"
        if one.time:
            stamped[key, one.tags, one.time] = one.value
        else:
            total[key] += one.value
    for (key, _, _), value in stamped.items():
        total[key] += value
    return {key: value for key, value in total.items() if value}


def wait_for_sums(server, otter, *metrics):
    def off():
        found = read_all(list(server.received))
        return {metric: (wanted_of(otter, metric), sums(found, metric)) for metric in metrics
                if wanted_of(otter, metric) != sums(found, metric)}
    try:
        wait_until(lambda: not off(), "sums", 20, 0.5)
    except AssertionError:
        for metric, (wanted, got) in off().items():
            assert wanted == got, metric


def wanted_of(otter, metric):
    return {name: value for name, value in otter.sums().items() if f".{metric}" in name and value}


@pytest.mark.parametrize("line, what", [
    (b"a:1|c", Metric), (b"a.b:-1.5|g|#k:v,flag|T1587312000|c:in-12", Metric),
    (b"_e{1,2}:t|a||t:error|#k:v", Event), (b"_e{3,0}:\xe9\x80\x9a|", Event), (b"_sc|a|0|#k:v|m:x", Check),
])
def test_the_grammar_takes_what_it_should(line, what):
    assert isinstance(read_line(line), what)


@pytest.mark.parametrize("line", [
    b"", b"a", b"a:1", b"a:|c", b":1|c", b"1a:1|c", b"a:1|x", b"a:1e3|c", b"a:+1|g", b"a:nan|g", b"a:01|g", b"a:1|c|",
    b"a:1|c|#", b"a:1|c|#a,,b", b"a:1|c|#k:v\xff", b"a:1|c|#1k:v", b"a:1|c|#k:v,k:w", b"a:1|c|T0", b"a:1|ms|T1587312000",
    b"a:1|c|c:x", b"a:1|c|T1587312000|#k:v", b"a:1|c|@0.5|T1587312000", b"_e{0,0}:|", b"_e{1,1}:ab|c", b"_e{1,2}:a|b",
    b"_e{1,1}:a|bc", b"_e{1,1}:a|b|t:bad", b"_e{1,1}:\xe9|b", b"_sc|a|4", b"_sc|a|0|m:x|#k:v", b"_sc|a|x",
])
def test_the_grammar_refuses_what_it_should(line):
    with pytest.raises(ValueError):
        read_line(line)


def receiver_of(kind, folder):
    """Returns a server, and settings for a sink of that server."""
    if kind == "udp":
        server = Datagrams()
        return server, {"port": server.port}
    server = Datagrams(folder / "dsd") if kind == "datagram" else Frames(folder / "dsd")
    return server, {"socket": str(folder / "dsd")}


@pytest.mark.parametrize("kind", ["udp", "datagram", "stream"])
def test_every_line_is_of_the_grammar_and_nothing_is_missing(mariadb, otter, folder, make_agent, kind):
    otter.do("sample")
    otter.do("history", "--rows", 3000, "--hours", 3)
    for title, message in [("a|b,c\nd", "x"), ("延迟\U0001F600", "pid:4 nid:2 exception:setl:订单|\n\U0001F600" * 2000),
                           ("e" * 100, "\r\n" * 5000), ("", "m:\n"), ("#@:", "")]:
        mariadb.query("ALTER TABLE LOG_RECORD CONVERT TO CHARACTER SET utf8mb4")
        mariadb.query(LOG, "2", "4", title, message, 30, 30)
    server, where = receiver_of(kind, folder)
    make_agent(mariadb, [to_dog(**where, tags=["team:data", "flag"])]).once()
    wait_for_sums(server, otter, "throughput.", "history.", "table.")
    found = read_all(server.received)
    assert all({"team:data", "flag"} <= set(one.tags) for one in found)
    events = [one for one in found if isinstance(one, Event)]
    assert len(events) >= 5 and all("event:log" in one.tags for one in events)
    assert max(map(len, server.received)) <= (1432 if kind == "udp" else 8192)
    if kind != "udp":
        assert max(map(len, server.received)) > 4000, "an Agent's buffer is used"
    assert not getattr(server, "broken", 0)
    server.stop()


def to_dog(**more):
    return {"type": "statsd", "flavor": "dogstatsd", "container": "", **more}


def test_the_past_has_its_time_and_the_present_has_none(mariadb, otter, make_agent):
    """The last row is so late that its step is closed: it must not overwrite the value of the step, and counts at the present time."""
    server = Datagrams()
    ages = (4000, 405, 400, 400, 7, 3990)
    for ago in ages:
        mariadb.query("INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) VALUES "
                      f"(1, 'ROW', 1, 1, NOW() - INTERVAL {ago} SECOND, NOW() - INTERVAL {ago} SECOND)")
    begun = int(time.time())
    make_agent(mariadb, [to_dog(port=server.port)]).once()
    found = [one for one in read_all(server.received) if one.name == "otter.throughput.count"]
    times = [one.time for one in found if one.time]
    assert sum(one.value for one in found if not one.time) == 2 and sum(one.value for one in found) == len(ages)
    assert len(times) in (2, 3) and len(set(times)) == len(times)
    for when in times:
        assert when % 10 == 1 and min(abs(begun - ago - when) for ago in (4000, 405, 400)) <= 15
    server.stop()


def test_backlog_0_tells_no_times(mariadb, otter, statsd, make_agent):
    """This is for a server that accepts tags but no times: the real statsd from npm, with Graphite's tags."""
    otter.do("sample")
    make_agent(mariadb, [to_dog(port=statsd.port, backlog=0)], names={"enabled": False}).once()
    wanted = {"otter.throughput.count;" + ";".join((f"pipeline={i}", f"type={word}")): value for i, word, value in
              mariadb.query("SELECT PIPELINE_ID, LOWER(TYPE), SUM(NUMBER) FROM THROUGHPUT_STAT GROUP BY 1, 2")}
    assert wanted
    statsd.wait_for({name: float(value) for name, value in wanted.items()})


def test_late_rows_add_to_the_value_that_was_sent(mariadb, otter, make_agent):
    """The second of two values with one second overwrites the first: so it must include the first value, in this and in the next run."""
    server = Datagrams()
    row = ("INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) VALUES "
           f"(1, 'ROW', 3, 0, FROM_UNIXTIME({int(time.time()) // 10 * 10 - 500}), NOW())")
    agent = make_agent(mariadb, [to_dog(port=server.port)], sources={"throughput": {"settle": 0}}).start()
    for rows in (1, 2, 3):
        mariadb.query(row)
        wait_until(lambda: sums(read_all(list(server.received)), "throughput.count") ==
                   {"otter.pipeline.1.type.row.throughput.count": 3 * rows}, f"{rows} rows")
        if rows == 2:
            assert agent.stop() == 0
            agent.start()
    times = {one.time % 10 for one in read_all(server.received) if one.name == "otter.throughput.count"}
    assert times == {1, 2}, "each run has its second"
    server.stop()


def test_stops_in_the_middle_of_the_past_lose_and_repeat_nothing(mariadb, otter, folder, make_agent):
    otter.do("history", "--rows", 6000, "--hours", 2)
    server = Frames(folder / "dsd", pause=0.01)
    agent = make_agent(mariadb, [to_dog(socket=str(folder / "dsd"), payload=512)], drain=0)
    for _ in range(6):
        agent.start()
        time.sleep(0.7)
        agent.stop()
    server.pause = 0.0
    agent.write(drain=5)
    agent.once()
    wait_for_sums(server, otter, "throughput.", "history.")
    assert agent.log().count("event=account") >= 7 and "lost=0" in agent.log()
    server.stop()


def test_an_agent_that_hangs_up_costs_no_more_than_the_log_says(mariadb, otter, folder, make_agent):
    otter.do("history", "--rows", 3000, "--hours", 1)
    server = Frames(folder / "dsd", pause=0.005)
    agent = make_agent(mariadb, [to_dog(socket=str(folder / "dsd"), payload=512, backlog=0)]).start()
    wait_until(lambda: len(server.received) > 20, "frames")
    server.hang_up()
    agent.wait_for_log("event=sink_failed")
    server.listen()
    agent.wait_for_log("event=sink_recovered", 60)
    server.pause = 0.0
    wait_until(lambda: "behind=0" in agent.log() or len(server.received) > 100, "the rest", 60)
    wait_until(lambda: sums(read_all(list(server.received)), "history."), "sums")
    time.sleep(3)
    assert agent.stop() == 0
    account = agent.log().rsplit("event=account", 1)[1]
    lost = int(account.split("lost=")[1].split()[0])
    assert lost <= 16 * 20, "a burst of sixteen frames at most"
    server.stop()


def test_a_stream_socket_is_nothing_for_plain_statsd(mariadb, otter, folder, make_agent):
    server = Frames(folder / "dsd")
    agent = make_agent(mariadb, [{"type": "statsd", "socket": str(folder / "dsd")}]).start()
    agent.wait_for_log("Protocol wrong type for socket")
    server.stop()


def test_the_environment_of_datadog(mariadb, otter, folder, make_agent, monkeypatch):
    server = Datagrams()
    monkeypatch.setenv("DD_AGENT_HOST", "localhost")
    monkeypatch.setenv("DD_DOGSTATSD_PORT", str(server.port))
    monkeypatch.setenv("DD_ENV", "prod")
    monkeypatch.setenv("DD_SERVICE", "shop")
    monkeypatch.setenv("DD_VERSION", "1.2")
    monkeypatch.setenv("DD_ENTITY_ID", "pod-uid")
    monkeypatch.setenv("DD_TAGS", "team:data, env:staging zone:a")
    mariadb.query(LOG, "-1", "4", "DELAYTIME", "pid:4 delay_time:99 seconds", 5, 5)
    make_agent(mariadb, [to_dog(tags=["service:mine"], container="c0ffee")]).once()
    wait_until(lambda: any(isinstance(one, Event) for one in read_all(list(server.received))), "an event")
    for one in read_all(server.received):
        assert {"service:mine", "env:prod", "version:1.2", "dd.internal.entity_id:pod-uid", "team:data",
                "zone:a"} <= set(one.tags)
        assert (one.fields["c"] if isinstance(one, Event) else one.origin) == "ci-c0ffee"
    server.stop()


@pytest.mark.parametrize("scheme", ["unix", "unixgram", "unixstream"])
def test_the_url_of_datadog(mariadb, otter, folder, make_agent, monkeypatch, scheme):
    server = Frames(folder / "dsd") if scheme == "unixstream" else Datagrams(folder / "dsd")
    monkeypatch.setenv("DD_DOGSTATSD_URL", f"{scheme}://{folder}/dsd")
    otter.do("sample")
    make_agent(mariadb, [to_dog()]).once()
    assert read_all(server.received)
    server.stop()


@pytest.mark.parametrize("name, value", [
    ("DOGSTATSD_PORT", "0"), ("DOGSTATSD_PORT", "x"), ("DOGSTATSD_URL", "tcp://x"), ("DOGSTATSD_URL", "unix://x"),
    ("DOGSTATSD_URL", "udp://:1"), ("DOGSTATSD_URL", "udp:///"), ("DOGSTATSD_URL", "/run/dsd"), ("AGENT_HOST", "unix://x"),
    ("AGENT_HOST", "h:x"), ("AGENT_HOST", "[::1"), ("DOGSTATSD_SOCKET", "x"), ("DOGSTATSD_URL", "udp://h:99999"), ("TAGS", "1:x"), ("ENV", "a|b"),
])
def test_an_environment_that_is_wrong_is_refused(mariadb, otter, make_agent, monkeypatch, name, value):
    monkeypatch.setenv(f"DD_{name}", value)
    done = make_agent(mariadb, [to_dog()]).run("--once")
    assert done.returncode == 78 and f"DD_{name} in the environment" in done.stderr


def test_the_config_wins_over_the_environment(mariadb, otter, make_agent, monkeypatch):
    server = Datagrams()
    for name in ("AGENT_HOST", "DOGSTATSD_PORT", "DOGSTATSD_URL"):
        monkeypatch.setenv(f"DD_{name}", "nonsense")
    otter.do("sample")
    make_agent(mariadb, [to_dog(host="127.0.0.1", port=server.port)]).once()
    assert read_all(server.received)
    server.stop()


def test_counters_go_to_npm_statsd_as_plain_as_ever(mariadb, otter, statsd, make_agent):
    """A plain sink sends no event, no tag and no time."""
    otter.do("sample")
    mariadb.query(LOG, "-1", "4", "DELAYTIME", "pid:4 delay_time:99 seconds", 5, 5)
    make_agent(mariadb, [to_statsd(statsd)]).once()
    statsd.wait_for(otter.sums())
    assert statsd.gauges()["otter.pipeline.4.title.delaytime.log.delay_s"] == 99


def test_a_real_server_takes_every_line(mariadb, otter, folder, make_agent):
    """netdata has a Debian package, and the Datadog Agent has none. netdata ignores tags, so its sums are by name."""
    server = Netdata(folder / "netdata").start()
    try:
        otter.do("sample")
        sink = to_statsd(server, flavor="dogstatsd", backlog=0, tags=["team:data"])
        agent = make_agent(mariadb, [sink], sources={"log": {"enabled": False}}).start()
        wanted = collections.Counter()
        for path, value in otter.sums().items():
            name = path.rsplit(".", 2)
            wanted[f"otter.{name[1]}.{name[2]}"] += value if name[1] != "log" else 0
        wanted = {name: value for name, value in wanted.items() if value}
        assert len(wanted) > 5
        wait_until(lambda: {name: server.counter(name) for name in wanted} == pytest.approx(wanted, rel=2e-7),
                   "netdata's sums are SQL's, as far as its 24 bits go", 60, 1)
        wait_until(lambda: server.sums("netdata.statsd_events").get("gauges"), "its own counts, with the ages that are sent again")
        assert agent.stop() == 0
        events = server.sums("netdata.statsd_events")
        assert not events["errors"] and not events["unknown"], events
    finally:
        server.stop()
