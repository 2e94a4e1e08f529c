"""Kills the agent with SIGKILL many times: during its start, polls, commits and sends."""
import random
import time

from chaos import ledger, rounds
from chaos.fault import AT_MOST, Row
from chaos.world import World

# How many agents in a hundred live so many seconds: most are killed while they start, open the store, poll, or send.
LIVES = ((25, 0.0, 0.03), (55, 0.0, 0.3), (17, 0.3, 1.0), (3, 1.0, 4.0))
CARBON_ONE_IN = 25
SETTINGS = {"step": 1, "load": {"rate": 300}}


def any_life(chance):
    weights = [weight for weight, _, _ in LIVES]
    _, least, most = chance.choices(LIVES, weights)[0]
    return chance.uniform(least, most)


def run(number, times, seed, folder, template):
    row, chance = Row(f"kill -9 of the agent, fast ({number})"), random.Random(f"{seed}/kills/{number}")
    return rounds.guard(row, folder, lambda: World(folder, template, seed=chance.randrange(1 << 30), **SETTINGS),
                        lambda world: act(world, row, chance, times))


def kill_once(world, chance):
    world.start_agent()
    time.sleep(any_life(chance))
    world.check_agent()
    world.kill_agent()
    if not chance.randrange(CARBON_ONE_IN):
        world.carbon.kill9()
        world.carbon.start()


def act(world, row, chance, times):
    world.start_load()
    for _ in range(times):
        kill_once(world, chance)
        row.times += 1
    world.stop_load()
    world.start_agent()
    row.rows = ledger.rows_written(world.database)
    rounds.count(row, world, rounds.truth_of(world), AT_MOST)
    row.details += f"\n    in doubt by the log: {world.agent.log().count('event=in_doubt')} times"
