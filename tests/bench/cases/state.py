"""The same drain with the state in a file and in a MariaDB that agents share, in turns: points a second, and what the database does."""
import shutil

from servers.state import State

from bench import contenders, measure
from bench.cases.cluster import counters
from bench.cases.drain import judge, report, rows_per_s
from bench.contenders import only

LEASE = 10
IN_FILE = "state_dir"
IN_MARIADB = {"state in MariaDB": 1, "state in MariaDB, no flush at a commit": 2}  # innodb_flush_log_at_trx_commit


def written(state):
    return int(dict(state.ask("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'"))["Innodb_os_log_written"])


def drain_shared(world, state, database, rows, flush, costs):
    """Drains into an empty state, and adds to `costs` what this cost the database of the state."""
    state.query("DROP DATABASE IF EXISTS otterbeat", database=None)
    state.install()
    state.query(f"SET GLOBAL innodb_flush_log_at_trx_commit = {flush}", database=None)
    server = measure.Watch(state.process)
    before, log, cpu = counters(state), written(state), server.cpu()
    figures = contenders.drained(world, database, rows, "tcp", only("delay"), state=state.settings("bench", LEASE))
    after = counters(state)
    costs.append({"statements": after[0] - before[0], "commits": after[1] - before[1], "log_mib": (written(state) - log) / (1 << 20),
                  "server_cpu_s": server.cpu() - cpu, "server_peak_kib": server.peak_kib()})
    return figures


def report_database(world, name, runs):
    for number, figures in enumerate(runs):
        world.note(name, number + 1, **figures)
    cost = {figure: measure.median([run[figure] for run in runs]) for figure in runs[0]}
    world.say(f"… {name}: the database", "", f"{cost['statements']:,.0f} statements, {cost['commits']:,.0f} commits,"
              f" {cost['log_mib']:.0f} MiB of log, {cost['server_cpu_s']:.2f} CPU s, peak {cost['server_peak_kib'] / 1024:,.0f} MiB")


def drain(world):
    """One point per row. A batch of up to 1,000 points is one transaction of the source; the sink commits, too."""
    rows = world.sizes.rows
    database = world.database.delays(rows)
    folder = world.fresh("state")
    state = State(folder, world.folder / "template", options=("--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M")).start()
    costs = {name: [] for name in IN_MARIADB}
    try:
        subjects = {IN_FILE: lambda: contenders.built_in(world, database, rows)}
        for name, flush in IN_MARIADB.items():
            subjects[name] = lambda name=name, flush=flush: drain_shared(world, state, database, rows, flush, costs[name])
        found = world.compare(subjects)
    finally:
        state.stop()
        shutil.rmtree(folder)
    report(world, found)
    for name, runs in costs.items():
        report_database(world, name, runs)
    for name in IN_MARIADB:
        judge(world, found, "points/s", rows_per_s, name, IN_FILE, 0.33)
