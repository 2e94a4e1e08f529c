"""What happens to agents that share a state, mostly to the one that owns it. These faults are applied in turns: see cluster.py."""
import re
import signal
import time

from chaos import ledger
from chaos.fault import Fault
from chaos.faults.clocks import steps

BURST = 2000  # rows of each table
REASON = re.compile("event=(lease_not_renewed|start_failed)")  # the database did not answer in time: the machine is very busy
HANDED_OVER = re.compile("event=lease_handed_over .*cluster release")  # asked less than a minute ago, when there was nobody else
REFUSED = 69  # the exit code when no other agent stands by at this moment
COLUMNS = ("SELECT GROUP_CONCAT(COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'otter' AND TABLE_NAME = %s "
           "AND COLUMN_NAME <> 'ID'")


def to_owner(*acts):
    """Returns an `apply` that does these acts to the owner: act(world, agent, random)."""
    def apply(world, chance):
        world.victim = world.owner()
        for act in acts:
            act(world, world.victim, chance)
    return apply


def to_victim(*acts):
    """Returns a `heal` that does these acts to the same agent."""
    def heal(world):
        for act in acts:
            act(world, world.victim, None)
    return heal


def kill(world, agent, _):
    world.kills += 1
    world.kill_agent(agent)


def start(world, agent, _):
    world.start_agent(agent)


def stop(world, agent, _):
    world.stop_agent(agent)


def release(_, agent, __):
    done = agent.run("cluster", "release", "--all")
    assert done.returncode in (0, REFUSED), f"cluster release ended with {done.returncode}: {done.stderr}"


def make_busy(world, _, chance):
    """Writes the newest rows of each table once more. Within a second the owner reads, commits and sends all the time."""
    with world.database.connect("otter") as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")  # else it locks the rows of the writers
        for table in ledger.TABLES:
            cursor.execute(COLUMNS, table)
            columns = cursor.fetchone()[0]
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} ORDER BY ID DESC LIMIT {BURST}")
    time.sleep(chance.uniform(0, 1.2))


def freeze(_, agent, __):
    agent.process.send(signal.SIGSTOP)


def thaw(_, agent, __):
    agent.process.send(signal.SIGCONT)


def cut_database(world, agent, _):
    world.to_database[agent].hold()


def cut_sinks(world, agent, _):
    world.voids += 1
    world.to_sinks[agent].hold()


def lose_answers(world, agent, _):
    world.to_database[agent].lose_answers()


def join(world, agent, _):
    world.to_database[agent].heal()
    if world.has_wires:
        world.to_sinks[agent].heal()


def end_database(world, chance):
    chance.choice((world.database.stop, world.database.kill9))()


def to_node(act):
    """Returns an `apply` that calls act(node) with a random node of Galera."""
    def apply(world, chance):
        world.victim = chance.choice(world.galera.nodes)
        act(world.victim)
    return apply


def bring_back(*acts):
    """Returns a `heal` that calls each act(node) with the same node, and then brings the node back."""
    def heal(world):
        for act in acts:
            act(world.victim)
        world.galera.bring_back(world.victim)
    return heal


def restart_nodes(world, _):
    for node in world.galera.nodes:
        node.stop()
        world.galera.bring_back(node)


def restart_agents(world, _):
    for agent in world.members:
        world.stop_agent(agent)
        world.start_agent(agent)


CLOCK = steps(lambda world: world.victim.clock)


def step_a_clock(world, chance):
    world.victim = chance.choice(world.members)
    CLOCK["apply"](world, chance)


def is_handed_over(world, lease):
    """Whether the owner hands over the lease since an `otterbeat cluster release` before."""
    owner, generation = lease
    return HANDED_OVER.search(world.member(owner).log().rpartition(f" generation={generation} ")[2])


def keeps_owner(apply, heal):
    """For a fault that is no reason for a takeover. There may be another reason, which the owner has logged."""
    def first(world, chance):
        times = len(REASON.findall(world.logs()))
        world.kept = world.lease(), times
        apply(world, chance)

    def last(world):
        heal(world)
        before, times = world.kept
        now = world.state.lease()
        assert now == before or len(REASON.findall(world.logs())) > times or is_handed_over(world, before), \
            f"(owner, generation) was {before}, is {now} for no reason"

    return {"apply": first, "heal": last}


NETWORK = {"needs": ("network",)}
OF_AGENTS = [
    Fault("kill -9 of the owner", to_owner(kill), to_victim(start), lasts=(0, 6)),
    Fault("SIGSTOP of the owner", to_owner(make_busy, freeze), to_victim(thaw), lasts=(7, 20)),
    Fault("SIGTERM of the owner", to_owner(stop), to_victim(start), lasts=(0, 3)),
    Fault("otterbeat cluster release", to_owner(release), lasts=(0, 2)),
    Fault("the owner and the database are cut off", to_owner(cut_database), to_victim(join), lasts=(1, 8)),
    Fault("the database's answers to the owner are lost", to_owner(lose_answers), to_victim(join), lasts=(1, 8), **NETWORK),
    Fault("the owner is cut off from everything", to_owner(cut_sinks, cut_database), to_victim(join), lasts=(1, 8), **NETWORK),
    Fault("the owner is cut off and frozen", to_owner(make_busy, cut_sinks, cut_database, freeze), to_victim(join, thaw),
          lasts=(7, 12), **NETWORK),
    Fault("kill -9 of carbon", **keeps_owner(lambda world, _: world.carbon.kill9(), lambda world: world.carbon.start()), lasts=(0, 1)),
    Fault("an agent's clock steps by an hour", **keeps_owner(step_a_clock, CLOCK["heal"]), lasts=(2, 4), needs=("faketime",)),
]
FAULTS = [*OF_AGENTS, Fault("restart of the database of the state", end_database, lambda world: world.database.start(), lasts=(0, 5))]
OF_GALERA = [
    *OF_AGENTS,
    Fault("restart of Otter's database", end_database, lambda world: world.database.start(), lasts=(0, 5)),
    Fault("kill -9 of a node", to_node(lambda node: node.kill9()), bring_back(), lasts=(0, 8)),
    Fault("SIGSTOP of a node", to_node(lambda node: node.process.send(signal.SIGSTOP)),
          bring_back(lambda node: node.process.send(signal.SIGCONT)), lasts=(1, 12)),
    Fault("a node without a quorum", to_node(lambda node: node.isolate(True)), bring_back(lambda node: node.isolate(False)),
          lasts=(1, 12)),
    Fault("rolling restart of the nodes", restart_nodes, lasts=(0, 2)),
    Fault("rolling restart of the agents", restart_agents, lasts=(0, 2)),
]
