"""The .deb in a minimal Debian: installed, checked, run, upgraded, removed, purged."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from servers.mariadb import PASSWORD, USER

MIRROR = "http://deb.debian.org/debian"
WORK = pathlib.Path(os.environ["OB_PACKAGES"])  # one.deb, and newer.deb of a later version


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
    for name in ("one.deb", "newer.deb"):
        shutil.copy(WORK / name, root / "tmp" / name)
    run("mount", "-t", "proc", "proc", root / "proc")
    yield root
    run("umount", "-l", root / "proc")


def within(root, *words, is_well=True):
    return run("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "chroot", root,
               *words, is_well=is_well)


def set_up(config, server, carbon):
    """Writes the config and the password, like an operator."""
    text = config.read_text()
    for pattern, value in ((r"port     = 3306", f"port     = {server.port}"), (r"port = 2003", f"port = {carbon.port}"),
                           (r'user     = "otterbeat"', f'user     = "{USER}"'),
                           (r"#page       = \{ every = 30; \}", "page = { enabled = false; }"),
                           (r"#creates = 50;", "creates = 0; "),
                           (r"(?s)  \{\n    type = \"statsd\";.*?\n  \},\n", "")):
        text, n = re.subn(pattern, value, text)
        assert n == 1, pattern
    for name in ("delay", "throughput", "history", "table", "log"):
        text, n = re.subn(rf"#{name}\s+= \{{ every = \d+; \}}", f'{name} = {{ every = 1; start = "oldest"; }}', text)
        assert n == 1, name
    config.write_text(text)


def once(root):
    return within(root, "/usr/bin/otterbeat", "-c", "/etc/otterbeat/otterbeat.cfg", "--once")


def test_a_life_of_the_package(debian, mariadb, otter, carbon):
    otter.do("sample")
    within(debian, "apt-get", "install", "-y", "--no-install-recommends", "/tmp/one.deb")
    assert within(debian, "otterbeat", "--version").stdout.startswith("otterbeat ")
    password, config = debian / "etc/otterbeat/password", debian / "etc/otterbeat/otterbeat.cfg"
    assert password.stat().st_mode & 0o777 == 0o600
    check = within(debian, "otterbeat", "--check", is_well=False)
    assert check.returncode == 78 and "/etc/otterbeat/password: the file is empty" in check.stderr

    password.write_text(PASSWORD + "\n")
    set_up(config, mariadb, carbon)
    assert within(debian, "otterbeat", "--check", is_well=False).returncode == 0
    once(debian)
    carbon.wait_for(otter.sums())
    assert (debian / "var/lib/otterbeat/otterbeat.db").exists()

    mine = config.read_text()
    within(debian, "apt-get", "install", "-y", "/tmp/newer.deb")
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
    left = [path for path in run("find", debian, "-xdev", "-path", "*otterbeat*").stdout.split()
            if "/var/cache/apt" not in path]
    assert not left
