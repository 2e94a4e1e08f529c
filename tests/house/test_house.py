"""The rules of the house that a program can check. Each is also shown a tree that breaks it."""
import collections
import os
import pathlib
import re

import pytest

from chaos.mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTION_MAX = 60
FOLDER_MAX = 20  # .c files

# A folder may include these folders and files, and itself. Source and sink include nothing of each other.
SOURCE = {"agent/source/mysql", "agent/source/names", "agent/source/web"}
FLOORS = {
    "proto": set(),
    "config": {"proto"},
    "agent/process": {"proto", "config"},
    "agent/process/mysql": {"proto", "config", "agent/process"},
    "agent/store": {"proto", "config", "agent/process", "agent/process/mysql"},
    "agent/source": {"proto", "config", "agent/process", "agent/store", *SOURCE},
    "agent/source/mysql": {"proto", "config", "agent/process", "agent/process/mysql", "agent/store", "agent/source/reader.h"},
    "agent/source/names": {"proto", "config", "agent/process", "agent/store", "agent/source/mysql"},
    "agent/source/web": {"proto", "config", "agent/process", "agent/store", "agent/source/mysql", "agent/source/outbox.h",
                         "agent/source/own_point.h", "agent/source/reader.h"},
    "agent/sink": {"proto", "config", "agent/process", "agent/store"},
    "agent/status": {"proto", "config", "agent/process", "agent/store", "agent/source"},
    "agent/ops": {"proto", "config", "agent/process", "agent/store", "agent/process/mysql", "agent/source", *SOURCE, "agent/sink",
                  "agent/status"},
    "agent/dashboards": {"proto", "config", "agent/process", "agent/ops"},
    "agent/verify": {"proto", "config", "agent/process", "agent/source", "agent/sink", "agent/ops"},
    "agent/top": {"proto", "config", "agent/process", "agent/ops", "agent/status"},
    "agent/cluster": {"proto", "config", "agent/process", "agent/store", "agent/sink", "agent/ops"},
    "agent": {"proto", "config", "agent/process", "agent/store", "agent/source", *SOURCE, "agent/sink", "agent/ops",
              "agent/dashboards", "agent/top", "agent/verify", "agent/cluster"},
}
TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
       "agent", "proto", "config", "tests", "deploy"}
