"""Ways to a manager: https, a certificate of our own, a proxy; and one page by hand."""
import json
import pathlib
import ssl
import subprocess

import pytest

from servers import bad_manager as managers
from servers.agent import PROGRAM
from servers.sinks import Datagrams
from test_page_sources import NO_SERVER, TABLES, read_once

PAGES = pathlib.Path(__file__).resolve().parents[1] / "pages"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def sink():
    made = Datagrams()
    yield made
    made.stop()


@pytest.fixture
def certificates(folder):
    """ca.pem, and cert.pem with key.pem for 127.0.0.1."""
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests", "-keyout",
            "ca.key", "-out", "ca.pem")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out",
            "request.pem")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1")
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "cert.pem")
    return folder


def agent_for(make_agent, manager, sink, **page):
    manager.world.add_channel(1)
    return make_agent(NO_SERVER, [{"type": "statsd", "port": sink.port}],
                      managers=[{"mysql": {"port": 1}, "page": {"url": manager.url, "timeout": 2, **page}}],
                      sources={**TABLES, "page": {"enabled": True, "every": 1}})


@pytest.mark.parametrize("given, says", [
    (("ca", "cert", "key"), None), (("ca",), "certificate required|alert|reset|closed|eof|not connected"),
    (("cert", "key"), "certificate problem"), ((), "certificate problem")])
def test_https_with_a_certificate_of_our_own(given, says, certificates, make_agent, sink):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    manager = managers.Manager(tls=context)
    done, got = read_once(agent_for(make_agent, manager, sink,
                                    **{name: str(certificates / f"{name}.pem") for name in given}))
    manager.stop()
    assert (done.returncode == 0) == (says is None), done.stderr
    if says is None:
        assert got["channel.1.channel_state"] == 2
    else:
        assert any(word in done.stderr.lower() for word in says.split("|")), done.stderr


def test_a_proxy_and_none(make_agent, sink):
    proxy = managers.Manager()
    done, got = read_once(agent_for(make_agent, proxy, sink, url="http://manager.invalid", proxy=proxy.url))
    assert done.returncode == 0 and got["channel.1.channel_state"] == 2, done.stderr
    proxy.stop()


def show(*words):
    return subprocess.run([str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def test_a_page_by_hand():
    manager = managers.Manager()
    manager.world.add_channel(1)
    done = show("page", f"{manager.url}/pipeline_list.htm?channelId=1")
    assert done.returncode == 69 and "HTTP 404" in done.stderr, "the test's manager knows the other form only"
    done = show("page", f"{manager.url}/pipelineList.htm?channelId=1")
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[0])["pipeline_id"] == "10", done.stderr
    asked = len(manager.requests)
    for path in ("channelList.htm?action=channelAction&channelId=1", "editPipeline.htm?pipelineId=1", "", "login.htm",
                 "monitor/monitorTrigger.htm?token=otter", "api/channelOp.do?id=1"):
        done = show("page", f"{manager.url}/{path}")
        assert done.returncode == 69 and "is none of the pages that are read" in done.stderr, path
    assert len(manager.requests) == asked, "nothing that may change something is asked for"
    manager.stop()


def test_wrong_words_by_hand(folder):
    assert show("page").returncode == 64 and show("page", "a", "b").returncode == 64
    assert show("--once", "page", "a").returncode == 64
    done = show("page", folder / "nothing")
    assert done.returncode == 69 and "No such file" in done.stderr
    config = folder / "otterbeat.cfg"
    config.write_text('managers = ( { page = { zone = "UTC"; }; } ); sinks = ( { type = "statsd"; } );')
    done = show("-c", config, "page", PAGES / "pipelines_odd.html")
    assert json.loads(done.stdout.splitlines()[0])["last_sync_epoch"] == "1603620000"
