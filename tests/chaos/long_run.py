"""One agent runs for the whole time without a restart: does it grow?"""
import random

from chaos import growth, ledger, rounds
from chaos.fault import AT_MOST, Row
from chaos.faults import FAULTS
from chaos.world import World

NAME = "one agent all the time: does it grow?"
PARTS = ("carbon_proxy", "mysql_proxy", "relay")
KINDS = ("carbon resets the connection", "carbon closes after half a line", "carbon is away", "the database is away",
         "the database's connections are reset", "statsd's port is closed", "kill -9 of carbon",
         "KILL CONNECTION of the agent's", "KILL QUERY of the agent's", "Too many connections",
         "ALTER TABLE under the agent")


def run(seconds, seed, folder, template):
    row, chance = Row(NAME), random.Random(f"{seed}/{NAME}")
    return rounds.guard(row, folder, lambda: World(folder, template, PARTS, seed=chance.randrange(1 << 30)),
                        lambda world: act(world, row, chance, seconds))


def act(world, row, chance, seconds):
    world.start_agent()
    world.start_load()
    watch = growth.Watch(world)
    kinds = [fault for fault in FAULTS if fault.name in KINDS]
    row.times = len(rounds.mixed(iter(lambda: chance.choice(kinds), None), world, chance, seconds))
    world.stop_load()
    said, grown = watch.stop()
    row.rows = ledger.rows_written(world.database)
    rounds.count(row, world, rounds.truth_of(world), AT_MOST)
    row.details += f"\n    {said}"
    if grown:
        row.outcome = f"FAILED: grew: {', '.join(grown)}"
