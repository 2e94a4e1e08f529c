"""fake-otter: fills the tables of a MariaDB like the managers of Alibaba Otter, and serves the managers' pages."""
import argparse
import sys

import pymysql

import history
import live
import names
import pages
import sums
from database import STATISTICS, connect, run_file


def number_from(kind, least, most):
    def number(text):
        if not least <= kind(text) <= most:  # this refuses a NaN, too
            raise ValueError
        return kind(text)
    return number


def one_of(*words):
    def word(text):
        if text not in words:
            raise ValueError
        return text
    return word


def sample(db, _):
    """Inserts all rows or no row; fails when the rows exist already."""
    db.begin()
    run_file(db, "sample.sql")
    db.commit()


COUNT = number_from(int, 1, 1_000_000)

# Each command: its function, its help, and its options with (kind, default, help). None means that there is no default.
COMMANDS = {
    "create": (names.create, "make the database anew: empty tables, and names", {
        "pipelines": (COUNT, 4, "how many"),
        "tables": (COUNT, 3, "pairs of each pipeline"),
        "channels": (COUNT, 0, "that the pipelines are shared out among (one for two); what is left over is empty")}),
    "sample": (sample, "insert a small, fixed set of rows of 2020-04-20", {}),
    "history": (history.fill, "insert many rows of the past", {
        "rows": (number_from(int, 1, 10**10), None, "how many, of each table"),
        "until": (number_from(int, 1, 2**31 - 1), 0, "epoch of the newest row (now)"),
        "hours": (number_from(float, 0.001, 1e5), 24, "from oldest to newest"),
        "table": (one_of("all", *STATISTICS), "all", f"{', '.join(STATISTICS)} (one row a pair), or all")}),
    "run": (live.run, "behave as running managers do", {
        "seconds": (number_from(float, 0.001, 1e9), 0, "how long (until a signal)"),
        "speed": (number_from(float, 0.001, 6000), 1, "a manager's minute takes 60/X seconds"),
        "managers": (number_from(int, 0, 100), 2, "manager threads"),
        "masters": (number_from(int, 1, 100), 2, "ids are shared out among this many databases"),
        "master": (number_from(int, 0, 100), 0, "all ids are of this one of them (0: of each in turn)"),
        "writers": (number_from(int, 0, 500), 0, "threads that insert in longer transactions"),
        "hold": (number_from(float, 0, 3600), 2, "longest transaction of a writer, in seconds"),
        "rate": (number_from(float, 0.001, 1e6), 50, "rows a second of all writers together"),
        "seed": (number_from(int, 0, 9 * 10**18), 1, "the same seed makes the same choices")}),
    "sums": (sums.show, "print what the tables add up to, as JSON", {}),
    "pages": (pages.serve, "serve the manager's web pages on 127.0.0.1", {
        "listen": (number_from(int, 0, 65535), 8080, "port; 0 is any free port, which is printed"),
        "login": (str, "admin", "who may log in"),
        "login-password": (str, "admin", "with which password"),
        "zone": (str, "Asia/Shanghai", "of the dates, by name or as +08:00"),
        "state": (str, "", "file of what goes wrong, one order a line: orders.py")}),
}


def parse():
    parser = argparse.ArgumentParser(prog="fake-otter", description=__doc__.partition(": ")[2],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--socket", required=True, help="the server's socket")
    parser.add_argument("--database", default="otter")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, (_, what, options) in COMMANDS.items():
        sub = commands.add_parser(command, help=what, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        for name, (kind, default, text) in options.items():
            sub.add_argument(f"--{name}", type=kind, default=default, required=default is None, help=text)
    return parser.parse_args()


def main():
    options = parse()
    database = None if options.command == "create" else options.database  # the command create needs no database
    try:
        COMMANDS[options.command][0](connect(options.socket, database), options)
    except (pymysql.Error, OSError, ValueError) as error:
        sys.exit(f"fake-otter: {error} ({options.socket})")


main()
