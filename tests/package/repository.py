"""A signed apt repository that deploy/package/repo makes, and a web server that offers it."""
import functools
import http.server
import os
import pathlib
import subprocess
import threading

WORK = pathlib.Path(os.environ["OB_PACKAGES"])  # one.deb, and newer.deb of a later version
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Repository:
    def __init__(self, folder):
        self.folder, self.keys = folder / "repository", folder / "keys"
        self.folder.mkdir()
        self.keys.mkdir(mode=0o700)
        self.make_key("otterbeat packages")
        handler = functools.partial(Quiet, directory=str(self.folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.run("gpgconf", "--kill", "all")

    def run(self, *words):
        return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "GNUPGHOME": str(self.keys)})

    def make_key(self, name):
        """The command in the script's comment, without a passphrase."""
        done = self.run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never")
        assert done.returncode == 0, done.stderr

    def add(self, *debs, key="otterbeat packages"):
        return self.run(ROOT / "deploy/package/repo", self.folder, key, *debs)
