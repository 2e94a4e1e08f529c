"""tests/chaos/run: breaks things, counts, and says what differs."""
import argparse
import fnmatch
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile

from chaos import crew, results, rounds
from chaos.faults import FAULTS
from servers.mariadb import make_template

SECONDS_A_TIME = 30  # of the run's seconds, for each time that each fault is applied
CREW = 2 * (os.cpu_count() or 1)  # a world waits most of its time


def options():
    parser = argparse.ArgumentParser(prog="tests/chaos/run", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="600: every fault twenty times (60)")
    parser.add_argument("seed", nargs="?", type=int, help="the same seed makes the same choices (a random one)")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="faults of this name; may be repeated")
    parser.add_argument("--list", action="store_true", help="the names of the faults")
    parser.add_argument("--worlds", type=int, default=CREW, help=f"side by side ({CREW})")
    return parser.parse_args()


def chosen(patterns):
    found = [fault for fault in FAULTS if not patterns or any(fnmatch.fnmatch(fault.name, p) for p in patterns)]
    if not found:
        sys.exit("tests/chaos/run: no such fault")
    return sorted(found, key=lambda fault: (not fault.is_quiet, -fault.longest - sum(fault.lasts)))


def run_faults(wanted, folder, template):
    times = max(1, wanted.seconds // SECONDS_A_TIME)
    tasks = [(fault.name, fault.needs, rounds.run_named, (fault.name, times, wanted.seed, folder / f"r{i}", template))
             for i, fault in enumerate(chosen(wanted.only))]
    results.show_head()
    rows = []
    for row in crew.share_out(tasks, min(wanted.worlds, len(tasks))):
        rows.append(row)
        results.show(row)
    return results.show_sum(rows)


def ends(*_):
    raise KeyboardInterrupt


def main():
    wanted = options()
    if wanted.list:
        print("\n".join(fault.name for fault in FAULTS))
        return 0
    if wanted.seed is None:
        wanted.seed = random.randrange(1 << 31)
    print(f"seed {wanted.seed}", flush=True)
    signal.signal(signal.SIGTERM, ends)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ob-chaos-"))
    good = False
    try:
        make_template(folder / "template")
        good = run_faults(wanted, folder, folder / "template")
    finally:
        shutil.rmtree(folder / "template", ignore_errors=True)
        if good or not any(folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
