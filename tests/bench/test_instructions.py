"""How many instructions a row costs on its way to a line: a number of the code's, not of the machine's.

Counted by callgrind with the release build, all libraries and the store included; what the start and the end cost is
left out, since it stands in both of two runs. Who makes it much cheaper writes down the new figure.
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


@pytest.mark.parametrize("kind, known", [("tcp", 4760), ("udp", 4830)], ids=["graphite", "statsd"])
def test_instructions_a_row(world, kind, known):
    a_row = (instructions(world, MANY, kind) - instructions(world, FEW, kind)) / (MANY - FEW)
    assert known * (1 - MARGIN) <= a_row <= known * (1 + MARGIN), f"{a_row:.0f} instructions a row, {known} were known"
