"""Dangerous texts from outside: their control characters must never reach a terminal, and they must not forge a log line."""
import re

BAD_TEXT = (b"x\"\\ \n2026-01-01T00:00:00.000Z error event=forged\r\x1b[31m\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf\xff\xfe")
SHOWN = "<U+000A>2026-01-01T00:00:00.000Z error event=forged<U+000D><U+001B>[31m<U+009B>31m<U+202E><U+2028><U+FEFF>"
IN_LOG = r"x\"\\ " + SHOWN

NOT_SHOWN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]")
LINE = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info)( \w+=("(\\.|[^"\\])*"|[^ "=\\]+))+')
FIELD = re.compile(r' (\w+)=("(?:\\.|[^"\\])*"|[^ "=\\]+)')


def assert_clean(text):
    """Asserts that a terminal may show the text. Bytes that were not UTF-8 have become U+FFFD before."""
    found = NOT_SHOWN.search(text)
    assert not found, f"{found.group(0)!r} in {text[max(found.start() - 200, 0):found.end()]!r}"


def assert_sound_log(log):
    assert_clean(log)
    for line in log.splitlines():
        assert LINE.fullmatch(line), line
        assert ("event", "forged") not in FIELD.findall(line), line
