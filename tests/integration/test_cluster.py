"""Several agents with one config and one state: one of them works, and another takes over what it leaves, exactly."""
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pymysql
import pytest

from chaos import accounts
from servers.agent import SLACK
from servers.counting import CountedTcp, CountedUdp
from servers.fake_otter import BUILD
from servers.lost_answer import LostAnswer
from servers.process import wait_until
from servers.prometheus import promtool
from servers.wiring import to_graphite, to_statsd

LOAD = ("--speed", 20, "--writers", 4, "--hold", 2, "--rate", 120)
ON_DATABASE = ("batches", "dedup", "lease", "name_table", "queue", "queue_kept", "seen_ids", "store", "totals", "tracked_rows")
LEASE = 3


class Member:
    """An agent of a cluster, whose lines are counted on their way. Its own series, which need no lease, are off."""

    def __init__(self, name, make_agent, mariadb, state, carbon, statsd, lease=LEASE):
        self.name, self.state = name, state
        self.tcp, self.udp = CountedTcp(carbon.port), CountedUdp(statsd.port)
        sinks = [to_statsd(self.udp), to_graphite(self.tcp, horizon=2, creates=0)]
        self.agent = make_agent(mariadb, sinks, name=name, state=state.settings(name, lease), drain=5,
                                sources={"agent": {"enabled": False}},
                                status={"listen": f"unix:{name}.sock"})

    def start(self):
        self.agent.start()
        return self

    def sent(self):
        return self.tcp.bytes + self.udp.bytes

    def is_owner(self):
        return self.state.lease()[0] == self.name

    def wait_until_sending(self, seconds):
        """Returns how long it took until this agent sent something to Graphite."""
        began, before = time.monotonic(), self.tcp.bytes
        wait_until(lambda: self.tcp.bytes > before, f"{self.name} sends", seconds, 0.01)
        return time.monotonic() - began

    def ask(self, url):
        """Returns the status code and the text of a page."""
        done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", "--unix-socket", str(self.agent.folder / f"{self.name}.sock"),
                               f"http://localhost{url}"], capture_output=True, text=True, timeout=10)
        text, _, code = done.stdout.rpartition("\n")
        return int(code), text


@pytest.fixture
def pair(make_agent, mariadb, state, carbon, statsd):
    members = [Member(name, make_agent, mariadb, state, carbon, statsd) for name in ("a", "b")]
    yield members
    for member in members:
        member.tcp.stop()
        member.udp.stop()


def begin(pair):
    """Starts both. The first one becomes the owner."""
    owner, standby = pair
    owner.start()
    wait_until(owner.is_owner, "the first agent owns the state")
    standby.start()
    standby.agent.wait_for_log("event=standby agent=b")
    return owner, standby


def end(otter, load, carbon, statsd, agent):
    """The load ends; then Graphite's sums are those of SQL, and StatsD has not more. Returns what StatsD lacks."""
    assert load.wait(90) == 0, load.log()
    wanted = otter.sums()
    carbon.wait_for(wanted, 60)
    lacks = 0
    for name, (sql, got) in statsd.differences(wanted).items():
        assert got <= sql, f"{name}: {got} of {sql}"
        lacks += sql - got
    return lacks


def uncertain(pair):
    return sum(member.agent.log().count("event=in_doubt") for member in pair)


