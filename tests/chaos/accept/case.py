"""A case of the acceptance list: a world, the actions in it, and the results."""
import dataclasses
import random
from collections.abc import Callable

from chaos import ledger, rounds
from chaos.fault import EXACT, Row
from chaos.world import World


@dataclasses.dataclass(frozen=True)
class Case:
    """A case. `act(trial)` does the actions, and may assert; `real` has the settings for --long, without which the settings are scaled down."""

    name: str
    act: Callable
    parts: tuple = ()
    settings: dict = dataclasses.field(default_factory=dict)
    real: dict = dataclasses.field(default_factory=dict)
    needs: tuple = ()
    statsd: str = EXACT


@dataclasses.dataclass
class Trial:
    """One run of a case."""

    case: Case
    world: World
    row: Row
    chance: random.Random
    is_long: bool

    def scaled(self, short, real):
        return real if self.is_long else short

    def say(self, text):
        self.row.details += f"\n    {text}"

    def count(self, truth=None, statsd=None):
        """Asserts that all amounts of the tables, or of `truth`, have arrived."""
        self.row.rows = self.row.rows or ledger.rows_written(self.world.database)
        rounds.count(self.row, self.world, truth or rounds.truth_of(self.world), statsd or self.case.statsd)
        assert self.row.outcome == "ok", self.row.outcome



def run(case, seed, folder, template, is_long):
    row, chance = Row(case.name, times=1), random.Random(f"{seed}/{case.name}")
    settings = {**(case.real if is_long and case.real else case.settings), "seed": chance.randrange(1 << 30)}

    def act(world):
        case.act(Trial(case, world, row, chance, is_long))

    return rounds.guard(row, folder, lambda: World(folder, template, case.parts, **settings), act)
