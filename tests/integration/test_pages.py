"""Saved pages with every value on them: the pages in the folder OB_PAGES, or the pages in tests/pages."""
import json
import os
import pathlib
import subprocess

import pytest

from servers.agent import PROGRAM, ENVIRONMENT, assert_no_report

FOLDER = pathlib.Path(os.environ.get("OB_PAGES") or pathlib.Path(__file__).resolve().parents[1] / "pages")
PAGES = sorted(path.name[:-len(".expected.json")] for path in FOLDER.glob("*.expected.json"))

CHANNEL = {0: "stopped", 1: "paused", 2: "running"}
MAINSTEM = {0: "not_working", 1: "locating", 2: "working"}
DIRECTION = {"无": "none", "单向": "one_way", "双向": "two_way", None: None}
NODE = {0: "stopped", 1: "started"}

# The page of each template, and how the names and forms of its values differ from those of otterbeat.
TEMPLATES = {
    "channelList.vm": ("channels", {"status": CHANNEL, "direction": DIRECTION}),
    "pipelineList.vm": ("pipelines", {"mainstem": MAINSTEM, "home": {0: False, 1: True}, "description": {None: ""}}),
    "nodeList.vm": ("nodes", {"status": NODE, "external": {0: False, 1: True}}),
    "dataMediaPairList.vm": ("pairs", {}),
    "analysisTopStat.vm": ("top", {"channel_status": CHANNEL, "mainstem": MAINSTEM}),
}
NUMBERS = {"total_items": "items", "page": "number", "pages": "numbers"}


def show(path, *options):
    done = subprocess.run([str(PROGRAM), *options, "page", str(path)], capture_output=True, timeout=60,
                          env={**os.environ, **ENVIRONMENT}, check=False)
    stderr = done.stderr.decode("utf-8", "replace")
    assert_no_report(stderr)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    rows = {line["page"]: [] for line in lines}
    for line in lines:
        if "rows" not in line:
            rows[line["page"]].append(line)
    return done.returncode, rows, {line["page"]: line for line in lines if "rows" in line}, stderr


def number_or_text(value, like):
    """Converts a text to the kind of the expected value."""
    return int(value) if value is not None and isinstance(like, int) else value


def value_of(row, name, want, words):
    got = row[name]
    if name in words:
        got = int(got) if got is not None and got.isdigit() else got
        return words[name].get(got, got)
    return number_or_text(got, want)


def compare_list(expected, page, words, rows, sums):
    assert len(rows[page]) == len(expected["rows"])
    for row, want in zip(rows[page], expected["rows"]):
        got = {name: value_of(row, name, value, words) for name, value in want.items()}
        assert got == want
    for theirs, ours in NUMBERS.items():
        if theirs in expected:
            assert sums[page][ours] == expected[theirs]


def compare_progress(expected, rows):
    progress, = rows["progress"]
    assert MAINSTEM[int(progress["mainstem"])] == expected["mainstem"]
    for name in ("mainstem_nid", "position_modified", "position_json"):
        assert number_or_text(progress[name], expected[name]) == expected[name]
    assert int(progress["in_flight"]) == len(expected["processes"])
    totals = [(int(row["process_id"]), int(row["total_ms"])) for row in rows["processes"]]
    assert totals == [(process["process_id"], process["total_ms"]) for process in expected["processes"]]
    got = [{name: row[name] for name in ("process_id", "stage", "ms", "running", "number", "size")}
           for row in rows["stages"]]
    want = [{"process_id": str(process["process_id"]), "stage": stage["stage"], "ms": str(stage["ms"]),
             "running": str(int(stage["running"])),
             **{name: None if stage.get(name) is None else str(stage[name]) for name in ("number", "size")}}
            for process in expected["processes"] for stage in process["stages"]]
    assert got == want


@pytest.mark.parametrize("name", PAGES)
def test_every_value_of_a_saved_page(name):
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text())
    code, rows, sums, stderr = show(FOLDER / f"{name}.html")
    if expected.get("is_data") is False:
        assert code == 69 and not rows
        assert {"login": "login page", "forbidden": "forbidden", "error": "error page"}[expected["kind"]] in stderr
        return
    assert code == 0, stderr
    if expected["template"] == "analysisStageStat.vm":
        compare_progress(expected, rows)
        return
    page, words = TEMPLATES[expected["template"]]
    compare_list(expected, page, words, rows, sums)
    if "channel_id" in expected:
        assert {row["channel_id"] for row in rows[page]} <= {str(expected["channel_id"])}
