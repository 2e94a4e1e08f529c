"""The manager's web pages, which show the same data as the tables, and all their faults: see orders.py."""
import fnmatch
import http.server
import itertools
import os
import re
import secrets
import select
import signal
import sys
import threading
import time
import urllib.parse
import zlib

import pymysql

import screens
from database import connect
from live import SIGNALS
from orders import Orders
from template import Raw, render

ANSWER_SECONDS, LOOK_AGAIN_MS = 30, 50

SCREENS = {"channelList": screens.channels, "pipelineList": screens.pipelines, "nodeList": screens.nodes,
           "analysisStageStat": screens.stages, "forbidden": screens.forbidden}
ASK_ZOOKEEPER = ("channelList", "pipelineList", "analysisStageStat")  # these pages wait for ZooKeeper's answer without a time-out
ALWAYS_OPEN = ("forbidden", "login", "monitor/ok")                    # these pages are open also when a log-in is required

# The addresses, and who may see them: the first list that contains the whole path decides. A text behind a ";" belongs to the
# path, so that no list contains the path.
ANYONE = ("/", "/monitor/*", "/api/*", "*.css", "*.js", "*.png", "/*login.htm", "/*forbidden.htm", "/*check*.htm",
          "/*List.htm", "/*_list.htm", "/*Info.htm", "/*_info.htm", "/*analysis*.htm", "/*[rR]ecord*.htm",
          "/*behaviorHistoryCurve.htm")
ADMINISTRATORS = ("/*add*.htm", "/*edit*.htm", "/*select*.htm", "/*userManager.htm", "/*user_manager.htm",
                  "/*system_*.htm", "/*systemParameter.htm")

HUGE_BYTES, BOMB_BYTES, SPACES = 1 << 30, 1 << 28, b" " * (1 << 16)
SLOW_BYTES, SLOW_SECONDS = 64, 0.2
CHARSETS = {"latin1": ("latin-1", "ISO-8859-1"), "gbk": ("gbk", "UTF-8")}  # the character set of the body, and the one in the answer's header


