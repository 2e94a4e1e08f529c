"""The programs that do the same work: they send all rows of DELAY_STAT to one sink, two lines per row, the time and the number."""
import dataclasses
import shutil
import textwrap
import time
import urllib.request

from servers.agent import PROGRAM, Agent
from servers.mariadb import PASSWORD, USER
from servers.process import Process, free_port, wait_until

from bench import measure
from bench.sinks import LIMITS, Sink

LINES = 2
# The columns that the agent reads; a program that reads more columns would be slower because of them.
AGENTS_COLUMNS = "SELECT `ID`, UNIX_TIMESTAMP(`GMT_MODIFIED`), UNIX_TIMESTAMP(`GMT_CREATE`), `PIPELINE_ID`," \
                 " `DELAY_TIME`, `DELAY_NUMBER` FROM `DELAY_STAT`"
BOTH = {"table": "DELAY_STAT", "every": 1, "start": "oldest", "columns": [
    ["cursor", "ID"], ["settled", "GMT_MODIFIED"], ["time", "GMT_CREATE"], ["key", "PIPELINE_ID", "pipeline"],
    ["peak", "DELAY_TIME", "delay_ms"], ["peak", "DELAY_NUMBER", "delay_number"]]}
PASSWORD_IN_ENV = {"MYSQL_PWD": PASSWORD}
TABLES = ("delay", "throughput", "history", "table", "log")


@dataclasses.dataclass
class Figures:
    rows: int
    lines: int
    wall: float  # seconds from the start of the process to the last byte at the sink
    cpu: float
    peak_kib: int

    def raw(self):
        return {"rows": self.rows, "lines": self.lines, "wall_s": self.wall, "cpu_s": self.cpu,
                "peak_kib": self.peak_kib, "rows_per_s": self.rows / self.wall,
                "lines_per_cpu_s": self.lines / self.cpu if self.lines else 0}


def only(*names, **more):
    """Returns settings that enable only these sources, with the settings in `more`."""
    return {name: {"enabled": True, **more} if name in names else {"enabled": False} for name in TABLES}


def to_sink(kind, port, **more):
    if kind == "udp":
        return {"type": "statsd", "port": port, **more}
    return {"type": "graphite", "port": port, "creates": 0, **more}


# A back-log stays in the queue until its horizon is over: a queue of the default size holds about six million lines.
LARGE_QUEUE = {"max_bytes": 1 << 30}


def make_agent(world, database, sinks, sources, **top):
    """Returns an agent with a store of its own on disk, without the state of an earlier run."""
    folder = world.fresh("agent")
    return Agent(folder, world.database.server, sinks, sources, mysql={"database": database, "query_timeout": 60}, **top)


def run_agent(agent, under=()):
    """Runs the agent; `under` is a program that runs the agent, with its options."""
    return measure.run([*under, str(PROGRAM), "-c", str(agent.config), "--once"], agent.folder)


def otterbeat(world, database, rows, kind="tcp"):
    return drained(world, database, rows, kind, {**only(), "both": BOTH})


def built_in(world, database, rows, kind="tcp", under=()):
    """The built-in source of this table, which makes one line per row."""
    return drained(world, database, rows, kind, only("delay"), under)


def drained(world, database, rows, kind, sources, under=(), **top):
    with Sink(world.fresh("sink"), kind) as sink:
        agent = make_agent(world, database, [to_sink(kind, sink.port)], sources, queue=LARGE_QUEUE, **top)
        used = run_agent(agent, under)
        shutil.rmtree(agent.folder / "state", ignore_errors=True)
        return Figures(rows, sink.counted.lines, sink.last - used.began, used.cpu, used.peak_kib)


def fetch_loop(world, database, rows, kind=None):
    used = measure.run([str(LIMITS / "fetch"), "127.0.0.1", str(world.database.server.port), USER, database,
                        AGENTS_COLUMNS], world.fresh("fetch"), PASSWORD_IN_ENV)
    assert int(used.output.split()[0]) == rows, used.output
    return Figures(rows, 0, used.wall, used.cpu, used.peak_kib)


def push_loop(world, lines):
    with Sink(world.fresh("sink"), "tcp") as sink:
        used = measure.run([str(LIMITS / "push"), str(sink.port), str(lines)], world.fresh("push"))
        sink.wait_for(lines)
        return Figures(lines, lines, sink.last - used.began, used.cpu, used.peak_kib)


SCRIPTS = {
    "tcp": ("""{ p = "otter.pipeline." $1; print p ".delay_ms " $2 " " $4; print p ".delay_number " $3 " " $4 }""",
            "socat -u - TCP:127.0.0.1:{port}"),
    "udp": ("""{ p = "otter.pipeline." $1; print p ".delay_ms:" $2 "|g"; print p ".delay_number:" $3 "|g" }""",
            "socat -u -b1432 - UDP-SENDTO:127.0.0.1:{port}"),
}


