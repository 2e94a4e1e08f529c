"""A manager's pages, answered in every wrong way that the world knows: late, half, packed, in another tongue."""
import gzip
import http.server
import threading
import time
import urllib.parse

HEADERS = ["序号", "Pipeline名字", "并行度", "主站点", "mainstem状态", "延迟时间", "最后同步时间", "最后位点时间", "监控数", "操作"]
CHANNEL_HEADERS = ["序号", "Channel名字", "运行状态", "同步方向", "操作"]
NODE_HEADERS = ["序号", "机器名字", "IP", "端口", "状态", "操作"]
COLOURS = {"SELECT": "D9B300", "EXTRACT": "FFC1E0", "TRANSFORM": "4DFFFF", "LOAD": "79FF79"}
TEN = 10


def page(heading, body):
    return f'<html><head><title>Otter Manager</title></head><body><div class="main"><div class="title"><h2>{heading}</h2>' \
           f'</div>\r\n{body}</div></body>\n</html>\n'


def heads(words):
    return "<tr>" + "".join(f"<th>{word}</th>" for word in words) + "</tr>\r\n"


def of_pages(rows, number):
    pages = (len(rows) + TEN - 1) // TEN
    number = min(number, pages)
    foot = f'<div class="page">共{len(rows)}条数据&nbsp;&nbsp;第{number}页/共{pages}页&nbsp;&nbsp;</div>'
    return rows[max(number - 1, 0) * TEN:number * TEN], foot


class World:
    """What the pages show. `channels`: id -> (state, [pipelines]); a pipeline is a dict."""

    def __init__(self):
        self.nodes = {1: "已启动", 2: "未启动"}
        self.channels = {}

    def add_channel(self, number, state="运行", pipelines=1):
        self.channels[number] = (state, [self.pipeline(number * 10 + i) for i in range(pipelines)])

    @staticmethod
    def pipeline(number):
        return {"id": number, "mainstem": "工作中", "delay": "1.5 s", "sync": "", "position": "", "alarms": 2,
                "processes": [[("SELECT", 20), ("EXTRACT", 1500)], [("SELECT", 30)]], "timestamp": 0}

    def pipelines(self):
        return {p["id"]: p for _, pipelines in self.channels.values() for p in pipelines}

    def channel_list(self, query):
        rows, foot = of_pages(list(self.channels.items()), int(query.get("pageIndex", 1)))
        body = "".join(f"<tr><td>{i}</td><td><a>c&eacute;{i}</a></td><td><a>{state}</a></td><td>单向</td><td></td></tr>"
                       for i, (state, _) in rows)
        return page("Channel管理", f"<table class='list'>{heads(CHANNEL_HEADERS)}{body}</table>{foot}")

    def pipeline_list(self, query):
        channel = self.channels.get(int(query["channelId"]))
        if channel is None:
            return None
        body = "".join(f"<td>{p['id']}</td><td><a>p</a></td><td>5</td><td>false</td><td>{p['mainstem']}</td>"
                       f"<td>{p['delay']}</td><td>{p['sync']}</td><td>{p['position']}</td><td>{p['alarms']}</td>"
                       "<td></td></tr>\r\n" for p in channel[1])
        return page("Pipeline管理", f"<table class='list'>{heads(HEADERS)}<tr>{body}</table>")

    def node_list(self, query):
        rows, foot = of_pages(list(self.nodes.items()), int(query.get("pageIndex", 1)))
        body = "".join(f"<tr><td>{i}</td><td><a>n</a></td><td>10.0.0.{i}</td><td>2088</td><td> {state} </td><td></td></tr>"
                       for i, state in rows)
        return page("机器管理", f"<table class='list'>{heads(NODE_HEADERS)}{body}</table>{foot}")

    def progress(self, query):
        p = self.pipelines()[int(query["pipelineId"])]
        body = f'<table class="list"><tr><td>mainstem状态 : </td><td> {p["mainstem"]} ( node : 1 ) </td></tr></table>' \
               f'<div id="contentid-position">{{"postion":{{"timestamp":{p["timestamp"]}}}}}</div>'
        for number, stages in enumerate(p["processes"], 100):
            cells = "".join(f'<td style="background-color:#{COLOURS[s]};">{ms:,}</td>' for s, ms in stages[:-1])
            cells += f'<td style="background-color:#FF2D2D;">{stages[-1][1]:,}</td>'
            body += f"<table><tr><td>{number}</td>{cells}<td><b>总时间:1</b></td></tr></table>"
        return page("同步进度", body)

    PAGES = {"channelList.htm": channel_list, "pipelineList.htm": pipeline_list, "nodeList.htm": node_list,
             "analysisStageStat.htm": progress}


