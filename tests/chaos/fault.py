"""The definition of a fault: data, and two or three functions."""
import dataclasses
from collections.abc import Callable

EXACT = "exact"  # statsd counts each row once
AT_MOST = "at most once"  # no row counts twice; a crash, or UDP, may lose some rows
AT_LEAST = "at least once"  # no row is missing; a crash may repeat some rows


def nothing(*_):
    pass


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault: `apply(world, random)`, then a pause within `lasts`, then `heal(world)`; several times, under load."""

    name: str
    apply: Callable
    heal: Callable = nothing
    check: Callable = nothing  # check(world) raises AssertionError when the agent has not logged what it must log
    gap: tuple = (0.3, 1.5)  # seconds before the fault
    lasts: tuple = (0.2, 1.5)
    longest: float = 0.0  # once in a long run the fault lasts so many seconds
    statsd: str = EXACT
    may_lack: str = ""  # a pattern of series for which Graphite may have less afterwards
    needs: tuple = ()  # the permissions that the fault needs: network, netem, mount, faketime
    parts: tuple = ()  # the parts that the world needs
    settings: dict = dataclasses.field(default_factory=dict)
    is_quiet: bool = False  # without load: rows are written before and after the fault, and counted each time
    most: int = 1000  # how often at most


@dataclasses.dataclass
class Row:
    """A row of the table of results."""

    fault: str
    times: int = 0
    rows: int = 0
    sql: int = 0
    whisper: int = 0
    statsd: int = 0
    differing: int = 0
    under: int = 0
    over: int = 0
    outcome: str = "ok"
    seconds: float = 0.0
    details: str = ""

    @property
    def is_good(self):
        return self.outcome == "ok" or self.is_skipped

    @property
    def is_skipped(self):
        return self.outcome.startswith("skipped")
