"""The amounts in SQL, the amounts that arrived, and the differences."""
import re

from servers.carbon import written_points

COUNTER = re.compile(r"\.(throughput|history|table|log)\.[a-z]+$")
NODE = re.compile(r"[^A-Za-z0-9_-]")
TABLES = ("DELAY_STAT", "THROUGHPUT_STAT", "TABLE_HISTORY_STAT", "LOG_RECORD")
STEP = "UNIX_TIMESTAMP(GMT_CREATE) DIV {step} * {step}"

# Each row: the tags, the metrics, and a query for step, tags, values. TABLE_STAT keeps no history.
BY_STEP = (
    (("pipeline",), ("delay_ms",), f"SELECT {STEP}, PIPELINE_ID, MAX(DELAY_TIME) FROM DELAY_STAT GROUP BY 1, 2"),
    (("pipeline", "type"), ("throughput.count", "throughput.bytes"),
     f"SELECT {STEP}, PIPELINE_ID, LOWER(TYPE), SUM(NUMBER), SUM(SIZE) FROM THROUGHPUT_STAT GROUP BY 1, 2, 3"),
    (("pipeline", "pair"), ("history.inserts", "history.updates", "history.deletes", "history.files", "history.bytes"),
     f"SELECT {STEP}, PIPELINE_ID, DATA_MEDIA_PAIR_ID, SUM(INSERT_COUNT), SUM(UPDATE_COUNT), SUM(DELETE_COUNT), "
     "SUM(FILE_COUNT), SUM(FILE_SIZE) FROM TABLE_HISTORY_STAT GROUP BY 1, 2, 3"),
    (("pipeline", "title"), ("log.records",),
     f"SELECT {STEP}, PIPELINE_ID, LOWER(TITLE), COUNT(*) FROM LOG_RECORD GROUP BY 1, 2, 3"),
)


def node(value):
    text = "none" if value is None or str(value) == "-1" else str(value)
    return NODE.sub("_", text.encode().decode("latin-1"))


def path(tags, values, metric):
    return ".".join(["otter", *(f"{tag}.{node(value)}" for tag, value in zip(tags, values)), metric])


def add_rows(found, tags, metrics, rows):
    for row in rows:
        for metric, value in zip(metrics, row[1 + len(tags):]):
            steps = found.setdefault(path(tags, row[1:], metric), {})
            steps[int(row[0])] = int(value or 0)


def sql_by_step(server, step):
    """Returns {series: {step: value}}. Two titles with the same name on disk are one series."""
    found = {}
    for tags, metrics, query in BY_STEP:
        add_rows(found, tags, metrics, server.query(query.format(step=step)))
    return found


def rows_written(server):
    return sum(server.query(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES)


def counters(values):
    return {name: value for name, value in values.items() if COUNTER.search(name)}


def whisper(carbon):
    """Returns {series: {step: value}} for the series from Otter."""
    found = {}
    for file in carbon.whisper.rglob("*.wsp"):
        name = ".".join(file.relative_to(carbon.whisper).with_suffix("").parts)
        if COUNTER.search(name) or name.endswith(".delay_ms"):
            found[name] = written_points(file)
    return found


def unequal(wanted, got):
    """Returns {name: (wanted, got)}; a name that is on one side only is compared with 0."""
    names = wanted.keys() | got.keys()
    return {name: (wanted.get(name, 0), got.get(name, 0)) for name in names if wanted.get(name, 0) != got.get(name, 0)}


class Truth:
    """The right sums of all counters and, where the tables still have the rows, the right value of each step. `may_lack` is a
    pattern of series that may have less, and never more."""

    def __init__(self, sums, steps=None, may_lack=None):
        self.sums, self.steps, self.may_lack = counters(sums), steps or {}, re.compile(may_lack or "(?!)")

    def differences(self, points):
        """Returns the differences: {series: (SQL, whisper)} and {(series, step): (SQL, whisper)}."""
        found = unequal(self.sums, counters({name: sum(steps.values()) for name, steps in points.items()}))
        for name, steps in self.steps.items():
            for step, pair in unequal(steps, points.get(name, {})).items():
                found[f"{name} @{step}"] = pair
        return {name: pair for name, pair in found.items() if not (self.may_lack.search(name) and pair[1] < pair[0])}


def under_and_over(wanted, got):
    """Returns how much statsd lacks and how much it has too much, as sums over the series."""
    off = [here - there for there, here in unequal(counters(wanted), counters(got)).values()]
    return -sum(n for n in off if n < 0), sum(n for n in off if n > 0)
