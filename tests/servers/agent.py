"""The otterbeat program, with a config that the test chooses."""
import os
import pathlib
import re
import signal
import subprocess

from servers.fake_otter import BUILD
from servers.mariadb import PASSWORD, USER
from servers.process import Process, wait_until

IS_SANITIZED = BUILD.name in ("asan", "tsan")
SLACK = 6 if IS_SANITIZED else 1  # seconds that a sanitizer and the tests beside this one may add to whatever has a limit
PROGRAM = pathlib.Path(os.environ.get("OB_PROGRAM", BUILD / "otterbeat"))
SOURCES = ("delay", "throughput", "history", "table", "log")
SANITIZERS = re.compile(r"(?s)(==\d+==ERROR|WARNING: ThreadSanitizer|runtime error:).*")
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:quarantine_size_mb=16",  # the default is 256, and an agent grows by so much
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=66",
}


class Raw(str):
    """A text that goes into the config without quotes."""


def literal(value):
    """Returns a Python value in the syntax of libconfig."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if abs(value) >= 1 << 31 else str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{ " + " ".join(f"{k} = {literal(v)};" for k, v in value.items()) + " }"
    return "( " + ", ".join(literal(v) for v in value) + " )"


def settings(top):
    return "".join(f"{name} = {literal(value)};\n" for name, value in top.items())


class Agent:
    """An agent. `sources` override the defaults, which are every=1 and start=oldest for each built-in source, without pages."""

    def __init__(self, folder, server, sinks, sources=None, mysql=None, managers=None, **top):
        self.folder = folder
        self.config = folder / "otterbeat.cfg"
        merged = {name: {"every": 1, "start": "oldest"} for name in SOURCES}
        merged["page"] = {"enabled": False}
        for name, laid in (sources or {}).items():
            merged[name] = {**merged.get(name, {}), **laid}
        database = {"port": server.port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 3,
                    **(mysql or {})}
        self.top = {**({} if "state" in top else {"state_dir": "state"}), "drain": 5, "managers": managers or [{"mysql": database}],
                    "sources": merged, "sinks": sinks, **top}
        self.write()
        self.process = Process("otterbeat", folder, [str(PROGRAM), "-c", str(self.config)], ENVIRONMENT)

    def write(self, **top):
        self.top.update(top)
        self.config.write_text(settings(self.top))

    def run(self, *options, seconds=90):
        """Runs the program to its end. Its standard error is added to the log, too."""
        done = subprocess.run([str(PROGRAM), "-c", str(self.config), *options], cwd=self.folder, capture_output=True,
                              env={**os.environ, **ENVIRONMENT}, timeout=seconds)
        with open(self.process.log_path, "ab") as log:
            log.write(done.stderr)
        done.stdout, done.stderr = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        assert_no_report(done.stderr)
        return done

    def once(self):
        done = self.run("--once")
        assert done.returncode == 0, done.stderr
        return done

    def start(self):
        self.process.start()
        self.wait_for_log("event=started")
        return self

    def kill9(self):
        self.process.kill9()
        assert_no_report(self.log())

    def stop(self):
        code = self.process.stop()
        assert_no_report(self.log())
        return code

    def reload(self):
        self.process.send(signal.SIGHUP)

    def log(self):
        return self.process.log()

    def wait_for_log(self, text, seconds=30, times=1):
        wait_until(lambda: self.log().count(text) >= times, f"log says {text}", seconds)

    def peak_kilobytes(self):
        with open(f"/proc/{self.process.child.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


def assert_no_report(text):
    found = SANITIZERS.search(text)
    assert not found, found.group(0)[:4000]
