"""The status page in a real browser."""
import http.server
import os
import pathlib
import re
import threading
import time
import zlib

import pytest

from servers.browser import Browser
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.status import Status
from servers.wiring import to_graphite, to_statsd

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

MARKUP = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"


@pytest.fixture
def status():
    return Status()


@pytest.fixture
def browser(folder):
    return Browser(folder)


class Window:
    """A proxy between browser and agent, which counts the requests, and can stop answering."""

    def __init__(self, status):
        self.asked, self.is_open = [], True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                if not outer.is_open and self.path == "/" and outer.asked.count("/") > 1:
                    self.send_error(502)
                    return
                code, headers, text = status.ask(self.path)
                self.send_response(code)
                for name in ("Content-Type", "Content-Security-Policy", "X-Content-Type-Options"):
                    self.send_header(name, headers[name])
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def window(status):
    made = Window(status)
    yield made
    made.stop()


def begin(make_agent, server, sinks, status, **settings):
    agent = make_agent(server, sinks, status={"listen": status.listen, "patience": 1}, **settings).start()
    wait_until(status.answers, "the status page answers")
    return agent


def test_it_asks_again_by_itself_and_only_for_its_own(mariadb, otter, both, make_agent, status, browser, window):
    begin(make_agent, mariadb, both, status)
    wait_until(lambda: status.health()[0] == 200, "well")
    shown = browser.dom(window.url, 12000)
    assert "otterbeat is well: 7 sources, 2 sinks" in shown and window.asked.count("/") >= 3, window.asked
    assert {"/", "/status.css", "/status.js"} == set(window.asked)
    assert '<p id="silent" hidden=""></p>' in shown
    window.asked.clear()
    window.is_open = False
    assert "what stands here is old" in browser.dom(window.url, 12000)


def test_nothing_from_outside_becomes_markup(mariadb, otter, both, make_agent, status, browser):
    begin(make_agent, mariadb, both, status,
          sources={"odd": {"table": MARKUP, "every": 1, "columns": [["cursor", "ID"], ["increment", "N"]]}})
    wait_until(lambda: MARKUP.replace('"', "'") in status.one("sources", "odd")["last_error"], "it is said")
    shown = browser.dom(f"{status.url}/", 6000)
    assert "there is no table &lt;script&gt;" in shown, "as text"
    assert re.search(r"<title>(\(\d+\) )?otterbeat on ", shown)
    assert shown.count("<script") == 1 and "<img" not in shown


def pixels(path):
    """Returns the checksum and the size of a PNG's data: pictures that differ have another checksum, an empty picture is small."""
    data = pathlib.Path(path).read_bytes()
    assert data.startswith(b"\x89PNG")
    return zlib.crc32(data), len(data)


def test_the_pictures_in_light_and_dark_and_of_a_dead_graphite(manager, otter, mariadb, carbon, statsd, make_agent, status, browser, folder):
    """OB_PICTURES=FOLDER keeps the pictures, which the README shows."""
    managers = [{"mysql": {"port": mariadb.port, "user": USER, "password": PASSWORD}, "page": {"url": manager.url}}]
    otter.do("sample")
    begin(make_agent, mariadb, [to_statsd(statsd), to_graphite(carbon)], status, managers=managers,
          sources={"page": {"enabled": True, "every": 1}, "agent": {"every": 1}, "state": {"every": 1}},
          health={"hold": 0})
    wait_until(lambda: status.json()["pipelines"] and status.one("sinks", "graphite")["sent"], "there is something to see")
    place = ROOT / os.environ.get("OB_PICTURES", folder)
    light = browser.picture(f"{status.url}/", place / "status-light.png")
    dark = browser.picture(f"{status.url}/", place / "status-dark.png", dark=True)
    carbon.kill9()
    wait_until(lambda: status.health()[0] == 503, "Graphite is dead")
    time.sleep(1)
    assert "sink <b>graphite</b>: has not delivered for" in browser.dom(f"{status.url}/")
    dead = browser.picture(f"{status.url}/", place / "status-dead.png")
    seen = [pixels(path) for path in (light, dark, dead)]
    assert len({crc for crc, _ in seen}) == 3 and all(10000 < size < 150000 for _, size in seen), seen
