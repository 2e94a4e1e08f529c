"""tests/chaos/run: causes faults, counts, and prints the differences."""
import argparse
import fnmatch
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile

from chaos import accept, cluster, crew, kills, long_run, mutants, results, rounds
from chaos.faults import FAULTS
from servers.mariadb import make_template

SECONDS_A_TIME = 30  # so many seconds of the run are planned for one application of every fault
CREW = 3 * (os.cpu_count() or 1)  # a world mostly waits
CLUSTERS = 3  # worlds of agents that share a state: each has all faults in turns


def options():
    parser = argparse.ArgumentParser(prog="tests/chaos/run", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="600: every fault twenty times (60)")
    parser.add_argument("seed", nargs="?", type=int, help="the same seed makes the same choices (a random one)")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="faults of this name; may be repeated")
    parser.add_argument("--kills", type=int, metavar="N", help="instead: so many kill -9 of the agent, fast")
    parser.add_argument("--cluster", action="store_true", help="instead: agents that share a state, for so many seconds")
    parser.add_argument("--galera", action="store_true", help="with --cluster: three agents, and the state on three nodes")
    parser.add_argument("--mutants", action="store_true", help="instead: wrong agents, which have to be found out")
    parser.add_argument("--accept", nargs="*", metavar="CASE", help="instead: the acceptance list, or these of it")
    parser.add_argument("--long", action="store_true", help="with --accept: in full, not scaled down to minutes")
    parser.add_argument("--list", action="store_true", help="the names of the faults")
    parser.add_argument("--worlds", type=int, default=CREW, help=f"side by side ({CREW})")
    wanted = parser.parse_args()
    if wanted.kills and wanted.seed is None and len(sys.argv) > 3:  # --kills N SEED: this form has no seconds
        wanted.seed = wanted.seconds
    return wanted


def chosen(faults, patterns):
    found = [fault for fault in faults if not patterns or any(fnmatch.fnmatch(fault.name, p) for p in patterns)]
    if not found:
        sys.exit("tests/chaos/run: no such fault")
    return sorted(found, key=lambda fault: (not fault.is_quiet, -fault.longest - sum(fault.lasts)))


def run_faults(wanted, folder, template):
    times = max(1, wanted.seconds // SECONDS_A_TIME)
    tasks = [(fault.name, fault.needs, rounds.run_named, (fault.name, times, wanted.seed, folder / f"r{i}", template))
             for i, fault in enumerate(chosen(FAULTS, wanted.only))]
    if not wanted.only:
        tasks.insert(0, (long_run.NAME, (), long_run.run, (wanted.seconds, wanted.seed, folder / "long", template)))
    return run_tasks(tasks, wanted.worlds)


def run_kills(wanted, folder, template):
    crew_size = min(wanted.worlds, wanted.kills)
    shares = [wanted.kills // crew_size + (i < wanted.kills % crew_size) for i in range(crew_size)]
    return run_tasks([("kills", (), kills.run, (i, share, wanted.seed, folder / f"k{i}", template))
                      for i, share in enumerate(shares)], wanted.worlds)


def run_cluster(wanted, folder, template):
    worlds, names = min(wanted.worlds, CLUSTERS), [one.name for one in chosen(cluster.faults_of(wanted.galera), wanted.only)]
    needs = ("network",) if wanted.galera else ()
    return run_tasks([("cluster", needs, cluster.run, (i, i / worlds, names, wanted.galera, wanted.seconds, wanted.seed, folder / f"c{i}",
                                                       template)) for i in range(worlds)], worlds)


def run_accept(wanted, folder, template):
    names = wanted.accept or [case.name for case in accept.CASES]
    needs = {case.name: case.needs for case in accept.CASES}
    unknown = [name for name in names if name not in needs]
    if unknown:
        sys.exit(f"tests/chaos/run: no such case: {' '.join(unknown)} ({' '.join(needs)})")
    return run_tasks([(name, needs[name], accept.run_named, (name, wanted.seed, folder / name, template, wanted.long))
                      for name in names], wanted.worlds)


def run_tasks(tasks, worlds):
    rows = []
    results.show_head()
    for row in crew.share_out(tasks, min(worlds, len(tasks))):
        rows.append(row)
        results.show(row)
    return results.show_sum(rows)


def ends(*_):
    raise KeyboardInterrupt


def main():
    wanted = options()
    if wanted.list:
        print("\n".join([*(fault.name for fault in FAULTS), *(f"--cluster: {fault.name}" for fault in cluster.FAULTS),
                         *(f"--cluster --galera: {fault.name}" for fault in cluster.faults_of(True)),
                         *(f"--accept {case.name}" for case in accept.CASES)]))
        return 0
    if wanted.seed is None:
        wanted.seed = random.randrange(1 << 31)
    if wanted.accept:  # --accept CASE… takes the words behind it; numbers are seconds and seed, not cases
        numbers = [word for word in wanted.accept if word.isdigit()]
        wanted.accept = [word for word in wanted.accept if not word.isdigit()]
        wanted.seed = int(numbers[-1]) if numbers else wanted.seed
    print(f"seed {wanted.seed}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ends)
    return 0 if in_folder(wanted, action_of(wanted)) else 1


def action_of(wanted):
    if wanted.mutants:
        return mutants.run
    if wanted.accept is not None:
        return run_accept
    if wanted.cluster:
        return run_cluster
    return run_kills if wanted.kills else run_faults


def in_folder(wanted, act):
    """Runs in a folder of its own, which stays when there are differences."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ob-chaos-"))
    good = False
    try:
        make_template(folder / "template")
        good = act(wanted, folder, folder / "template")
        return good
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(folder / "template", ignore_errors=True)
        if good or not any(folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
