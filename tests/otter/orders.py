"""What has gone wrong with a manager just now: a small file that is read at each request, one order a line. No file, or
an empty one: all is well.

    channel N running|paused|stopped      (running)
    pipeline N working|locating|off       (working, or off when its channel is stopped)
    pipeline N position EPOCH             last moved then; 0: there is none (newest statistic)
    node N up|down                        (up)
    zookeeper down                        pages that ask it hang
    login required                        no page for anonymous visitors
    session expired                       all sessions end, each time the file is written anew
    latency MS                            of each answer
    decimal comma                         3,456 s and 65.000
    skew SECONDS                          the times of the last sync are off by so much
    hang PAGE                             until the order is withdrawn
    error STATUS PAGE
    drift PAGE WORD [OTHER]               the word is not there, or is another
    empty PAGE                            no rows
    truncate PAGE                         hangs up after half of what it has announced
    huge PAGE, bomb PAGE                  a GB, whose length is not told; a quarter of one as gzip of a few 100 KB
    slow body PAGE                        a few bytes a second
    latin1 PAGE, gbk PAGE                 in another character set; gbk does not say so

PAGE is channelList, pipelineList, nodeList, analysisStageStat or login.
"""
import os
import re

PAGE = "(channelList|pipelineList|nodeList|analysisStageStat|login)"
KNOWN = re.compile("|".join((
    r"channel \d+ (running|paused|stopped)", r"pipeline \d+ (working|locating|off|position \d+)", r"node \d+ (up|down)",
    "zookeeper down", "login required", "session expired", "decimal comma", r"latency \d+", r"skew -?\d+",
    rf"error \d+ {PAGE}", rf"drift {PAGE} \S+( \S+)?", f"(hang|empty|truncate|huge|bomb|slow body|latin1|gbk) {PAGE}")))


class Orders:
    """`mistaken` is the first order that nobody knows. `written` is another value for each writing of the file."""

    def __init__(self, path=None):
        self.lines, self.written = [], None
        try:
            with open(path or os.devnull, encoding="utf-8") as file:
                about = os.fstat(file.fileno())
                self.written = (about.st_ino, about.st_mtime_ns)
                self.lines = [line.split() for line in file if line.strip()]
        except FileNotFoundError:
            pass
        self.mistaken = next((" ".join(words) for words in self.lines if not KNOWN.fullmatch(" ".join(words))), None)

    def find(self, *beginning):
        """What follows the beginning in the first order that has it, as a list of words; None: there is none."""
        wanted = [str(word) for word in beginning]
        return next((words[len(wanted):] for words in self.lines if words[:len(wanted)] == wanted), None)

    def has(self, *beginning):
        return self.find(*beginning) is not None

    def number(self, *beginning, otherwise=0):
        """The number after the beginning."""
        found = self.find(*beginning)
        return int(found[0]) if found else otherwise

    # What ZooKeeper would know, and no table does: who runs, where, and how far it has come.

    def channel(self, channel):
        return next((word for word in ("stopped", "paused") if self.has("channel", channel, word)), "running")

    def is_up(self, node):
        return not self.has("node", node, "down")

    def node_of(self, pipeline, nodes):
        """The node, of 1 … `nodes`, that selects for the pipeline; 0: none of them is up."""
        places = ((pipeline - 1 + i) % nodes + 1 for i in range(nodes))
        return next(filter(self.is_up, places), 0)

    def mainstem(self, pipeline, channel, nodes):
        ordered = [word for word in ("off", "locating", "working") if self.has("pipeline", pipeline, word)]
        if ordered:
            return ordered[0]
        return "off" if self.channel(channel) == "stopped" or not self.node_of(pipeline, nodes) else "working"

    def position(self, pipeline, newest):
        """When the position last moved: with the newest row of statistics, or as ordered; 0: there is none."""
        return self.number("pipeline", pipeline, "position", otherwise=newest)
