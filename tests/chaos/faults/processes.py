"""Processes that are killed, stopped and frozen."""
import re
import signal

from chaos import ledger
from chaos.fault import AT_LEAST, AT_MOST, Fault


UPDATES = 150  # a second: carbon always holds some points in memory, and holds no point for as long as the horizon
IN_DOUBT = re.compile(r"sink=statsd event=in_doubt points=(\d+)")


def kill_agent(world, _):
    world.kill_agent()


def start_agent(world):
    world.start_agent()


def start_database(world):
    world.database.start()


def start_carbon(world):
    world.carbon.start()


def kill_all(world, chance):
    victims = [world.kill_agent, world.database.kill9, world.carbon.kill9]
    chance.shuffle(victims)
    for kill in victims:
        kill()


def start_all(world):
    for start in (world.database.start, world.carbon.start, world.start_agent):
        start()


def check_in_doubt(world):
    """Checks (points in doubt in the log, missing amounts in statsd): a crash loses no more than the log says."""
    in_doubt = sum(map(int, IN_DOUBT.findall(world.agent.log())))
    missing = len(ledger.unequal(ledger.counters(world.otter.sums()), ledger.counters(world.statsd.counters())))
    assert missing <= in_doubt, f"statsd has too little for {missing} series, and the log says that {in_doubt} points are in doubt"
    return in_doubt, missing


def freezes(name):
    """Returns (apply, heal) that freeze a server."""
    def freeze(world, _):
        getattr(world, name).process.send(signal.SIGSTOP)

    def thaw(world):
        getattr(world, name).process.send(signal.SIGCONT)

    return {"apply": freeze, "heal": thaw}


FAULTS = [
    Fault("kill -9 of the agent", kill_agent, start_agent, check=check_in_doubt, lasts=(0, 0.6), statsd=AT_MOST),
    Fault("kill -9 of the agent, after_crash=repeat", kill_agent, start_agent, lasts=(0, 0.6), statsd=AT_LEAST,
          settings={"after_crash": "repeat", "step": 1}),
    Fault("kill -9 of mariadbd", lambda world, _: world.database.kill9(), start_database, lasts=(0, 1)),
    Fault("kill -9 of carbon", lambda world, _: world.carbon.kill9(), start_carbon, lasts=(0, 1),
          settings={"carbon": {"updates": UPDATES}}),
    Fault("kill -9 of all three", kill_all, start_all, check=check_in_doubt, lasts=(0, 1), statsd=AT_MOST),
    Fault("SIGTERM during a flush", lambda world, _: world.stop_agent(), start_agent, lasts=(0, 0.5)),
    Fault("restart of carbon", lambda world, _: world.carbon.stop(), start_carbon, lasts=(0, 1)),
    Fault("SIGSTOP of the agent", **freezes("agent"), lasts=(0.5, 3), longest=60),
    Fault("SIGSTOP of mariadbd", **freezes("database"), lasts=(0.5, 5), longest=60),
    Fault("SIGSTOP of carbon", **freezes("carbon"), lasts=(0.5, 4), longest=60),
    Fault("SIGSTOP of statsd", **freezes("statsd"), lasts=(0.5, 3), longest=60, statsd=AT_MOST),
]
