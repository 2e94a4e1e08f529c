"""Measures otterbeat, similar programs and the limits of the machine in one run: see tests/bench/README.md."""
import argparse
import fnmatch
import pathlib
import time
import traceback

from servers.fake_otter import ROOT

from bench import measure
from bench.cases import CASES
from bench.world import QUICK, Sizes, World

FOLDER = ROOT / "build/bench"


def options():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="patterns of those to run (all): " + ", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="fewer rows, lines, rounds and seconds")
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER, help="where the CSV files go (build/bench)")
    for name, value in vars(Sizes()).items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"default {value:,}, quick {getattr(QUICK, name):,}")
    return parser.parse_args()


def sizes(given):
    base = QUICK if given.quick else Sizes()
    laid = {name: value for name, value in vars(given).items() if name in vars(base) and value is not None}
    return Sizes(**{**vars(base), **laid})


def table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(" | ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def main():
    given = options()
    chosen = [name for name in CASES if not given.cases or any(fnmatch.fnmatch(name, p) for p in given.cases)]
    with World(sizes(given)) as world:
        for name in chosen:
            began = time.monotonic()
            world.case = name
            try:
                CASES[name](world)
            except Exception as error:  # the other cases still run
                traceback.print_exc()
                world.say(name, "it ends well", str(error).partition("\n")[0], False)
            print(f"{name}: took {time.monotonic() - began:.0f} s, load {measure.load():.2f}", flush=True)
            world.write(given.out)
        print(f"\n{table(world.lines)}\n\nraw figures: {given.out}/raw.csv")


main()
