"""Ways to a manager: https, a certificate of the agent, a proxy; and the command `otterbeat page`."""
import json
import pathlib
import ssl
import subprocess

import pytest

from servers.agent import PROGRAM
from servers.certificates import make_certificates
from servers.manager import Manager
from servers.way import Way
from test_pages_agent import read_once

PAGES = pathlib.Path(__file__).resolve().parents[1] / "pages"


@pytest.fixture
def certificates(folder):
    """ca.pem, and cert.pem with key.pem for 127.0.0.1."""
    make_certificates(folder)
    return folder


@pytest.mark.parametrize("given, says", [
    (("ca", "cert", "key"), None), (("ca",), "certificate required|alert|reset|closed|eof|not connected"),
    (("cert", "key"), "certificate problem"), ((), "certificate problem")])
def test_https_with_a_certificate_of_our_own(given, says, certificates, manager, page_agent):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    way = Way(manager.port, tls=context)
    done, got = read_once(page_agent(url=way.url, **{name: str(certificates / f"{name}.pem") for name in given}))
    way.stop()
    assert (done.returncode == 0) == (says is None), done.stderr
    if says is None:
        assert got["channel.1.channel_state"] == 2
    else:
        assert any(word in done.stderr.lower() for word in says.split("|")), done.stderr


def test_a_proxy_and_none(way, page_agent):
    done, got = read_once(page_agent(url="http://manager.invalid", proxy=way.url))
    assert done.returncode == 0 and got["channel.1.channel_state"] == 2, done.stderr


def test_a_scheme_in_capitals(manager, page_agent):
    url = manager.url.replace("http", "HTTP")
    done, got = read_once(page_agent(url=url))
    assert done.returncode == 0 and got["channel.1.channel_state"] == 2, done.stderr
    assert rows(show("page", f"{url}/nodeList.htm?pageIndex=1"))


def show(*words):
    return subprocess.run([str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def rows(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_page_by_hand(otter, manager):
    otter.do("sample")
    for form in ("pipeline_list", "pipelineList"):
        row, _, end = rows(show("page", f"{manager.url}/{form}.htm?channelId=1"))
        assert (row["page"], row["pipeline_id"], row["delay_ms"], row["mainstem"]) == ("pipelines", "1", "302", "2")
        assert end == {"page": "pipelines", "rows": 2}
    pages = {row["page"] for row in rows(show("page", f"{manager.url}/analysisStageStat.htm?pipelineId=1"))}
    assert pages == {"progress", "processes", "stages"}
    done = show("page", f"{manager.url}/pipelineList.htm?channelId=99")
    assert done.returncode == 69 and "HTTP 404" in done.stderr


def test_a_page_by_hand_changes_nothing(manager):
    for path in ("channelList.htm?action=channelAction&channelId=1", "editPipeline.htm?pipelineId=1", "", "login.htm",
                 "monitor/monitorTrigger.htm?token=otter", "api/channelOp.do?id=1"):
        done = show("page", f"{manager.url}/{path}")
        assert done.returncode == 69 and "is none of the pages that are read" in done.stderr, path
    assert not manager.requests(), "nothing that may change something is asked for"


def test_a_page_by_hand_behind_a_login(otter, folder):
    manager = Manager(otter, folder, user="reader", password="of pages").start()
    manager.state("login required")
    address = f"{manager.url}/nodeList.htm?pageIndex=1"
    done = show("page", address)
    assert done.returncode == 69 and "HTTP 302: the manager sends us to its login: set page.user" in done.stderr
    config = folder / "otterbeat.cfg"
    for password, code in (("of pages", 0), ("wrong", 69)):
        config.write_text(f'managers = ( {{ page = {{ user = "reader"; password = "{password}"; }}; }} );\n'
                          'sinks = ( { type = "statsd"; } );\n')
        done = show("-c", config, "page", address)
        assert done.returncode == code, done.stderr
    assert "does not accept page.user and its password" in done.stderr
    assert manager.stop() == 0


def test_wrong_words_by_hand(folder):
    assert show("page").returncode == 64 and show("page", "a", "b").returncode == 64
    assert show("--once", "page", "a").returncode == 64
    done = show("page", folder / "nothing")
    assert done.returncode == 69 and "No such file" in done.stderr
    config = folder / "otterbeat.cfg"
    config.write_text('managers = ( { page = { zone = "UTC"; }; } ); sinks = ( { type = "statsd"; } );')
    done = show("-c", config, "page", PAGES / "pipelines_odd.html")
    assert json.loads(done.stdout.splitlines()[0])["last_sync_epoch"] == "1603620000"
