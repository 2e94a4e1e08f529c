"""In = out: the account of points that each sink logs when it ends."""
import re

LINE = re.compile(r"sink=(\S+) event=account (.*)")
WAYS = ("sent", "folded", "late", "lost", "behind")
SINKS = {"statsd", "graphite"}  # the sinks of a world's agent


def read(log):
    """Returns one account for each end of each sink: {"sink": name, "points": n, "sent": n, ...}."""
    return [{"sink": sink, **{name: int(n) for name, n in re.findall(r"(\w+)=(-?\d+)", rest)}}
            for sink, rest in LINE.findall(log)]


def check(log, may_stand_by=False):
    """Checks that every point, from this run or left by the run before, is in exactly one of the numbers. The last run has ended.
    An agent that only stood by had no sinks."""
    ended = {account["sink"] for account in read(log.rpartition("event=started")[2])}
    assert ended == SINKS or may_stand_by and not ended, f"sinks have ended without an account: {SINKS - ended}"
    for account in read(log):
        ways = [account[way] for way in WAYS]
        assert account["points"] == sum(ways) and min(ways) >= 0, f"in is not out: {account}"
