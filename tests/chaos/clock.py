"""A wall clock of one process, which a test can set: libfaketime reads the offset from a file at each call."""
from chaos.namespace import FAKETIME


class Clock:
    def __init__(self, file, offset=0):
        self.file = file
        self.set(offset)

    def set(self, seconds):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self.file)

    def environment(self):
        """Returns the environment of the process with this clock. Deadlines and time-outs stay right. libfaketime's fix for old libcs is
        off: with that fix, each timed wait for a condition variable on the monotonic clock would end at once."""
        return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
