"""In = out: what each sink says of its points when it ends."""
import re

LINE = re.compile(r"sink=(\S+) event=account (.*)")
WAYS = ("sent", "folded", "late", "lost", "behind")
SINKS = {"statsd", "graphite"}  # of a world's agent


def read(log):
    """One for each sink and end: {"sink": name, "points": n, "sent": n, ...}."""
    return [{"sink": sink, **{name: int(n) for name, n in re.findall(r"(\w+)=(-?\d+)", rest)}}
            for sink, rest in LINE.findall(log)]


def check(log):
    """Every point that came in, since a start or from the one before, went one of the ways. The last start has ended."""
    ended = {account["sink"] for account in read(log.rpartition("event=started")[2])}
    assert ended == SINKS, f"sinks have ended without an account: {SINKS - ended}"
    for account in read(log):
        ways = [account[way] for way in WAYS]
        assert account["points"] == sum(ways) and min(ways) >= 0, f"in is not out: {account}"
