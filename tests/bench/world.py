"""What all cases share: a folder, a database, the sizes and times, and the results."""
import collections
import csv
import dataclasses
import pathlib
import shutil
import statistics
import tempfile

from bench import measure
from bench.database import Database

Line = collections.namedtuple("Line", "what target measured outcome")


@dataclasses.dataclass
class Sizes:
    runs: int = 5
    rows: int = 1_000_000
    many: int = 10_000_000
    backlog: int = 20_000_000  # lines
    burst: int = 100_000       # lines
    pairs: int = 100_000
    series: int = 10_000
    idle: int = 60             # seconds
    polls: int = 20
    commits: int = 200
    managers: int = 50
    shared: int = 200          # managers that ten agents share


QUICK = Sizes(runs=3, rows=100_000, many=1_000_000, backlog=1_000_000, idle=15, polls=8, commits=30, managers=10, shared=20)


class World:
    def __init__(self, sizes, pool="2G"):
        self.sizes = sizes
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ob-bench-"))
        self.database = Database(self.folder, pool)
        self.raw, self.lines = [], []
        self.case = ""
        self.places = 0

    def __enter__(self):
        self.database.start()
        return self

    def __exit__(self, *_):
        self.database.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fresh(self, name):
        """Creates an empty folder with a short path, because the path of a unix socket must be short."""
        self.places += 1
        folder = self.folder / f"{self.places}-{name}"
        folder.mkdir()
        return folder

    def note(self, subject, round_number, **figures):
        for figure, value in figures.items():
            self.raw.append((self.case, subject, round_number, figure, f"{value:.9g}", f"{measure.load():.2f}"))

    def compare(self, subjects, runs=None):
        """Runs all subjects in turns, so that other load on the machine affects each of them. Returns {subject: [Figures]}."""
        found = {name: [] for name in subjects}
        for number in range(runs or self.sizes.runs):
            for name, run in subjects.items():
                figures = run()
                self.note(name, number + 1, **figures.raw())
                found[name].append(figures)
        return found

    def say(self, what, target, measured, is_met=None):
        outcome = {True: "met", False: "NOT MET", None: ""}[is_met]
        self.lines.append(Line(what, target, measured, outcome))
        print(f"{self.case}: {what}: {measured} (target: {target or 'none'}) {outcome}", flush=True)

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, head, rows in (("raw", ("case", "subject", "round", "figure", "value", "load"), self.raw),
                                 ("table", Line._fields, self.lines)):
            with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([head, *rows])


def ratios(found, figure, ours, theirs):
    """Returns (median, least, most) of the ratio otterbeat / other program, round by round."""
    each = [figure(a) / figure(b) for a, b in zip(found[ours], found[theirs])]
    return statistics.median(each), min(each), max(each)


def middle(found, figure):
    return statistics.median(map(figure, found))
