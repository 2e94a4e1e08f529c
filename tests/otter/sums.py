"""The true sums from the tables: what an agent sends that loses nothing and doubles nothing."""
import json
import re

from database import select

# In each query the first columns are tags, and the other columns are values. A tag whose name ends with "~" is an enumeration,
# and its value is written in lower case.
QUERIES = [
    (("pipeline", "type~"), ("throughput.count", "throughput.bytes"),
     "select PIPELINE_ID, TYPE, sum(NUMBER), sum(SIZE) from THROUGHPUT_STAT group by 1, 2 order by 1, 2"),
    # -1 and NULL both mean "none", so they must be one group.
    (("pipeline", "pair"), tuple(f"history.{what}" for what in ("inserts", "updates", "deletes", "files", "bytes")),
     "select coalesce(PIPELINE_ID, -1), coalesce(DATA_MEDIA_PAIR_ID, -1), sum(coalesce(INSERT_COUNT, 0)),"
     " sum(coalesce(UPDATE_COUNT, 0)), sum(coalesce(DELETE_COUNT, 0)), sum(coalesce(FILE_COUNT, 0)),"
     " sum(coalesce(FILE_SIZE, 0)) from TABLE_HISTORY_STAT group by 1, 2 order by 1, 2"),
    # When a pair has two rows, every later update changes both rows: the first row has the right total.
    (("pipeline", "pair"), tuple(f"table.{what}" for what in ("inserts", "updates", "deletes", "files", "bytes")),
     "select t.PIPELINE_ID, t.DATA_MEDIA_PAIR_ID, t.INSERT_COUNT, t.UPDATE_COUNT, t.DELETE_COUNT, t.FILE_COUNT,"
     " t.FILE_SIZE from TABLE_STAT t join (select min(ID) as ID from TABLE_STAT"
     " group by PIPELINE_ID, DATA_MEDIA_PAIR_ID) f on f.ID = t.ID order by 1, 2"),
    (("pipeline", "title~"), ("log.records",),
     "select PIPELINE_ID, coalesce(TITLE, '-1'), count(*) from LOG_RECORD group by 1, 2 order by 1, 2"),
]


def node_of(tag, value):
    """Returns the node of a path for a value, byte by byte."""
    if value in (None, -1, "-1"):
        return "none"
    text = str(value).encode()
    return re.sub(rb"[^A-Za-z0-9_-]", b"_", text.lower() if tag.endswith("~") else text).decode()


def show(db, _):
    """Prints one JSON object with a number for each dotted path, from one snapshot."""
    found = {}
    db.query("start transaction with consistent snapshot")
    for tags, names, sql in QUERIES:
        for row in select(db, sql):
            path = "".join(f".{tag.rstrip('~')}.{node_of(tag, value)}" for tag, value in zip(tags, row))
            found.update((f"otter{path}.{name}", int(value)) for name, value in zip(names, row[len(tags):]))
    print(json.dumps(found, indent=2))
