"""One agent with many managers, whose pipelines write their rows once a minute, as Otter does."""
import dataclasses
import pathlib
import re
import threading
import time

from servers.mariadb import PASSWORD, USER
from servers.process import wait_until

from bench.cases.arrival import Arrivals
from bench.cases.polls import HOUR, running
from bench.contenders import LARGE_QUEUE, make_agent, only, to_sink
from bench.database import PIPELINES
from bench.sinks import Sink

EVERY, EVERY_TOTALS = 15, 30  # the default intervals
SETTLE = 2                    # the default, in seconds
MINUTE = 60
MARK = 10                     # a delay is this plus the number of its commit; the rows of before have smaller delays
DELAY = re.compile(rb"manager(\d+)\.pipeline\.\d+\.delay_ms:(\d\d+)\|")
STATUS = re.compile(r"^(VmHWM|VmRSS|Threads):\s+(\d+)", re.M)


@dataclasses.dataclass
class Cost:
    managers: int
    threads: int
    sessions: int
    files: int
    rss_kib: int
    peak_kib: int
    cpu_s_an_hour: float
    late: list        # seconds from commit to datagram, sorted
    behind_poll: list  # seconds from a poll's query of a row to the row's datagram, sorted
    late_poll: float  # the longest time between two polls of one manager beyond the interval


def percent(found, part):
    return found[min(len(found) - 1, int(len(found) * part / 100))]


class Writer:
    """One thread that gives each manager one pipeline's rows in each pause: one transaction for all managers."""

    def __init__(self, db, names, pipelines=PIPELINES):
        self.db, self.names, self.pipelines = db, names, pipelines
        self.at, self.is_over = [], threading.Event()  # at: the time of each commit
        self.thread = threading.Thread(target=self._write)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def _write(self):
        with self.db.server.connect(None) as connection, connection.cursor() as cursor:
            cursor.execute("SET sql_log_off = 1")
            connection.autocommit(False)
            begin = time.monotonic()
            while not self.is_over.wait(max(0, begin + len(self.at) * MINUTE / self.pipelines - time.monotonic())):
                for manager, name in enumerate(self.names):
                    self._add_rows(cursor, name, 1 + (len(self.at) + manager) % self.pipelines)
                connection.commit()
                self.at.append(time.monotonic())

    def _add_rows(self, cursor, name, pipeline):
        cursor.execute(f"INSERT INTO {name}.DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE)"
                       f" VALUES ({MARK + len(self.at)}, 1, {pipeline}, NOW())")
        cursor.execute(f"INSERT INTO {name}.THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, GMT_CREATE)"
                       f" VALUES ('ROW', 7, 700, {pipeline}, NOW()), ('FILE', 1, 9000, {pipeline}, NOW())")
        cursor.execute(f"INSERT INTO {name}.TABLE_HISTORY_STAT (FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT,"
                       " DELETE_COUNT, DATA_MEDIA_PAIR_ID, PIPELINE_ID, GMT_CREATE)"
                       f" VALUES (0, 0, 5, 2, 1, {pipeline}, {pipeline}, NOW())")
        cursor.execute(f"UPDATE {name}.TABLE_STAT SET INSERT_COUNT = INSERT_COUNT + 5, UPDATE_COUNT = UPDATE_COUNT + 2"
                       f" WHERE PIPELINE_ID = {pipeline}")

    def commits(self, begin, end):
        """Returns the time of each row of DELAY_STAT in that time, by what DELAY finds in its line."""
        return {(b"%d" % manager, b"%d" % (MARK + i)): at
                for i, at in enumerate(self.at) if begin <= at < end for manager in range(len(self.names))}


def polls(db, names):
    """Returns for each manager the times, by time.monotonic(), at which its new delays were asked for."""
    shift = time.monotonic() - time.time()
    found = db.query("""
        SELECT c.argument, UNIX_TIMESTAMP(q.event_time) FROM mysql.general_log q JOIN mysql.general_log c
        ON c.thread_id = q.thread_id AND c.command_type = 'Connect'
        WHERE q.command_type = 'Query' AND q.user_host LIKE CONCAT(%s, '%%')
        AND q.argument LIKE '%%`DELAY_TIME`%%FROM `DELAY_STAT`%%' ORDER BY q.event_time""", USER, database=None)
    each = [[] for _ in names]
    for connect, at in found:
        each[names.index(re.search(r" on (\w+)", connect)[1])].append(float(at) + shift)
    return each


