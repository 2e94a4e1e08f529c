"""deploy/package/repo: apt takes the packages from the repository, and refuses everything that was changed."""
import pathlib
import shutil
import subprocess

import pytest

from package.repository import WORK


@pytest.fixture
def apt(repository, folder):
    """apt with folders of its own. It has the packages of this machine, so the dependencies are there."""
    root = folder / "apt"
    for name in ("etc/apt/sources.list.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (root / name).mkdir(parents=True)

    def run(*words):
        key = root / "otterbeat.gpg"
        if not key.exists():
            shutil.copy(repository.folder / "otterbeat.gpg", key)
        (root / "etc/apt/sources.list").write_text(f"deb [signed-by={key}] {repository.url} stable main\n")
        options = [f"Dir={root}", "Dir::State::status=/var/lib/dpkg/status", "APT::Sandbox::User=root",
                   "Acquire::http::Proxy::127.0.0.1=DIRECT", "Acquire::Retries=0"]
        return subprocess.run(["apt-get", *(word for option in options for word in ("-o", option)), *words], cwd=root,
                              capture_output=True, text=True, timeout=120, check=False)

    run.root = root
    return run


def must(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_apt_takes_the_packages_from_there(repository, apt):
    said = must(repository.add(WORK / "one.deb")).stdout
    assert f"The repository is in {repository.folder}." in said and "signed-by=/etc/apt/keyrings/otterbeat.gpg" in said
    assert not must(apt("update")).stderr, "no warning"
    must(apt("download", "otterbeat"))
    one, = apt.root.glob("otterbeat_*.deb")
    assert one.read_bytes() == (WORK / "one.deb").read_bytes()
    assert "Inst otterbeat" in must(apt("install", "--simulate", "otterbeat")).stdout
    must(repository.add(WORK / "newer.deb", WORK / "one.deb"))
    must(apt("update"))
    must(apt("download", "otterbeat"))
    newer, = apt.root.glob("otterbeat_99.0*.deb")
    assert newer.read_bytes() == (WORK / "newer.deb").read_bytes()
    must(apt("download", f"otterbeat={one.name.split('_')[1]}"))


def append(path):
    with path.open("ab") as changed:
        changed.write(b"\n")


@pytest.mark.parametrize("change, step, says", [
    (lambda at: append(next(at.glob("pool/*.deb"))), "download", "unexpected size"),
    (lambda at: append(next(at.glob("dists/stable/main/*/Packages.gz"))), "update", "unexpected size"),
    (lambda at: [path.unlink() for path in at.glob("dists/stable/*Release*")], "update", "does not have a Release file"),
    (lambda at: (at / "dists/stable/InRelease").write_text(
        (at / "dists/stable/InRelease").read_text().replace("Origin: otterbeat", "Origin: somebody")), "update", "BADSIG"),
])
def test_apt_refuses_what_was_changed(repository, apt, change, step, says):
    must(repository.add(WORK / "one.deb"))
    if step == "download":
        must(apt("update"))
    change(repository.folder)
    done = apt(step, *(["otterbeat"] if step == "download" else []))
    assert says in done.stdout + done.stderr, done
    assert not list(apt.root.glob("otterbeat_*.deb"))
    assert apt("download", "otterbeat").returncode != 0


def test_apt_refuses_another_key(repository, apt):
    must(repository.add(WORK / "one.deb"))
    must(apt("update"))
    repository.make_key("somebody else")
    must(repository.add(WORK / "newer.deb", key="somebody else"))
    assert "NO_PUBKEY" in apt("update").stderr
    assert "99.0" not in apt("download", "--print-uris", "otterbeat").stdout


def test_a_failure_leaves_the_repository_as_it_was(repository, apt, folder):
    must(repository.add(WORK / "one.deb"))
    other = folder / "other.deb"
    shutil.copytree(extracted(folder), folder / "changed")
    (folder / "changed/usr/share/doc/otterbeat/more").write_text("more")
    must(repository.run("dpkg-deb", "--root-owner-group", "-b", folder / "changed", other))
    (folder / "text").write_text("text")
    for debs, key, code, says in (([other], None, 1, "with other contents: raise the version"),
                                  ([folder / "text"], None, 1, "as a Debian package"),
                                  ([folder / "none.deb"], None, 1, "as a Debian package"),
                                  ([WORK / "newer.deb"], "nobody", 1, "gpg has no secret key 'nobody'"),
                                  ([], None, 64, "usage: ")):
        done = repository.add(*debs, **({"key": key} if key else {}))
        assert done.returncode == code and says in done.stderr, done
    must(apt("update"))
    must(apt("download", "otterbeat"))
    assert sorted(path.name for path in repository.folder.iterdir()) == ["dists", "otterbeat.gpg", "pool"]
    assert len(list(pathlib.Path(repository.folder, "pool").iterdir())) == 1


def extracted(folder):
    must(subprocess.run(["dpkg-deb", "-R", WORK / "one.deb", folder / "extracted"], capture_output=True, text=True, check=False))
    return folder / "extracted"
