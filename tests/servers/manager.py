"""The web pages of the fake Otter, and their faults."""
import os
import re
import urllib.error
import urllib.parse
import urllib.request

from servers.process import Process

REQUEST = re.compile(r"^method=(\S+) uri=(\S+) status=(\d+) ms=(\d+)$", re.M)
LISTENING = re.compile(r"^listening on 127\.0\.0\.1:(\d+)$", re.M)
ACTION = {"action": "user_action", "event_submit_do_login": "1"}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Manager:
    """The pages of the fake Otter `otter`, which show its database. A restart keeps the port."""

    def __init__(self, otter, folder, zone="Asia/Shanghai", user="admin", password="admin"):
        self.user, self.password = user, password
        self.port = 0
        self.state_path = folder / "manager.state"
        self.command = [*otter.command, "pages", f"--login={user}", f"--login-password={password}", f"--zone={zone}",
                        f"--state={self.state_path}"]
        self.process = Process("manager", folder, self.command)
        self.opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))

    def start(self):
        begin = len(self.process.log())
        self.process.command = [*self.command, "--listen", str(self.port)]
        self.process.start(lambda: LISTENING.search(self.process.log()[begin:]))
        self.port = int(LISTENING.search(self.process.log()[begin:])[1])
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def state(self, *orders):
        """Sets the orders (see tests/otter/orders.py) that are valid from the next request on. Without orders there is no fault."""
        new = self.state_path.with_suffix(".new")
        new.write_text("".join(f"{order}\n" for order in orders), "utf-8")
        os.replace(new, self.state_path)

    def get(self, page, cookie=None, data=None, timeout=10, **headers):
        """Sends a request. Follows no redirect, and returns answers with any status."""
        request = urllib.request.Request(f"{self.url}/{page}", data, headers)
        if cookie:
            request.add_header("Cookie", f"OTTER_WEBX_JSESSIONID={cookie}")
        try:
            with self.opener.open(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def post_login(self, user=None, password=None, page="login.htm"):
        form = {**ACTION, "_fm.l._0.n": user or self.user, "_fm.l._0.p": password or self.password}
        return self.get(page, data=urllib.parse.urlencode(form).encode())

    def login(self):
        """Logs in, and returns the session for get(cookie=…)."""
        cookies = self.post_login().headers.get_all("Set-Cookie")
        return re.search(r"OTTER_WEBX_JSESSIONID=(\w+)", " ".join(cookies))[1]

    def requests(self):
        """Returns [(method, uri, status, milliseconds)] for every answered request."""
        return [(method, uri, int(status), int(ms)) for method, uri, status, ms in REQUEST.findall(self.process.log())]

    def kill9(self):
        self.process.kill9()

    def stop(self):
        return self.process.stop()
