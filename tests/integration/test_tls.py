"""The way to the database, encrypted or not."""
import pytest

from servers.certificates import make_certificates, openssl
from servers.mariadb import MariaDB


@pytest.fixture
def encrypted(template, folder):
    """A server with TLS for the names "db.example" and "127.0.0.1", which accepts the user only over TLS."""
    place = folder / "tls"
    place.mkdir()
    make_certificates(place)
    server = MariaDB(place, template, options=[f"--ssl-ca={place}/ca.pem", f"--ssl-cert={place}/cert.pem",
                                                 f"--ssl-key={place}/key.pem"])
    try:
        server.start()
        server.query("CREATE DATABASE otter", database=None)
        server.make_user()
        server.query("ALTER USER otterbeat@'127.0.0.1', otterbeat@localhost REQUIRE SSL", database=None)
        server.query("CREATE TABLE T (ID BIGINT PRIMARY KEY, N BIGINT)")
        yield server
    finally:
        server.stop()


COLUMNS = [["cursor", "ID"], ["increment", "N"]]


def test_a_key_of_our_own(encrypted, carbon, make_agent):
    """A user that needs a certificate: both of its files must exist and fit together."""
    place = encrypted.socket.parent
    openssl(place, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=agent", "-keyout", "ours.key", "-out", "ours.request")
    openssl(place, "x509", "-req", "-in", "ours.request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
            "2", "-out", "ours.pem")
    encrypted.query("ALTER USER otterbeat@'127.0.0.1', otterbeat@localhost REQUIRE X509", database=None)
    off = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log")}

    def check(**mysql):
        agent = make_agent(encrypted, [{"type": "graphite", "port": carbon.port}], mysql=mysql,
                           sources={**off, "mine": {"table": "T", "columns": COLUMNS}})
        return agent.run("--check")

    good = {"tls": "verify", "ca": f"{place}/ca.pem", "cert": f"{place}/ours.pem", "key": f"{place}/ours.key"}
    assert check(**good).returncode == 0, check(**good).stdout
    for change, code, said in (({"cert": "", "key": ""}, 69, "Access denied"), ({"key": f"{place}/none"}, 69, f"mysql 2026: {place}/none: No such file"),
                               ({"key": f"{place}/key.pem"}, 69, "login"), ({"key": ""}, 78, "must be set together"),
                               ({"tls": "off"}, 78, "need tls")):
        done = check(**{**good, **change})
        assert done.returncode == code and said in done.stdout + done.stderr, (change, done.stdout, done.stderr)


@pytest.mark.parametrize("tls, ca, said", [
    ("off", "", "Access denied"),
    ("required", "", None),
    ("verify", "ca.pem", None),
    ("verify", "other.pem", "certificate"),
])
def test_tls(encrypted, carbon, make_agent, tls, ca, said):
    place = encrypted.socket.parent
    openssl(place, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=others", "-keyout",
            "other.key", "-out", "other.pem")
    off = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log")}
    agent = make_agent(encrypted, [{"type": "graphite", "port": carbon.port}],
                       mysql={"tls": tls, "ca": str(place / ca) if ca else ""},
                       sources={**off, "mine": {"table": "T", "columns": COLUMNS}})
    done = agent.run("--check")
    if said is None:
        assert done.returncode == 0, done.stdout
    else:
        assert done.returncode == 69 and said in done.stdout, done.stdout