def script(world, database, rows, kind="tcp", awk="gawk"):
    """A script as an operator would write it. Over UDP it cuts lines at the ends of datagrams, and sends without pauses: only its cost is used."""
    program, socat = SCRIPTS[kind]
    read = f"mariadb --no-defaults -q -N -B -h 127.0.0.1 -P {world.database.server.port} -u {USER} {database}" \
           " -e 'SELECT PIPELINE_ID, DELAY_TIME, DELAY_NUMBER, UNIX_TIMESTAMP(GMT_CREATE) FROM DELAY_STAT'"
    with Sink(world.fresh("sink"), kind) as sink:
        used = measure.run(["sh", "-c", f"{read} | {awk} '{program}' | {socat.format(port=sink.port)}"], world.fresh("script"),
                           PASSWORD_IN_ENV)
        time.sleep(0.05)
        return Figures(rows, LINES * rows, sink.last - used.began, used.cpu, used.peak_kib)


def run_server(process, is_done, seconds=900):
    """Runs a server from its start until `is_done` returns the wall time, in seconds since the start."""
    began = time.monotonic()
    process.start()
    watch = measure.Watch(process)
    ended = wait_until(lambda: process.is_running() and is_done(), f"{process.name} is done\n{process.log()[-1000:]}",
                       seconds, 0.02)
    figures = began, ended, watch.cpu(), watch.peak_kib()
    process.stop()
    return figures


def collectd(world, database, rows, kind="tcp"):
    """collectd with its plugins dbi and write_graphite, for one reading. The last lines stay in its buffer until it stops."""
    folder = world.fresh("collectd")
    with Sink(world.fresh("sink"), kind) as sink:
        (folder / "collectd.conf").write_text(textwrap.dedent(f"""\
            Hostname "otter"
            FQDNLookup false
            Interval 3600
            BaseDir "{folder}"
            PIDFile "{folder}/pid"
            TypesDB "/usr/share/collectd/types.db"
            ReadThreads 1
            WriteThreads 1
            LoadPlugin dbi
            LoadPlugin write_graphite
            <Plugin dbi>
                <Query "delay">
                    Statement "SELECT PIPELINE_ID, DELAY_TIME, DELAY_NUMBER FROM DELAY_STAT"
                    MinVersion 0
                    <Result>
                        Type "gauge"
                        InstancesFrom "PIPELINE_ID"
                        ValuesFrom "DELAY_TIME"
                    </Result>
                    <Result>
                        Type "gauge"
                        InstancePrefix "number"
                        InstancesFrom "PIPELINE_ID"
                        ValuesFrom "DELAY_NUMBER"
                    </Result>
                </Query>
                <Database "otter">
                    Driver "mysql"
                    DriverOption "host" "127.0.0.1"
                    DriverOption "port" {world.database.server.port}
                    DriverOption "username" "{USER}"
                    DriverOption "password" "{PASSWORD}"
                    DriverOption "dbname" "{database}"
                    Query "delay"
                </Database>
            </Plugin>
            <Plugin write_graphite>
                <Node "sink">
                    Host "127.0.0.1"
                    Port "{sink.port}"
                    Protocol "tcp"
                </Node>
            </Plugin>
            """))
        process = Process("collectd", folder, ["/usr/sbin/collectd", "-f", "-C", str(folder / "collectd.conf")])
        began, _, cpu, peak = run_server(process, lambda: sink.counted.lines > LINES * rows - 100)
        return Figures(rows, sink.counted.lines, sink.last - began, cpu, peak)


def prometheus(world, database, rows, kind=None):
    """prometheus-sql-exporter: the query, and one scrape. Before the scrape it sends nothing."""
    folder, port = world.fresh("prometheus"), free_port()
    (folder / "config.yml").write_text(textwrap.dedent(f"""\
        jobs:
        - name: otter
          interval: 1h
          connections:
          - mysql://{USER}:{PASSWORD}@tcp(127.0.0.1:{world.database.server.port})/{database}
          queries:
          - name: delay
            help: delay of a pipeline
            labels: [ID, PIPELINE_ID]
            values: [DELAY_TIME, DELAY_NUMBER]
            query: SELECT ID, PIPELINE_ID, DELAY_TIME, DELAY_NUMBER FROM DELAY_STAT
        """))
    process = Process("prometheus-sql-exporter", folder, [
        "/usr/bin/prometheus-sql-exporter", "-config.file", str(folder / "config.yml"),
        "-web.listen-address", f"127.0.0.1:{port}"])

    def scrape():
        """Scrapes with long pauses, because each scrape costs the exporter something, too."""
        time.sleep(0.5)
        lines, rest = 0, b""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=300) as answer:
                while block := answer.read(1 << 20):
                    lines += block.count(b"sql_delay{")
                    rest = block
        except OSError:
            return 0
        return rest and lines >= LINES * rows * 0.99 and time.monotonic()

    began, ended, cpu, peak = run_server(process, scrape)
    return Figures(rows, LINES * rows, ended - began, cpu, peak)
