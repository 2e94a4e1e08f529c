"""A round: one fault happens several times at random moments; then the fault ends, and everything is counted."""
import random
import shutil
import time
import traceback

from chaos import arrival, ledger
from chaos.fault import AT_LEAST, AT_MOST, Row
from chaos.faults import FAULTS
from chaos.rows import Rows
from chaos.world import World

HOLD = 2.0  # seconds for which no value may change
LONG_RUN = 20  # from so many times on, one of them has the fault's longest time


def judge_statsd(expectation, under, over):
    if over and expectation != AT_LEAST:
        return f"statsd is over by {over}"
    if under and expectation != AT_MOST:
        return f"statsd is under by {under}"
    return None


def count(row, world, truth, expectation):
    """Fills in the row of the table, with a outcome and details when there are differences."""
    found = arrival.wait_for(world, truth)
    if not found:
        time.sleep(HOLD)
        found = truth.differences(ledger.whisper(world.carbon))
    got = arrival.quiet_statsd(world)
    points = ledger.counters({name: sum(steps.values()) for name, steps in ledger.whisper(world.carbon).items()})
    row.sql, row.whisper, row.statsd = (int(sum(sums.values())) for sums in (truth.sums, points, got))
    row.under, row.over = map(int, ledger.under_and_over(truth.sums, got))
    row.differing = len({name.split(" ")[0] for name in found})
    bad = [f"{row.differing} series differ"] if found else []
    complaint = judge_statsd(expectation, row.under, row.over)
    if complaint:
        bad.append(complaint)
        found = {**found, **{f"statsd {name}": pair for name, pair in ledger.unequal(truth.sums, got).items()}}
    if bad:
        row.outcome = "FAILED: " + ", ".join(bad)
        row.details += f"\n{describe(found)}"


def describe(found, most=12):
    lines = [f"    {name}: SQL {there:.0f}, arrived {here:.0f}" for name, (there, here) in sorted(found.items())]
    return "\n".join(lines[:most] + ([f"    ... and {len(lines) - most} more"] if len(lines) > most else []))


def breaks_and_heals(fault, world, chance, seconds):
    fault.apply(world, chance)
    time.sleep(seconds)
    fault.heal(world)
    world.check_agent()


def mixed(faults, world, chance, seconds):
    """Applies the faults, an endless series, one after the other until the time is over. Returns their names."""
    names, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        fault = next(faults)
        time.sleep(chance.uniform(*fault.gap))
        breaks_and_heals(fault, world, chance, chance.uniform(*fault.lasts))
        names.append(fault.name)
    return names


def truth_of(world, may_lack=""):
    """Returns the truth of the tables, for faults that remove no rows."""
    return ledger.Truth(world.otter.sums(), ledger.sql_by_step(world.database, world.settings["step"]), may_lack)


def loaded(fault, world, times, chance, row):
    world.start_agent()
    world.start_load()
    long_one = chance.randrange(times) if fault.longest and times >= LONG_RUN else -1
    for i in range(times):
        time.sleep(chance.uniform(*fault.gap))
        breaks_and_heals(fault, world, chance, fault.longest if i == long_one else chance.uniform(*fault.lasts))
        row.times += 1
    time.sleep(0.5)
    world.stop_load()
    time.sleep(world.settings.get("after", 0))
    row.rows = ledger.rows_written(world.database)
    count(row, world, truth_of(world, fault.may_lack), fault.statsd)


def quiet(fault, world, times, chance, row):
    """For faults after which the tables lack rows: rows from before the fault must stay counted."""
    world.rows, world.current = Rows(chance), world.database
    world.start_agent()
    for _ in range(times):
        world.write()
        if not world.has_counted():
            break
        breaks_and_heals(fault, world, chance, world.settings["settle"] + 1.2)
        world.write()
        row.times += 1
    row.rows = world.rows.written
    count(row, world, ledger.Truth(world.wanted), fault.statsd)


def run_named(name, times, seed, folder, template):
    """Runs a fault by name, for another process: functions of a fault cannot be sent to a process."""
    return run(next(fault for fault in FAULTS if fault.name == name), times, seed, folder, template)


def run(fault, times, seed, folder, template):
    """Runs the round, and returns its row of the table."""
    row, chance = Row(fault.name), random.Random(f"{seed}/{fault.name}")
    settings = {**fault.settings, "seed": chance.randrange(1 << 30)}

    def act(world):
        (quiet if fault.is_quiet else loaded)(fault, world, min(times, fault.most), chance, row)
        fault.check(world)

    return guard(row, folder, lambda: World(folder, template, fault.parts, **settings), act)


def guard(row, folder, make_world, act):
    """Writes any error into this row. The folder stays when the outcome is bad."""
    began, world = time.monotonic(), None
    try:
        world = make_world()
        world.start()
        act(world)
        world.end()
    except AssertionError as error:
        row.outcome = row.outcome if "FAILED" in row.outcome else "FAILED"
        row.details = f"    {error}\n{row.details}"
    except Exception as error:
        row.outcome = f"FAILED: {type(error).__name__}"
        row.details = f"    {error}\n{traceback.format_exc(limit=-4)}\n{row.details}"
    finally:
        if world:
            world.stop()
    row.seconds = time.monotonic() - began
    if row.is_good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        row.details += f"\n    kept: {folder}"
    return row