class Manager:
    """`wrong`: beginning of a request's path -> a function that answers it instead: (handler, the right bytes)."""

    def __init__(self, world=None, seconds=0.0, tls=None):
        self.world, self.seconds = world or World(), seconds
        self.wrong, self.requests, self.connections = {}, [], 0
        self.user = None # (name, password): who must log in for everything
        self.sessions = set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True # or each answer takes 40 ms longer

            def setup(self):
                outer.connections += 1
                super().setup()

            def do_GET(self):
                outer.answer(self)

            def do_POST(self):
                outer.log_in(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler):
        self.requests.append(f"GET {handler.path}")
        time.sleep(self.seconds)
        if self.user and handler.headers.get("Cookie", "").partition("=")[2] not in self.sessions:
            redirect("login.htm?done=x")(handler, b"")
            return
        if handler.path.startswith("http://"): # we are its proxy
            handler.path = "/" + handler.path.split("/", 3)[3]
        where = urllib.parse.urlsplit(handler.path)
        make = World.PAGES.get(where.path.lstrip("/"))
        text = make and make(self.world, dict(urllib.parse.parse_qsl(where.query)))
        for beginning, wrong in list(self.wrong.items()):
            if handler.path.startswith(beginning):
                wrong(handler, (text or "").encode())
                return
        send(handler, (text or "<html>404</html>").encode(), 200 if text else 404)

    def log_in(self, handler):
        self.requests.append(f"POST {handler.path}")
        form = dict(urllib.parse.parse_qsl(handler.rfile.read(int(handler.headers["Content-Length"])).decode()))
        if self.user != (form.get("_fm.l._0.n"), form.get("_fm.l._0.p")) or form.get("action") != "user_action" or \
                form.get("event_submit_do_login") != "1":
            send(handler, "<html><input name='_fm.l._0.n'/>用户名或密码不正确</html>".encode())
            return
        self.sessions.add(f"s{len(self.requests)}")
        send(handler, b"", 302, [("Location", "/channelList.htm"), ("Set-Cookie", f"JSESSIONID=s{len(self.requests)}")])


def send(handler, body, status=200, headers=()):
    handler.send_response(status)
    for name, value in [("Content-Type", "text/html;charset=UTF-8"), ("Content-Length", str(len(body))), *headers]:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def status(code):
    return lambda handler, _: send(handler, b"<html>trouble</html>", code)


def redirect(to):
    return lambda handler, _: send(handler, b"", 302, [("Location", f"http://127.0.0.1/{to}")])


def change(edit):
    """The right page, changed."""
    return lambda handler, body: send(handler, edit(body.decode()).encode())


def raw(body):
    return lambda handler, _: send(handler, body)


def packed(handler, body):
    send(handler, gzip.compress(body), headers=[("Content-Encoding", "gzip")])


def bomb(handler, _):
    send(handler, gzip.compress(b" " * (64 << 20)), headers=[("Content-Encoding", "gzip")])


def half(handler, body):
    """Says how long it is, and hangs up before."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:len(body) // 2])
    handler.close_connection = True


def silence(handler, _):
    time.sleep(60)
    handler.close_connection = True


def drip(handler, body):
    """A byte now and then."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    try:
        for byte in body:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.2)
    except OSError:
        pass


