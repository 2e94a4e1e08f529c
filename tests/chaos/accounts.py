"""In = out: what each sink says of its points when it ends."""
import re

LINE = re.compile(r"sink=(\S+) event=account (.*)")
WAYS = ("sent", "folded", "late", "lost", "behind")


def read(log):
    """One for each sink and start: {"sink": name, "points": n, "sent": n, ...}."""
    return [{"sink": sink, **{name: int(n) for name, n in re.findall(r"(\w+)=(-?\d+)", rest)}}
            for sink, rest in LINE.findall(log)]


def check(log):
    """Every point that came in, since this start or from the one before, went one of the ways."""
    found = read(log)
    assert found, "a sink has ended without an account"
    for account in found:
        ways = [account[way] for way in WAYS]
        assert account["points"] == sum(ways) and min(ways) >= 0, f"in is not out: {account}"
