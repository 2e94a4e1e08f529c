"""A client for an agent's status page."""
import base64
import http.client
import json
import socket

from servers.process import free_port


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Status:
    def __init__(self, path=None):
        self.path, self.port = path, None if path else free_port()

    @property
    def listen(self):
        return f"unix:{self.path}" if self.path else f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.listen}"

    def ask(self, page="/", method="GET", login=None, body=None, scheme="Basic"):
        """Sends a request and returns (code, headers, text)."""
        connection = UnixConnection(self.path) if self.path else http.client.HTTPConnection(self.listen, timeout=10)
        headers = {"Authorization": f"{scheme} {base64.b64encode(login.encode()).decode()}"} if login else {}
        try:
            connection.request(method, page, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def health(self):
        code, _, text = self.ask("/healthz")
        return code, text

    def json(self):
        return json.loads(self.ask("/status.json")[2])

    def one(self, kind, name):
        return next(one for one in self.json()[kind] if one["name"] == name)

    def answers(self):
        try:
            return self.ask("/livez")[0]
        except OSError:
            return None