NOT_OURS = {".git", "build", "node_modules", "__pycache__"}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|strtok|atoi|atoll|strerror|localtime|usleep|pthread_cancel|alloca)\(")
SAYS_NOTHING = re.compile(r"(^|/)(utils?|common|misc|helpers?)(\.[a-z]+)?(/|$)")
LITERAL = re.compile(r'\s*((?:"(?:\\.|[^"\\])*"|\bOB_VERSION\b)\s*)+(?=,|$)')
CONVERSION = re.compile(r"%(s|\.\d+s|d|u|lld|zu)")
OURS = re.compile(r'^#include "([^"]+)"', re.M)


def sources(root, folders=("proto", "config", "agent")):
    return [path for folder in folders for path in sorted((root / folder).rglob("*.[ch]"))]


def files(root):
    """Yields our own files, without built and downloaded files."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def includes_that_go_up(root):
    for path in sources(root):
        floor = str(path.parent.relative_to(root))
        for included in OURS.findall(path.read_text()):
            folder = included.rpartition("/")[0]
            if folder != floor and not {folder, included} & FLOORS[floor]:
                yield f"{path.relative_to(root)} includes {included}"


def module_of(name):
    """A header and the source of the same name are one module."""
    return name.rpartition(".")[0]


def modules(root):
    """Of each module, those that it includes."""
    graph = {}
    for path in sources(root):
        graph.setdefault(module_of(str(path.relative_to(root))), set()).update(map(module_of, OURS.findall(path.read_text())))
    return graph


def reached(graph, begin):
    found, todo = set(), [begin]
    while todo:
        new = graph.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def include_circles(root):
    """Modules that include each other, directly or by way of others."""
    graph = modules(root)
    after = {module: reached(graph, module) for module in graph}
    circles = {frozenset(other for other in after[module] if module in after.get(other, ())) for module in graph}
    yield from (" <-> ".join(sorted(circle)) for circle in circles if len(circle) > 1)


def full_folders(root):
    counts = collections.Counter(str(path.parent.relative_to(root)) for path in sources(root) if path.suffix == ".c")
    yield from (f"{folder} has {n} .c files" for folder, n in counts.items() if n > FOLDER_MAX)


def banned_calls(root):
    for path in sources(root):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if BANNED.search(line):
                yield f"{path.relative_to(root)}:{number}: {line.strip()}"


def functions(path):
    """Yields (name, lines) for each function: the braces of a body are in the first column."""
    begin, name = 0, ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            yield name, number - begin + 1
            begin = 0
        elif not begin and "(" in line and not line.startswith((" ", "\t", "#")):
            name = line.split("(")[0].split()[-1].lstrip("*")


def too_long(root):
    for path in sources(root, ("proto", "config", "agent", "tests")):
        if "node_modules" in path.parts:
            continue
        for name, length in functions(path):
            if length > FUNCTION_MAX:
                yield f"{path.relative_to(root)}: {name} has {length} lines"


def names_that_say_nothing(root):
    return [name for name in files(root) if SAYS_NOTHING.search(name)]


def strangers_on_top(root):
    return sorted({name.split("/")[0] for name in files(root)
                   if not name.startswith(".") and name.split("/")[0] not in TOP})


def log_formats(root):
    """Yields the place and the format of each log line; None for a format that is not a literal."""
    for path in sources(root):
        text = path.read_text()
        for call in re.finditer(r"^ +ob_log\((.*?)\);$", text, re.M | re.S):
            found = LITERAL.match(call.group(1).partition(",")[2])
            where = f"{path.relative_to(root)}:{text.count(chr(10), 0, call.start()) + 1}"
            yield where, found and "".join(re.findall(r'"((?:\\.|[^"\\])*)"', found.group(0))).replace('\\"', '"')


def log_lines_that_a_text_could_forge(root):
    """The format of a log line must be a literal, in which a %s without quotes is the whole value of a field."""
    for where, line in log_formats(root):
        if line is None:
            yield f"{where}: the format is no literal"
            continue
        for at in re.finditer(r"%", line):
            known = CONVERSION.match(line, at.start())
            is_bare = line.count('"', 0, at.start()) % 2 == 0
            if not known:
                yield f"{where}: the log does not know what is at {line[at.start():]}"
            elif is_bare and known.group().endswith("s") and not (
                    line[at.start() - 1] == "=" and line[known.end():known.end() + 1] in ("", " ")):
                yield f"{where}: the text is a part of a field, or of none, at {line[at.start():]}"


CHECKS = [includes_that_go_up, include_circles, full_folders, log_lines_that_a_text_could_forge, banned_calls, too_long,
          names_that_say_nothing, strangers_on_top]


def test_the_text_of_each_mutant_is_there():
    for mutant in MUTANTS:
        assert not mutant.file or (ROOT / mutant.file).read_text().count(mutant.old) == 1, mutant.name


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_house(check):
    assert not list(check(ROOT))


@pytest.mark.parametrize("check, breach", [
    (include_circles, {"proto/a.h": '#include "proto/b.h"\n', "proto/b.c": '#include "proto/a.h"\n'}),
    (include_circles, {"agent/a.c": '#include "agent/b.h"\n', "agent/b.h": '#include "proto/c.h"\n',
                       "proto/c.c": '#include "agent/a.h"\n'}),
    (full_folders, {f"agent/sink/{n}.c": "" for n in range(FOLDER_MAX + 1)}),
])
def test_a_breach_by_several_files_is_found(tmp_path, check, breach):
    for name, text in breach.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert len(list(check(tmp_path))) == 1
    (tmp_path / name).unlink()
    assert not list(check(tmp_path))


@pytest.mark.parametrize("check, name, text", [
    (includes_that_go_up, "proto/a.c", '#include "config/config.h"\n'),
    (includes_that_go_up, "agent/sink/a.c", '#include "agent/source/task.h"\n'),
    (includes_that_go_up, "agent/store/a.c", '#include "store.h"\n'),
    (includes_that_go_up, "agent/source/mysql/a.c", '#include "agent/source/task.h"\n'),
    (banned_calls, "agent/sink/a.c", "int x = atoi(text);\n"),
    (too_long, "proto/a.c", "static int f(void)\n{\n" + "\n" * 60 + "}\n"),
    (log_lines_that_a_text_could_forge, "agent/a.c", '        ob_log(OB_LOG_INFO, text);\n'),
    (log_lines_that_a_text_could_forge, "agent/a.c", '        ob_log(OB_LOG_INFO, "event=%s.%s", a, b);\n'),
    (log_lines_that_a_text_could_forge, "agent/a.c", '        ob_log(OB_LOG_INFO, "event=x%s", more);\n'),
    (log_lines_that_a_text_could_forge, "agent/a.c", '        ob_log(OB_LOG_INFO, "event=x n=%ld", n);\n'),
    (names_that_say_nothing, "agent/util.c", ""),
    (strangers_on_top, "src/a.c", ""),
])
def test_a_breach_is_found(tmp_path, check, name, text):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    assert list(check(tmp_path))
