"""Faults of a manager: a small file with one order in each line, which is read at each request. Without a file, or with an
empty file, there is no fault.

    channel N running|paused|stopped      (running)
    pipeline N working|locating|off       (working, or off when its channel is stopped)
    pipeline N position EPOCH             its position moved at that time; 0: it has no position (newest statistic)
    node N up|down                        (up)
    zookeeper down                        pages that need ZooKeeper do not answer
    login required                        visitors without a log-in get no page
    session expired                       all sessions end each time the file is written
    latency MS                            delay of each answer
    decimal comma                         numbers look like 3,456 s and 65.000
    skew SECONDS                          the times of the last sync are wrong by so many seconds
    hang PAGE                             the page does not answer until the order is removed
    error STATUS PAGE
    drift PAGE WORD [OTHER]               the word is missing, or OTHER replaces it
    empty PAGE                            no rows
    truncate PAGE                         closes the connection after half of the announced length
    huge PAGE, bomb PAGE                  a GB without a length; a quarter of a GB as gzip of a few 100 KB
    slow body PAGE                        a few bytes a second
    latin1 PAGE, gbk PAGE                 another character set; gbk does not announce it

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
    """`mistaken` is the first unknown order. `written` has another value after each write of the file."""

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
        """Returns the words behind `beginning` in the first order that begins so; None when there is no such order."""
        wanted = [str(word) for word in beginning]
        return next((words[len(wanted):] for words in self.lines if words[:len(wanted)] == wanted), None)

    def has(self, *beginning):
        return self.find(*beginning) is not None

    def number(self, *beginning, otherwise=0):
        """Returns the number behind the beginning of the order."""
        found = self.find(*beginning)
        return int(found[0]) if found else otherwise

    # What only ZooKeeper knows, and no table: which pipeline runs, on which node, and its position.

    def channel(self, channel):
        return next((word for word in ("stopped", "paused") if self.has("channel", channel, word)), "running")

    def is_up(self, node):
        return not self.has("node", node, "down")

    def node_of(self, pipeline, nodes):
        """Returns the node, from 1 to `nodes`, that does the select stage of the pipeline; 0 when no node is up."""
        places = ((pipeline - 1 + i) % nodes + 1 for i in range(nodes))
        return next(filter(self.is_up, places), 0)

    def mainstem(self, pipeline, channel, nodes):
        ordered = [word for word in ("off", "locating", "working") if self.has("pipeline", pipeline, word)]
        if ordered:
            return ordered[0]
        return "off" if self.channel(channel) == "stopped" or not self.node_of(pipeline, nodes) else "working"

    def position(self, pipeline, newest):
        """Returns when the position last moved: with the newest row of statistics, or as ordered; 0 without a position."""
        return self.number("pipeline", pipeline, "position", otherwise=newest)
