"""The table of results."""
COLUMNS = (
    ("fault", 46, lambda row: row.fault),
    ("times", 5, lambda row: row.times),
    ("rows", 7, lambda row: row.rows),
    ("SQL sum", 14, lambda row: row.sql),
    ("whisper sum", 14, lambda row: row.whisper),
    ("statsd sum", 14, lambda row: row.statsd),
    ("differ", 6, lambda row: row.differing),
    ("under/over", 14, lambda row: f"{row.under}/{row.over}"),
    ("outcome", 7, lambda row: row.outcome),
)


def line(texts):
    cells = [str(text).ljust(width) if i == 0 or i == len(COLUMNS) - 1 else str(text).rjust(width)
             for i, (text, (_, width, _)) in enumerate(zip(texts, COLUMNS))]
    return "  ".join(cells).rstrip()


def show_head():
    print(line([title for title, _, _ in COLUMNS]), flush=True)
    print(line(["-" * width for _, width, _ in COLUMNS]), flush=True)


def show(row):
    print(line([text(row) for _, _, text in COLUMNS]) + f"  ({row.seconds:.0f} s)", flush=True)
    if row.details.strip():
        print("\n".join(text for text in row.details.split("\n") if text.strip()), flush=True)


def show_sum(rows):
    """The last line, which tests/run reads."""
    skipped = sum(row.is_skipped for row in rows)
    failed = sum(not row.is_good for row in rows)
    times, written = sum(row.times for row in rows), sum(row.rows for row in rows)
    print(f"{times} faults, {written} rows: {sum(row.differing for row in rows)} series differ in Graphite, "
          f"{sum(row.over for row in rows)} too much in StatsD (repeats that were asked for included)")
    print(f"{len(rows) - skipped - failed} passed, {failed} failed, {skipped} skipped", flush=True)
    return failed == 0
