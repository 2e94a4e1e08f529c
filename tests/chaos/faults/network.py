"""Connections that stall, break and close, between servers without faults."""
import subprocess

from chaos.fault import AT_MOST, Fault

PROXY = ("carbon_proxy",)


def setting(**attributes):
    """Returns an `apply` that sets these attributes of carbon's proxy."""
    def apply(world, _):
        for name, value in attributes.items():
            setattr(world.carbon_proxy, name, value)
    return apply


def heal_carbon(world):
    world.carbon_proxy.heal()


def lag(world, _):
    world.carbon_proxy.delay = world.mysql_proxy.delay = 0.2
    world.relay.drops = 0.2


def heal_all(world):
    for one in (world.carbon_proxy, world.mysql_proxy, world.relay):
        one.heal()


def tc(*words):
    subprocess.run(["tc", "qdisc", *words], check=True)


def impair(_, chance):
    tc("add", "dev", "lo", "root", "netem", "loss", f"{chance.randint(5, 30)}%", "delay", "40ms", "20ms")


def repair(_):
    tc("del", "dev", "lo", "root")


def link(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def come_back_without_carbon(world):
    """The lines that waited in the socket meet a reset connection."""
    world.carbon.kill9()
    link("up")
    world.carbon.start()


FAULTS = [
    Fault("carbon reads slowly", setting(rate=2000), heal_carbon, parts=PROXY, lasts=(1, 4), longest=30),
    Fault("carbon does not read", setting(reads=False), heal_carbon, parts=PROXY, lasts=(1, 4), longest=45),
    Fault("carbon closes after half a line", lambda world, _: world.carbon_proxy.cut(), heal_carbon, parts=PROXY),
    Fault("carbon resets the connection", lambda world, _: world.carbon_proxy.abort(), parts=PROXY, lasts=(0, 0.5)),
    Fault("carbon is away", lambda world, _: world.carbon_proxy.refuse(), heal_carbon, parts=PROXY, lasts=(0.5, 4),
          longest=60),
    Fault("the database's connections are reset", lambda world, _: world.mysql_proxy.abort(), parts=("mysql_proxy",),
          lasts=(0, 0.5)),
    Fault("the database is away", lambda world, _: world.mysql_proxy.refuse(), lambda world: world.mysql_proxy.heal(),
          parts=("mysql_proxy",), lasts=(0.5, 3), longest=45),
    Fault("statsd's port is closed", lambda world, _: world.relay.refuse(), lambda world: world.relay.heal(),
          parts=("relay",), lasts=(0.5, 3), statsd=AT_MOST),
    Fault("all connections are slow, UDP drops", lag, heal_all, parts=("carbon_proxy", "mysql_proxy", "relay"),
          lasts=(1, 4), statsd=AT_MOST),
    Fault("netem: loss and delay on lo", impair, repair, needs=("network", "netem"), lasts=(1, 4), statsd=AT_MOST),
    Fault("the link is down", lambda *_: link("down"), lambda _: link("up"), needs=("network",), lasts=(0.5, 4),
          longest=45, statsd=AT_MOST),
    Fault("the link is down, and carbon dies meanwhile", lambda *_: link("down"), come_back_without_carbon,
          needs=("network",), lasts=(4, 12), statsd=AT_MOST, settings={"is_database_near": True}),
]
