"""Several agents share a state, and all faults happen one after the other: does a takeover lose or double anything?"""
import collections
import itertools
import random
import re

from chaos import ledger, namespace, rounds
from chaos.cluster_world import ClusterWorld, GaleraWorld
from chaos.fault import AT_MOST, Row
from chaos.faults.cluster import FAULTS, OF_GALERA
from chaos.faults.processes import IN_DOUBT

BATCH = 1000  # points
TAKEN = re.compile(r"event=lease_taken agent=\S+ (.*)")
EACH_ROW_IS_ONE = re.compile(r"\.log\.records$")


def faults_of(is_galera):
    return OF_GALERA if is_galera else FAULTS


def run(number, share, names, is_galera, seconds, seed, folder, template):
    """The faults of these names are shuffled once for all worlds, and this world begins after `share` of them."""
    row, chance = Row(f"agents that share a state ({number})"), random.Random(f"{seed}/cluster/{number}")
    faults = [fault for fault in faults_of(is_galera) if fault.name in names and namespace.PERMITTED >= set(fault.needs)]
    row.details = "".join(f"\n    not permitted: {name}" for name in sorted({*names} - {fault.name for fault in faults}))
    if not faults:
        row.outcome = "skipped: not permitted"
        return row
    random.Random(f"{seed}/cluster").shuffle(faults)
    begin = int(share * len(faults))
    make = GaleraWorld if is_galera else ClusterWorld
    return rounds.guard(row, folder, lambda: make(folder, template, seed=chance.randrange(1 << 30)),
                        lambda world: act(world, row, chance, [*faults[begin:], *faults[:begin]], seconds))


def act(world, row, chance, faults, seconds):
    for agent in world.members:
        world.start_agent(agent)
    world.start_load()
    applied = rounds.mixed(itertools.cycle(faults), world, chance, seconds)
    world.stop_load()
    row.times = len(applied)
    row.rows = ledger.rows_written(world.database)
    row.details += f"\n    {', '.join(f'{name} {n}' for name, n in collections.Counter(applied).items())}"
    rounds.count(row, world, rounds.truth_of(world), AT_MOST)
    row.details += f"\n    {check_takeovers(world)}"


def check_takeovers(world):
    """Each takeover has a generation of its own. One batch at most is in doubt after each death and each lost lease, and none after
    another takeover. StatsD lacks at most these points, and one batch for each cut into which datagrams may have been sent."""
    log = world.logs()
    taken, in_doubt = TAKEN.findall(log), [int(points) for points in IN_DOUBT.findall(log)]
    lost = log.count("event=lease_lost")
    said = (f"{len(taken) - 1} takeovers, {world.kills} of killed agents, {lost} leases lost, {world.restarts} starts failed; "
            f"in doubt {len(in_doubt)} times, {sum(in_doubt)} points")
    assert len(set(taken)) == len(taken), f"taken more than once: {collections.Counter(taken).most_common(1)}"
    assert len(in_doubt) <= world.kills + lost and max(in_doubt, default=0) <= BATCH, said
    lacks, most = lacking_points(world), sum(in_doubt) + BATCH * world.voids
    assert lacks <= most or world.statsd.dropped(), f"{said}: StatsD lacks {lacks} points, and {most} were expected at most"
    return f"{said}; StatsD lacks at least {lacks} points"


def lacking_points(world):
    """Returns the least number of points that explains what StatsD lacks: a series lacks one, or one for each row."""
    unequal = ledger.unequal(ledger.counters(world.otter.sums()), ledger.counters(world.statsd.counters()))
    return sum(int(there - here) if EACH_ROW_IS_ONE.search(name) else 1 for name, (there, here) in unequal.items()
               if here < there)