def latencies(commits, arrivals, asked):
    """Returns all times from commit to datagram, and from the query that found the row to the datagram. Times of rows have whole
    seconds: a row is surely settled one second after `settle`, and a datagram that comes before the next poll is of the poll before."""
    late, behind = [], []
    for row, at in commits.items():
        arrived = arrivals.at[row]
        before = [poll for poll in asked[int(row[0])] if poll < arrived]
        late.append(arrived - at)
        behind.append(arrived - next((poll for poll in before if poll >= at + SETTLE + 1), before[-1]))
    return sorted(late), sorted(behind)


def status(pid):
    return {name: int(value) for name, value in STATUS.findall(pathlib.Path(f"/proc/{pid}/status").read_text())}


def sessions(db):
    return db.query("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = %s", USER, database=None)[0][0]


def run(world, number):
    db = world.database
    names = db.managers(number)
    managers = [{"name": name, "mysql": {"port": db.server.port, "user": USER, "password": PASSWORD, "database": name}}
                for name in names]
    sources = only("delay", "throughput", "history", "log", every=EVERY, start="-600s")
    sources["table"] = {"enabled": True, "every": EVERY_TOTALS}
    arrivals = Arrivals(DELAY)
    for sql in ("TRUNCATE mysql.general_log", "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1"):
        db.query(sql, database=None)
    with Sink(world.fresh("sink"), "tcp") as sink:
        agent = make_agent(world, names[0], [to_sink("udp", arrivals.port), to_sink("tcp", sink.port)], sources,
                           managers=managers, queue=LARGE_QUEUE)
        with running(agent) as watch, Writer(db, names) as writer:
            begun = time.monotonic()
            time.sleep(EVERY + EVERY_TOTALS)
            first = writer.commits(begun, time.monotonic())
            wait_until(lambda: first.keys() <= arrivals.at.keys(), "the first ten minutes are sent", 120)
            began, cpu = time.monotonic(), watch.cpu()
            time.sleep(world.sizes.idle)
            ended = time.monotonic()
            cpu = (watch.cpu() - cpu) * HOUR / (ended - began)
            commits = writer.commits(began, ended)
            wait_until(lambda: commits.keys() <= arrivals.at.keys(), "all arrive", 4 * EVERY)
            now, connected = status(watch.pid), sessions(db)
            files = len(list(pathlib.Path(f"/proc/{watch.pid}/fd").iterdir()))
            asked = polls(db, names)
    db.query("SET GLOBAL general_log = 0", database=None)
    late, behind = latencies(commits, arrivals, asked)
    gaps = max(b - a for times in asked for a, b in zip(times, times[1:]))
    return Cost(number, now["Threads"], connected, files, now["VmRSS"], now["VmHWM"], cpu, late, behind, gaps - EVERY)


def note(world, cost):
    world.note(f"{cost.managers} managers", 1, threads=cost.threads, sessions=cost.sessions, files=cost.files,
               rss_kib=cost.rss_kib, peak_kib=cost.peak_kib, cpu_s_an_hour=cost.cpu_s_an_hour, late_poll_s=cost.late_poll,
               **{f"{name}_p{part}_s": percent(found, part) for part in (50, 99, 100)
                  for name, found in (("late", cost.late), ("behind_poll", cost.behind_poll))})


def scale(world):
    costs = []
    for number in sorted({1, min(10, world.sizes.managers), world.sizes.managers}):
        cost = run(world, number)
        costs.append(cost)
        note(world, cost)
        what = f"{number} managers, {PIPELINES} pipelines each" if number > 1 else f"1 manager, {PIPELINES} pipelines"
        world.say(what, "", f"{cost.threads} threads, {cost.sessions} sessions, {cost.files} files,"
                  f" peak {cost.peak_kib / 1024:.1f} MiB, {cost.cpu_s_an_hour:.1f} CPU s an hour")
        world.say("… commit to datagram, p50, p99, max", f"every = {EVERY}, settle = {SETTLE}",
                  ", ".join(f"{percent(cost.late, part):.2f}" for part in (50, 99, 100)) + " s")
        world.say("… query to datagram, p50, p99, max", "",
                  ", ".join(f"{percent(cost.behind_poll, part) * 1000:.0f}" for part in (50, 99, 100)) +
                  f" ms; a poll at most {cost.late_poll * 1000:.0f} ms late")
    if len(costs) > 1:
        few, many = costs[0], costs[-1]
        each = (many.peak_kib - few.peak_kib) / 1024 / (many.managers - few.managers)
        world.say("peak RSS a manager", "<= 4 MiB", f"{each:.2f} MiB", each <= 4)