def is_in(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def page_of(path):
    """"/pipeline_list.htm" and "/pipelineList.htm" are both "pipelineList"; "": it is no page."""
    found = re.fullmatch(r"/(.*)\.htm", path)
    return re.sub("_(.)", lambda letter: letter[1].upper(), found[1]) if found else ""


class Answer:
    def __init__(self, status, body="", location=None, session=None):
        self.status, self.body, self.location, self.session = status, body, location, session


class Site:
    """The state that all requests share."""

    def __init__(self, options):
        self.options, self.zone = options, screens.zone_of(options.zone)
        self.address = None
        self.lock, self.sessions, self.ended_by = threading.Lock(), set(), None

    def begin_session(self):
        session = secrets.token_hex(20)
        with self.lock:
            self.sessions.add(session)
        return session

    def end_sessions(self, order):
        """Ends all sessions, but only once for each `order`."""
        with self.lock:
            if order != self.ended_by:
                self.sessions.clear()
            self.ended_by = order


class Visit(http.server.BaseHTTPRequestHandler):
    """One connection, with a thread of its own, which may wait without end."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 20  # a page is sent in one piece, together with its header

    def do_GET(self):
        self.begun = time.monotonic()
        self.site, self.options = self.server.site.address, self.server.site.options
        address = urllib.parse.urlsplit(self.path)
        self.query = dict(reversed(urllib.parse.parse_qsl(address.query, keep_blank_values=True)))
        self.form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        path = urllib.parse.unquote(address.path)
        self.page = page_of(path)
        self.read_orders()
        try:
            answer = self.answer(path)
        except ConnectionResetError:
            self.close_connection = True
            return
        drift = self.orders.find("drift", self.page)
        if drift:
            answer.body = answer.body.replace(drift[0], "".join(drift[1:]))
        sys.stderr.write(f"method={self.command} uri={self.path} status={answer.status}"
                         f" ms={int((time.monotonic() - self.begun) * 1000)}\n")
        self.reply(answer)

    do_HEAD = do_POST = do_GET

    def log_message(self, *_):
        pass  # this class writes a log line of its own

    def number(self, name, otherwise):
        """Returns a number of the query string."""
        value = self.query.get(name, "")
        return int(value) if re.fullmatch(r"-?\d+", value) else otherwise

    def read_orders(self):
        self.orders = Orders(self.options.state)
        self.figures = screens.Figures(self.server.site.zone, self.orders.has("decimal", "comma"))

    def answer(self, path):
        if self.orders.mistaken:
            sys.stderr.write(f"event=bad_state err=\"{self.orders.mistaken}\"\n")
            return Answer(500, f"not an order: {self.orders.mistaken}")
        self.read_viewer()
        time.sleep(self.orders.number("latency") / 1000)
        if path == "/":
            return self.send_to("channel_list.htm")
        needs_login = self.orders.has("login", "required") and self.page not in ALWAYS_OPEN
        if not is_in(path, ANYONE) and not is_in(path, ADMINISTRATORS):
            return self.send_to("forbidden.htm")
        if (needs_login or not is_in(path, ANYONE)) and not self.viewer:
            return self.send_to("login.htm")
        self.wait_while_hanging()
        return self.show()

    def read_viewer(self):
        site = self.server.site
        if self.orders.has("session", "expired"):
            site.end_sessions(self.orders.written)
        is_known = self.cookie("OTTER_WEBX_JSESSIONID") in site.sessions
        self.viewer = f"{self.options.login:.30}  （超级管理员）" if is_known else None

    def cookie(self, name):
        found = re.search(rf"(?:^|[; ]){name}=([^;]*)", self.headers.get("Cookie", ""))
        return found and found[1]

    def send_to(self, page):
        """Redirects to `page`, which later sends the client back to this address."""
        back = urllib.parse.quote(self.site + self.path, safe="*").replace("~", "%7E")  # in the spelling of Java
        return Answer(302, location=f"{self.site}/{page}?done={back}")

    def hangs(self):
        if self.page in ASK_ZOOKEEPER and self.orders.has("zookeeper", "down"):
            return True
        return self.orders.has("hang", self.page)

    def wait_while_hanging(self):
        """Waits until the order is removed, or the client has left."""
        client = select.poll()
        client.register(self.connection, select.POLLRDHUP)
        while self.hangs():
            if client.poll(LOOK_AGAIN_MS):
                raise ConnectionResetError
            self.read_orders()

    def show(self):
        error = next((code for code, *page in (words[1:] for words in self.orders.lines if words[0] == "error")
                      if page == [self.page]), None)
        if error:
            return self.fail(int(error))
        if self.page == "login":
            return self.login() if self.command == "POST" else self.login_form()
        if self.command == "POST":
            return self.fail(405)
        if self.page == "monitor/ok":
            return Answer(200, "\n\nserver is ok!\n\n    server is ok!\n")
        screen = self.screen()
        return self.fail(404) if screen is None else Answer(200, self.layout(screen))

    def screen(self):
        if self.page not in SCREENS:
            return None
        try:
            self.db = connect(self.options.socket, self.options.database, ANSWER_SECONDS)
            try:
                return SCREENS[self.page](self)
            finally:
                self.db.close()
        except pymysql.Error as error:
            sys.stderr.write(f"event=failed err=\"{error}\"\n")
            return None

    def layout(self, screen):
        """Puts the layout around the screen. The screen has line ends of DOS, the layout has line ends of Unix."""
        return render("layout", site=self.site, viewer=self.viewer or "  匿名用户",
                      screen=Raw(screen.replace("\n", "\r\n"))).rstrip("\n")

    def fail(self, status):
        """Sends the page that a manager shows for any internal error."""
        return Answer(status, self.layout(render("layout", "error")))

    def login_form(self, complaint=None):
        page = render("login", name=self.form.get("_fm.l._0.n"), complaint=complaint)
        return Answer(200, page.replace("\n", "\r\n"))

    def login(self):
        right = {"action": "user_action", "event_submit_do_login": "1", "_fm.l._0.n": self.options.login,
                 "_fm.l._0.p": self.options.login_password}
        if not right.items() <= self.form.items():
            return self.login_form("用户名或密码不正确")
        return Answer(302, location=self.query.get("done") or f"{self.site}/channel_list.htm",
                      session=self.server.site.begin_session())

    def reply(self, answer):
        """Sends the page completely and correctly, or with the fault that was ordered."""
        def is_ordered(*words):
            return self.orders.has(*words, self.page)

        charset, told = next((of for word, of in CHARSETS.items() if is_ordered(word)), ("utf-8", "UTF-8"))
        body = answer.body.encode(charset, "replace")
        is_bomb, is_huge = is_ordered("bomb"), is_ordered("huge")
        is_packed = is_bomb or (body and not is_huge and "gzip" in self.headers.get("Accept-Encoding", ""))
        if is_packed and not is_bomb:
            body = b"".join(gzip(body))
        self.send_response(answer.status)
        self.send_header("Content-Type", f"text/html;charset={told}")
        self.send_header(*("Transfer-Encoding", "chunked") if is_bomb or is_huge else ("Content-Length", len(body)))
        if is_packed:
            self.send_header("Content-Encoding", "gzip")
        if answer.location:
            self.send_header("Location", answer.location)
        if not self.cookie("JSESSIONID"):
            self.send_header("Set-Cookie", f"JSESSIONID={secrets.token_hex(20)}; path=/; HttpOnly")
        if answer.session:
            self.send_header("Set-Cookie", f"OTTER_WEBX_JSESSIONID={answer.session}; path=/; HttpOnly")
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(body, is_ordered)

    def send_body(self, body, is_ordered):
        if is_ordered("truncate"):
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
        elif is_ordered("huge"):
            self.send_chunks(itertools.chain([body], itertools.repeat(SPACES, HUGE_BYTES // len(SPACES))))
        elif is_ordered("bomb"):
            self.send_chunks(gzip(body, BOMB_BYTES))
        elif is_ordered("slow", "body"):
            for begin in range(0, len(body), SLOW_BYTES):
                time.sleep(SLOW_SECONDS)
                self.wfile.write(body[begin:begin + SLOW_BYTES])
                self.wfile.flush()
        else:
            self.wfile.write(body)

    def send_chunks(self, parts):
        for part in itertools.chain(filter(None, parts), [b""]):  # an empty part is the last part
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # the client has left


def gzip(body, spaces=0):
    """Yields the body and then that many spaces, compressed, in parts; some parts are empty."""
    packer = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    yield packer.compress(body)
    for _ in range(spaces // len(SPACES)):
        yield packer.compress(SPACES)
    yield packer.flush()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 100


def serve(db, options):
    """Serves the pages until a signal comes."""
    db.close()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    server = Server(("127.0.0.1", options.listen), Visit)
    server.site = Site(options)
    server.site.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    signal.sigwait(SIGNALS)
    os._exit(0)  # ends also while a client waits
