"""A server in front of the fake Otter's pages: with https, or as a proxy, or with a wrong answer for a chosen page."""
import http.client
import http.server
import threading
import time
import urllib.parse


class Way:
    """`wrong`: beginning of a request's path -> a function (handler, the right bytes) that answers the request instead."""

    def __init__(self, port, tls=None):
        self.wrong, self.connections, self.manager = {}, 0, port
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True # otherwise each answer takes 40 ms longer

            def setup(self):
                outer.connections += 1
                super().setup()

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler):
        where = urllib.parse.urlsplit(handler.path)  # a client asks a proxy for the whole address
        path = where._replace(scheme="", netloc="").geturl()
        manager = http.client.HTTPConnection("127.0.0.1", self.manager, timeout=30)
        manager.request("GET", path)
        right = manager.getresponse()
        status, body = right.status, right.read()
        manager.close()
        for beginning, wrong in list(self.wrong.items()):
            if path.startswith(beginning):
                wrong(handler, body)
                return
        send(handler, body, status)


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
    """Returns an answer: the right page after a change."""
    return lambda handler, body: send(handler, edit(body.decode()).encode())


def raw(body):
    return lambda handler, _: send(handler, body)


def silence(handler, _):
    time.sleep(60)
    handler.close_connection = True
