"""Templates of pages, in the style of Velocity: "$name" is replaced by the value of that name, as HTML. When the value is
None or unknown, "$name" stays in the page, and "$!name" disappears. A file contains the page and then parts; each part follows
a line "##name"."""
import html.entities
import pathlib
import re

REFERENCE = re.compile(r"\$(!?)([A-Za-z][A-Za-z0-9.]*)")
PART = re.compile(r"^##(\w+)\n", re.M)
# The named entities of HTML 4.
ENTITIES = {code: f"&{name};" for code, name in html.entities.codepoint2name.items()} | {ord("'"): "&#39;"}


class Raw(str):
    """A text that is HTML already."""


def load(path):
    """Returns all parts of a file by name; the page itself has the name "page"."""
    page, *parts = PART.split(path.read_text("utf-8"))
    return {"page": page, **dict(zip(parts[::2], parts[1::2]))}


TEMPLATES = {path.stem: load(path) for path in (pathlib.Path(__file__).parent / "templates").glob("*.html")}


def render(name, part="page", /, **values):
    """Fills in the values. A value whose name contains a dot is passed as `**{"a.b": value}`."""
    def put(found):
        is_quiet, value = found[1], values.get(found[2])
        if value is None:
            return "" if is_quiet else found[0]
        return value if isinstance(value, Raw) else str(value).translate(ENTITIES)

    return Raw(REFERENCE.sub(put, TEMPLATES[name][part]))
