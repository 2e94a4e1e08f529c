"""The .deb in a minimal Debian: installed from a signed repository, checked, run, upgraded, removed, purged."""
import re
import shutil
import subprocess

import pytest

from package.repository import WORK
from servers.fake_otter import ROOT
from servers.mariadb import PASSWORD, USER

SOURCES = ("agent", "proto", "config", "tests", "deploy", "CMakeLists.txt", "CMakePresets.json", "CHANGELOG.md", "LICENSE")
MIRROR = "http://deb.debian.org/debian"


def run(*words, is_well=True):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=500)
    assert not is_well or done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture
def debian(folder):
    root = folder / "root"
    run("debootstrap", "--variant=minbase", "bookworm", root, MIRROR)
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    run("mount", "-t", "proc", "proc", root / "proc")
    yield root
    run("umount", "-l", root / "proc")


def offer(repository, root, deb):
    """Adds a package to the repository, and does in the Debian what the script says."""
    done = repository.add(WORK / deb)
    assert done.returncode == 0, done.stderr
    line = re.search(r"echo '(deb .*)' >(.*)", done.stdout)
    (root / "etc/apt/keyrings").mkdir(exist_ok=True)
    shutil.copy(repository.folder / "otterbeat.gpg", root / "etc/apt/keyrings/otterbeat.gpg")
    (root / line[2].lstrip("/")).write_text(line[1].replace("URL", repository.url) + "\n")
    within(root, "apt-get", "-o", "Acquire::http::Proxy::127.0.0.1=DIRECT", "update")


def within(root, *words, is_well=True):
    return run("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "chroot", root,
               *words, is_well=is_well)


def set_up(config, server, carbon):
    """Writes the config and the password, like an operator."""
    text = config.read_text()
    for pattern, value in ((r"port = 3306", f"port = {server.port}"), (r"port = 2003;", f"port = {carbon.port}; creates = 0;"),
                           (r'user = "otterbeat"', f'user = "{USER}"'), (r' +\{ type = "statsd";.*\n', "")):
        text, n = re.subn(pattern, value, text)
        assert n == 1, pattern
    names = ("delay", "throughput", "history", "table", "log")
    sources = "".join(f'{name} = {{ every = 1; start = "oldest"; }}; ' for name in names)
    config.write_text(f"{text}sources = {{ {sources}page = {{ enabled = false; }}; }};\n")


def once(root):
    return within(root, "/usr/bin/otterbeat", "-c", "/etc/otterbeat/otterbeat.cfg", "--once")


def install(root):
    """An unsigned or changed package would need --allow-unauthenticated."""
    within(root, "apt-get", "-o", "Acquire::http::Proxy::127.0.0.1=DIRECT", "install", "-y", "--no-install-recommends", "otterbeat")


def test_a_life_of_the_package(debian, repository, mariadb, otter, carbon):
    otter.do("sample")
    offer(repository, debian, "one.deb")
    install(debian)
    assert within(debian, "otterbeat", "--version").stdout.startswith("otterbeat ")
    password, config = debian / "etc/otterbeat/password", debian / "etc/otterbeat/otterbeat.cfg"
    assert password.stat().st_mode & 0o777 == 0o600
    check = within(debian, "otterbeat", "--check", is_well=False)
    assert check.returncode == 78 and "/etc/otterbeat/password: the file is empty" in check.stdout

    password.write_text(PASSWORD + "\n")
    set_up(config, mariadb, carbon)
    assert within(debian, "otterbeat", "--check", is_well=False).returncode == 0
    once(debian)
    carbon.wait_for(otter.sums())
    assert (debian / "var/lib/otterbeat/otterbeat.db").exists()

    mine = config.read_text()
    offer(repository, debian, "newer.deb")
    install(debian)
    assert "99.0" in within(debian, "dpkg-query", "-W", "otterbeat").stdout
    assert config.read_text() == mine and password.read_text() == PASSWORD + "\n", "an upgrade keeps what is the operator's"
    assert otter.run("--seconds", 5, "--speed", 20).wait(60) == 0
    once(debian)
    carbon.wait_for(otter.sums())

    wants = debian / "etc/systemd/system/multi-user.target.wants"  # as `systemctl enable` makes it
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "otterbeat.service").symlink_to("/usr/lib/systemd/system/otterbeat.service")
    within(debian, "apt-get", "remove", "-y", "otterbeat")
    assert config.exists() and not (debian / "usr/bin/otterbeat").exists()
    within(debian, "apt-get", "purge", "-y", "otterbeat")
    for path in ("etc/apt/sources.list.d/otterbeat.list", "etc/apt/keyrings/otterbeat.gpg"):
        (debian / path).unlink()
    left = [path for path in run("find", debian, "-xdev", "-path", "*otterbeat*").stdout.split()
            if "/var/cache/apt" not in path]
    assert not left


def test_another_processor(debian, mariadb, otter, carbon):
    """Runs deploy/package/arm64 in a Debian of the host's architecture. The arm64 program, run by qemu, sends the sums that SQL has."""
    shutil.copytree(ROOT, debian / "src", ignore=lambda folder, names: {
        name for name in names if name in ("node_modules", "build") or folder == str(ROOT) and name not in SOURCES})
    built = within(debian, "/src/deploy/package/arm64")
    assert "100% tests passed" in built.stdout, built.stdout
    package, = (debian / "src/build/arm64").glob("*.deb")
    assert package.name.endswith("_arm64.deb") and run("dpkg-deb", "-f", package, "Architecture").stdout == "arm64\n"
    within(debian, "apt-get", "install", "-y", "--no-install-recommends", f"/src/build/arm64/{package.name}")
    otter.do("sample")
    set_up(debian / "etc/otterbeat/otterbeat.cfg", mariadb, carbon)
    (debian / "etc/otterbeat/password").write_text(PASSWORD)
    within(debian, "qemu-aarch64-static", "/usr/bin/otterbeat", "-c", "/etc/otterbeat/otterbeat.cfg", "--once")
    carbon.wait_for(otter.sums())
