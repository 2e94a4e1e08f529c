"""How many instructions a row costs on its way to a line: this number depends on the code, and not on the machine.

callgrind counts with the release build, including all libraries and the store. The cost of start and end is left out: it is
in both of two runs, whose difference is used. A change that makes a row much cheaper also writes the new figure here.
"""
import re

import pytest

from bench.contenders import built_in
from bench.world import Sizes, World

FEW, MANY = 20_000, 60_000
MARGIN = 0.1
SUMMARY = re.compile(r"^summary: (\d+)", re.M)


@pytest.fixture(scope="module", name="world")
def small_world():
    with World(Sizes(), "128M") as world:
        yield world


def instructions(world, rows, kind):
    out = world.fresh("callgrind") / "out"
    built_in(world, world.database.delays(rows), rows, kind,
              ("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"))
    return int(SUMMARY.search(out.read_text())[1])


@pytest.mark.parametrize("kind, known", [("tcp", 2810), ("udp", 2830)], ids=["graphite", "statsd"])
def test_instructions_a_row(world, kind, known):
    a_row = (instructions(world, MANY, kind) - instructions(world, FEW, kind)) / (MANY - FEW)
    assert known * (1 - MARGIN) <= a_row <= known * (1 + MARGIN), f"{a_row:.0f} instructions a row, {known} were known"
