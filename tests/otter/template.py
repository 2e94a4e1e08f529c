"""Templates of pages, in the way of Velocity: "$name" is replaced by the value of that name, as HTML. A value that is
None, or that nobody knows, leaves its reference standing in the page; "$!name" leaves nothing. A file has its page,
then parts, each after a line "##name"."""
import html.entities
import pathlib
import re

REFERENCE = re.compile(r"\$(!?)([A-Za-z][A-Za-z0-9.]*)")
PART = re.compile(r"^##(\w+)\n", re.M)
# A named entity for every character that HTML 4 has one for.
ENTITIES = {code: f"&{name};" for code, name in html.entities.codepoint2name.items()} | {ord("'"): "&#39;"}


class Raw(str):
    """It is HTML already."""


def load(path):
    """All parts of a file by name; the page's is "page"."""
    page, *parts = PART.split(path.read_text("utf-8"))
    return {"page": page, **dict(zip(parts[::2], parts[1::2]))}


TEMPLATES = {path.stem: load(path) for path in (pathlib.Path(__file__).parent / "templates").glob("*.html")}


def render(name, part="page", /, **values):
    """Values whose names have dots are given as `**{"a.b": value}`."""
    def put(found):
        is_quiet, value = found[1], values.get(found[2])
        if value is None:
            return "" if is_quiet else found[0]
        return value if isinstance(value, Raw) else str(value).translate(ENTITIES)

    return Raw(REFERENCE.sub(put, TEMPLATES[name][part]))