@pytest.mark.parametrize("test", ON_DATABASE)
def test_the_store_on_a_database(state, test):
    done = subprocess.run([str(BUILD / f"tests/unit/test_{test}")], env={**os.environ, "OB_UNIT_STATE_PORT": str(state.port)},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "SKIPPED" not in done.stderr, done.stderr


def test_a_killed_owner_is_replaced_within_the_lease(otter, pair, carbon, statsd):
    owner, standby = begin(pair)
    load = otter.run("--seconds", 30, *LOAD)
    time.sleep(5)
    took = []
    for _ in range(3):
        owner.agent.kill9()
        took.append(standby.wait_until_sending(LEASE + 5))
        owner, standby = standby, owner
        time.sleep(1)
        times = standby.agent.log().count("event=standby")
        standby.start()
        standby.agent.wait_for_log("event=standby", times=times + 1)
        time.sleep(1)
    print("kill -9: the other agent sends after", [f"{s:.2f} s" for s in took])
    assert max(took) <= LEASE + 1 + SLACK
    end(otter, load, carbon, statsd, owner.agent)
    assert owner.state.lease()[1] >= 4


def test_rows_that_somebody_locks_are_a_reason(otter, pair, state):
    owner, standby = begin(pair)
    with state.connect("otterbeat") as somebody, somebody.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT * FROM agents FOR UPDATE")
        for member, event in ((owner, "lease_not_renewed"), (standby, "lease_not_taken")):
            wait_until(lambda: re.search(f"event={event} .*Lock wait timeout", member.agent.log()), f"{member.name} says {event}")
        cursor.execute("ROLLBACK")
    wait_until(lambda: owner.is_owner() or standby.is_owner(), "an agent owns the state again")


def test_a_stop_hands_over_at_once(otter, pair, carbon, statsd):
    owner, standby = begin(pair)
    load = otter.run("--seconds", 20, *LOAD)
    took = []
    for _ in range(3):
        time.sleep(3)
        assert owner.agent.stop() == 0
        took.append(standby.wait_until_sending(5))
        owner, standby = standby, owner
        standby.start()
    print("SIGTERM: the other agent sends after", [f"{s:.2f} s" for s in took])
    assert max(took) <= 1 + SLACK
    assert end(otter, load, carbon, statsd, owner.agent) == 0, "an agent that stops in order leaves nothing in doubt"


def cluster(member, *options):
    return member.agent.run("cluster", *options)


def test_a_release_hands_over_at_once(otter, pair, carbon, statsd):
    """Again and again, under load: nothing is in doubt, and the former owner stays a standby."""
    owner, standby = begin(pair)
    load = otter.run("--seconds", 40, *LOAD)
    took, said = [], []
    for _ in range(8):
        time.sleep(random.uniform(1.5, 3))
        process = owner.agent.process.child.pid
        before, began = standby.tcp.bytes, time.monotonic()
        asked = subprocess.Popen([*owner.agent.process.command, "cluster", "release", "--all"], cwd=owner.agent.folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: standby.tcp.bytes > before, "the other agent sends", 10, 0.01)
        took.append(time.monotonic() - began)
        out, err = asked.communicate(timeout=20)
        assert asked.returncode == 0 and f"agent {owner.name} has released 1 manager, and" in out, out + err
        said.append(int(re.search(r"(\d+) ms", out)[1]))
        assert owner.agent.process.child.pid == process and owner.agent.process.is_running()
        owner, standby = standby, owner
    print("release: the other agent sends after", [f"{s:.2f} s" for s in took], "and has the lease after (ms)", said)
    lacks = end(otter, load, carbon, statsd, owner.agent)
    assert uncertain(pair) == 0 and lacks == 0, "a release leaves nothing in doubt"
    assert max(took) <= 1 + SLACK
    assert all("event=lease_lost" not in member.agent.log() for member in pair)


def test_a_release_that_nobody_takes(otter, pair, state):
    owner, standby = begin(pair)
    generation = state.lease()[1]
    standby.agent.process.send(signal.SIGSTOP)
    done = cluster(owner, "release", "--all")
    assert done.returncode == 69 and "other agents have not taken over all" in done.stderr, done.stdout + done.stderr
    assert state.lease() == ("a", generation + 1)
    done = cluster(owner, "release", "--all")
    assert done.returncode == 69 and "no other agent lives, so agent a keeps what it owns" in done.stderr, done.stderr
    standby.agent.process.send(signal.SIGCONT)
    assert owner.agent.stop() == 0
    wait_until(standby.is_owner, "the other agent takes over")
    assert standby.agent.stop() == 0
    assert "agent a owns no manager" in cluster(owner, "release", "--all").stderr
    assert "no agent has ever owned a manager" in cluster(owner, "release", "west").stderr
    done = cluster(owner, "release")
    assert done.returncode == 64 and "name a manager, or use --all" in done.stderr


def test_an_operator_sees_the_cluster(otter, pair, carbon, statsd):
    owner, standby = begin(pair)
    otter.do("sample")
    carbon.wait_for(otter.sums())
    carbon.kill9()
    assert otter.run("--seconds", 2, "--speed", 20, "--rate", 60).wait(60) == 0

    def seen():
        return json.loads(cluster(standby, "--json").stdout)
    wait_until(lambda: {one["sink"]: one["points"] > 0 for one in seen()["managers"][0]["sinks"]} ==
               {"statsd": False, "graphite": True}, "Graphite has a backlog")
    view = seen()
    manager, = view["managers"]
    assert manager["manager"] == "" and manager["owner"] == "a" and manager["generation"] == 1
    assert 0 <= manager["lease_age_ms"] <= LEASE * 1000 >= manager["lease_left_ms"] > 0
    assert {one["agent"]: (one["state"], one["managers"]) for one in view["agents"]} == {"a": ("owner", 1), "b": ("standby", 0)}
    assert all(0 <= one["beat_age_ms"] <= LEASE * 1000 for one in view["agents"])
    assert manager["queue"]["points"] >= manager["sinks"][1]["points"] and manager["queue"]["bytes"] > 0
    standby.agent.kill9()
    wait_until(lambda: "silent" in cluster(owner).stdout, "the dead agent is silent", LEASE + 2)
    text = cluster(owner).stdout
    print(text)
    assert re.search(r'^"" +a +1 ', text, re.M)


def test_cluster_needs_a_shared_state(otter, make_agent, mariadb, carbon):
    alone = make_agent(mariadb, [to_graphite(carbon)])
    for words in ((), ("--json",), ("release", "--all")):
        done = alone.run("cluster", *words)
        assert done.returncode == 78 and "no setting `state`" in done.stderr


def test_an_upgrade_of_the_tables_keeps_the_rows(state):
    state.ask("DROP TABLE releases")
    state.ask("UPDATE state_version SET version = 1")
    state.ask("INSERT INTO leases VALUES (1, '', '', 0, 7, 0, 0, 0)")
    state.install()
    assert state.ask("SELECT version FROM state_version") == ((2,),) and state.ask("SELECT * FROM releases") == ()
    assert state.lease()[1] == 7


def test_a_frozen_owner_sends_nothing_when_it_wakes(otter, pair, carbon, statsd):
    owner, standby = begin(pair)
    load = otter.run("--seconds", 45, *LOAD)
    time.sleep(3)
    for _ in range(4):
        time.sleep(random.uniform(0.5, 1.5))
        owner.agent.process.send(signal.SIGSTOP)
        took = standby.wait_until_sending(LEASE + 8)
        print(f"SIGSTOP: the other agent sends after {took:.2f} s")
        assert took <= LEASE + 1 + SLACK
        time.sleep(1)
        sent, lost = owner.sent(), owner.agent.log().count("event=lease_lost")
        owner.agent.process.send(signal.SIGCONT)
        owner.agent.wait_for_log("event=lease_lost", times=lost + 1, seconds=10)
        time.sleep(2)
        assert owner.sent() == sent, "the former owner sent something"
        assert not owner.is_owner()
        owner, standby = standby, owner
    end(otter, load, carbon, statsd, owner.agent)


def test_a_frozen_owner_does_not_finish_what_it_was_sending(otter, pair, carbon, statsd):
    """It freezes inside a send, when its socket is full. When it wakes, the socket is empty, and the rest of the lines is old."""
    otter.do("history", "--rows", 8000, "--hours", 24, "--table", "TABLE_HISTORY_STAT")
    pair[0].tcp.pause = 0.25
    owner, standby = begin(pair)
    wait_until(lambda: owner.tcp.bytes > 200_000, "the owner waits for its full socket")
    owner.agent.process.send(signal.SIGSTOP)
    owner.tcp.pause = 0
    standby.wait_until_sending(LEASE + 5)
    sent = owner.sent()
    owner.agent.process.send(signal.SIGCONT)
    owner.agent.wait_for_log("event=lease_lost", seconds=10)
    time.sleep(1)
    assert owner.sent() == sent, "the former owner sent something"
    wanted = otter.sums()
    assert sum(wanted.values()) > 0
    carbon.wait_for(wanted, 60)


def test_the_database_of_the_state_is_killed(otter, pair, state, carbon, statsd):
    owner, standby = begin(pair)
    load = otter.run("--seconds", 30, *LOAD)
    for pause in (0.2, 1, 2 * LEASE):
        time.sleep(4)
        state.process.kill9()
        time.sleep(pause)
        if pause > LEASE:
            sent = owner.sent()
            code, text = owner.ask("/healthz")
            assert code == 503 and "the leases are ill" in text, (code, text)
            time.sleep(1)
            assert owner.sent() == sent, "an agent that cannot renew its lease sends nothing"
        state.start()
    end(otter, load, carbon, statsd, owner.agent)
    lost = owner.agent.log().count("event=lease_lost") + standby.agent.log().count("event=lease_lost")
    print("lost leases:", lost)


def test_the_database_of_the_state_hangs(otter, pair, state, carbon, statsd):
    """A frozen server is like a cut network: nobody says that the connection is dead."""
    owner, _ = begin(pair)
    load = otter.run("--seconds", 30, *LOAD)
    for _ in range(2):
        time.sleep(4)
        state.process.send(signal.SIGSTOP)
        time.sleep(0.6 * LEASE + 0.3)
        sent, before = owner.sent(), sum(member.sent() for member in pair)
        time.sleep(LEASE)
        assert owner.sent() == sent, "an agent that cannot renew its lease sends nothing"
        said = owner.agent.log()  # lost: the server froze inside a COMMIT
        assert "event=lease_not_renewed" in said or "event=lease_lost" in said, said
        state.process.send(signal.SIGCONT)
        wait_until(lambda: sum(member.sent() for member in pair) > before, "an agent sends again", 15)
        owner = next(member for member in pair if member.is_owner())
    end(otter, load, carbon, statsd, owner.agent)


def test_a_commit_without_an_answer(otter, make_agent, mariadb, state, carbon, statsd):
    """The server commits a batch, and its answer gets lost. A sink may send this batch, and the account of each sink is still right."""
    way = LostAnswer(state.port)
    one = Member("one", make_agent, mariadb, state, carbon, statsd)
    one.agent.write(state=state.settings("one", LEASE, port=way.port))
    one.start()
    load = otter.run("--seconds", 20, *LOAD)
    for times in (1, 2, 3):
        time.sleep(2)
        way.is_due = True
        one.agent.wait_for_log("it is not known whether the database has committed", times=times)
        one.wait_until_sending(LEASE + 5 + SLACK)
    end(otter, load, carbon, statsd, one.agent)
    assert one.agent.stop() == 0
    for account in accounts.read(one.agent.log()):
        assert account["points"] == sum(account[way] for way in accounts.WAYS) and account["behind"] >= 0, account
    way.stop()


def test_hosts_are_tried_in_turn(otter, make_agent, mariadb, state, carbon, statsd):
    one = Member("one", make_agent, mariadb, state, carbon, statsd)
    one.agent.write(state=state.settings("one", LEASE, hosts=("127.0.0.2", "127.0.0.1")))
    one.start()
    wait_until(one.is_owner, "the agent owns the state")
    assert one.agent.stop() == 0
    done = one.agent.run("--check")
    assert done.returncode == 69
    assert "BAD  state mysql://127.0.0.2/otterbeat" in done.stdout and "ok   state mysql://127.0.0.1/otterbeat" in done.stdout


def test_a_standby_says_that_it_stands_by(otter, pair):
    owner, standby = begin(pair)
    wait_until(lambda: owner.ask("/healthz") == (200, "ok\n"), "the owner is well")
    wait_until(lambda: standby.ask("/healthz") == (200, "standby\n"), "the standby says so")
    assert "otterbeat stands by: it owns no manager" in standby.ask("/")[1]
    for member, managers in ((owner, 1), (standby, 0)):
        metrics = member.ask("/metrics")[1]
        assert f"otterbeat_managers {managers}\n" in metrics and "otterbeat_lease 1\n" in metrics
        assert promtool("check", "metrics", input=metrics) == (0, "")
    assert standby.agent.log().count("event=standby") == 1


def test_a_reload_keeps_the_lease(otter, pair):
    owner, standby = begin(pair)
    generation = owner.state.lease()[1]
    owner.agent.reload()
    owner.agent.wait_for_log("event=reloaded")
    standby.agent.reload()
    standby.agent.wait_for_log("event=reloaded")
    time.sleep(LEASE + 1)
    assert owner.state.lease() == ("a", generation)


def test_a_second_agent_of_the_same_name_is_refused(otter, pair, make_agent, mariadb, state, carbon, statsd):
    begin(pair)
    twin = Member("a", make_agent, mariadb, state, carbon, statsd)
    twin.agent.config = pathlib.Path(twin.agent.folder / "twin.cfg")
    twin.agent.write(status={"listen": ""})
    done = twin.agent.run()
    assert done.returncode == 69 and 'another living agent is called' in done.stderr, done.stderr


def test_an_agent_that_is_started_again_waits_for_its_own_name(otter, pair):
    owner, standby = begin(pair)
    standby.agent.kill9()
    began = time.monotonic()
    standby.start()
    standby.agent.wait_for_log("event=standby agent=b", times=2)
    assert time.monotonic() - began <= LEASE + 1 + SLACK


@pytest.mark.parametrize("change, says", [
    ("UPDATE state_version SET version = 3", "upgrade otterbeat"),
    ("UPDATE state_version SET version = 1", "mysql < deploy/state.sql"),
    ("DROP TABLE state_version", "mysql < deploy/state.sql"),
    ("SET GLOBAL max_allowed_packet = 4194304", "max_allowed_packet of 127.0.0.1 is 4194304 bytes"),
])
def test_a_database_that_does_not_fit_is_refused(otter, pair, state, change, says):
    state.ask(change)
    for option in ((), ("--check",)):
        done = pair[0].agent.run(*option)
        assert done.returncode == 69 and says in done.stdout + done.stderr, done.stdout + done.stderr


def test_agents_wait_for_tables_of_their_version(otter, pair, state, carbon, statsd):
    """The tables get another version under load. Agents go on until they lose their sessions; then they wait, and say for what."""
    owner, _ = begin(pair)
    load = otter.run("--seconds", 20, *LOAD)
    time.sleep(1)

    def all_wait(says):
        return all(code == 503 and says in text for code, text in (member.ask("/healthz") for member in pair))

    for version, says in ((1, "mysql < deploy/state.sql"), (3, "upgrade otterbeat")):
        generation = state.lease()[1]
        state.ask("UPDATE state_version SET version = %s", version)
        before = sum(member.sent() for member in pair)
        wait_until(lambda last=before: sum(member.sent() for member in pair) > last, "the owner goes on", 5)
        state.cut_off()
        wait_until(lambda text=says: all_wait(text), "each agent waits, and says why", 2 * LEASE + 5)
        sent = [member.sent() for member in pair]
        if version == 1:
            state.ask("UPDATE state_version SET version = 3")
            wait_until(lambda: all_wait("upgrade otterbeat"), "each agent says the last reason", LEASE + SLACK)
            state.ask("UPDATE state_version SET version = 1")
            wait_until(lambda text=says: all_wait(text), "each agent says the reason before again", LEASE + SLACK)
            state.install(before="GRANT")
        time.sleep(LEASE)
        assert all_wait(says) and [member.sent() for member in pair] == sent, "the script was interrupted before its end"
        if version == 1:
            state.install()
        else:
            state.ask("UPDATE state_version SET version = 2")
        wait_until(lambda last=sent: [member.sent() for member in pair] != last, "an agent works again, without a restart", LEASE + 10)
        assert state.lease()[1] <= generation + 1
    assert state.ask("SELECT version FROM state_version") == ((2,),)
    end(otter, load, carbon, statsd, owner.agent)


def test_commands_read_and_rewind_the_shared_state(otter, pair, carbon, statsd):
    owner, standby = begin(pair)
    otter.do("sample")
    carbon.wait_for(otter.sums())
    shown = standby.agent.run("cursor")
    assert shown.returncode == 0 and "history" in shown.stdout, shown.stderr
    dry = standby.agent.run("--once", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    refused = standby.agent.run("cursor", "rewind", "history", "-1h")
    assert refused.returncode != 0 and "owns the manager" in refused.stderr, refused.stderr
    for member in pair:
        assert member.agent.stop() == 0
    done = standby.agent.run("cursor", "rewind", "history", "2020-01-01 00:00:00")
    assert done.returncode == 0, done.stderr
    owner.start()
    owner.agent.wait_for_log("event=rewound")
    carbon.wait_for(otter.sums())


def test_agents_have_no_more_rights_than_they_need(state):
    with pymysql.connect(host="127.0.0.1", port=state.port, user="otterbeat_agent", password="change-me-2",
                         database="otterbeat") as connection, connection.cursor() as cursor:
        for sql in ("DROP TABLE batches", "CREATE TABLE x (i INT)", "DELETE FROM leases", "UPDATE state_version SET version = 9",
                    "ALTER TABLE sinks ADD x INT", "SELECT * FROM mysql.user"):
            with pytest.raises(pymysql.Error):
                cursor.execute(sql)
