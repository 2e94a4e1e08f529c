"""Wall clocks that are set, and a local clock at the end of daylight saving time."""
import datetime
import time

from chaos.fault import Fault

FOLD = datetime.datetime(2025, 11, 2, 6, 0, 0, tzinfo=datetime.timezone.utc)  # New York: 1:59:59, then 1:00:00
HOUR = 3600


def steps(clock):
    """Returns (apply, heal): sets the clock an hour forward or back, and then to the right time again."""
    def step(world, chance):
        clock(world).set(chance.choice((-HOUR, HOUR)))

    def right(world):
        clock(world).set(0)

    return {"apply": step, "heal": right}


def before_the_fold():
    return int(FOLD.timestamp() - time.time()) - 12


FAULTS = [
    Fault("the agent's clock steps by an hour", **steps(lambda world: world.agent.clock), needs=("faketime",), parts=("agent_clock",),
          lasts=(1, 3)),
    Fault("the database's clock steps by an hour", **steps(lambda world: world.database_clock), needs=("faketime",),
          parts=("database_clock",), lasts=(1, 3)),
    Fault("rows around the end of summer time", lambda *_: None, needs=("faketime",), parts=("database_clock",),
          lasts=(7, 9), most=2,
          settings={"database_zone": "America/New_York", "database_offset": before_the_fold, "step": 1}),
]
