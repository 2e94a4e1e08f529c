"""What a fault is: data, and two or three verbs."""
import dataclasses
from collections.abc import Callable

EXACT = "exact"  # statsd has each row once
AT_MOST = "at most once"  # none twice; a crash, or UDP, may cost some
AT_LEAST = "at least once"  # none is missing; a crash may repeat some


def nothing(*_):
    pass


@dataclasses.dataclass(frozen=True)
class Fault:
    """`apply(world, random)`, then some time within `lasts`, then `heal(world)`; as often as asked, under load."""

    name: str
    apply: Callable
    heal: Callable = nothing
    check: Callable = nothing  # (world): what it must have said; raises AssertionError
    gap: tuple = (0.3, 1.5)  # seconds before it
    lasts: tuple = (0.2, 1.5)
    longest: float = 0.0  # once in a long run, so many seconds
    statsd: str = EXACT
    may_lack: str = ""  # a pattern of series of which Graphite may have less afterwards
    needs: tuple = ()  # what has to be permitted: network, netem, mount, faketime
    parts: tuple = ()  # of the world
    settings: dict = dataclasses.field(default_factory=dict)
    is_quiet: bool = False  # no load: rows are written before and after it, and counted each time
    most: int = 1000  # times


@dataclasses.dataclass
class Row:
    """Of the table of results."""

    fault: str
    times: int = 0
    rows: int = 0
    sql: int = 0
    whisper: int = 0
    statsd: int = 0
    differing: int = 0
    under: int = 0
    over: int = 0
    verdict: str = "ok"
    seconds: float = 0.0
    details: str = ""

    @property
    def is_good(self):
        return self.verdict == "ok" or self.is_skipped

    @property
    def is_skipped(self):
        return self.verdict.startswith("skipped")
