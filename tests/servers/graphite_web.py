"""A real graphite-web over the whisper files of a carbon."""
import json
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request

from servers.process import Process, free_port, port_is_open

HALF_MADE = b"Unable to read header"  # whisper's message for a file that is still empty
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GraphiteWeb:
    """A graphite-web. carbon sends it the tags of new series, so the port is known before graphite-web starts."""

    def __init__(self, folder, whisper):
        self.port = free_port()
        whisper.mkdir(parents=True, exist_ok=True)
        (folder / "boards_settings.py").write_text(textwrap.dedent(f"""\
            from graphite.settings import *
            SECRET_KEY = "of a server that lives for minutes, on loopback"
            ALLOWED_HOSTS = ["127.0.0.1"]
            STORAGE_DIR = LOG_DIR = "{folder}"
            WHISPER_DIR = "{whisper}"
            STANDARD_DIRS = [WHISPER_DIR]
            INDEX_FILE = "{folder}/index"
            CARBONLINK_HOSTS = []
            DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{folder}/graphite.db",
                                     "OPTIONS": {{"timeout": 30}}}}}}
            DEFAULT_CACHE_DURATION = 0
            FIND_CACHE_DURATION = 0
            TIME_ZONE = "UTC"
            """))
        env = {"PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "boards_settings", "PYTHONDONTWRITEBYTECODE": "1"}
        django = ["/usr/bin/python3", "-m", "django"]
        self.migration = Process("migrate", folder, [*django, "migrate", "--run-syncdb"], env)
        self.process = Process("graphite-web", folder, [
            *django, "runserver", "--noreload", "--insecure", f"127.0.0.1:{self.port}"], env)

    def start(self):
        assert self.migration.start().wait(120) == 0, self.migration.log()
        self.process.start(lambda: port_is_open(self.port))
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get_once(self, path, query):
        try:
            with OPENER.open(f"{self.url}/{path}?{urllib.parse.urlencode(query, doseq=True)}", timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def get(self, path, **query):
        """Returns the body of an answer; a list gives several parameters of one name. Asks again when carbon was just creating a file."""
        status, body = self.get_once(path, query)
        for _ in range(20):
            if status == 200 or HALF_MADE not in body:
                break
            time.sleep(0.1)
            status, body = self.get_once(path, query)
        assert status == 200, f"{query}: HTTP {status}: {body[-1500:]!r}"
        return body

    def ask(self, path, **query):
        return json.loads(self.get(path, **query))

    def render(self, target, begin, end):
        """Asks like Grafana, and returns [{target, tags, datapoints}]."""
        return self.ask("render", target=target, format="json", maxDataPoints=43200, **{"from": begin, "until": end})

    def stop(self):
        self.migration.stop()
        self.process.stop()
