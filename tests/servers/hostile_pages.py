"""A server at a manager's address that is no manager. Each way in which it misbehaves is a row of SHAPES."""
import gzip
import socket
import time
import zlib

from servers.sinks import accept_each

MIB = 1 << 20
NEVER = b""  # the server sends nothing and keeps the connection


def page(body, heading="Channel管理", tail='<div class="page">共1条数据  第1页/共1页</div>'):
    return f"<html><body><h2>{heading}</h2>{tail}{body}</body></html>".encode()


def answer(body, *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def repeat(unit, size=4 * MIB - 4096):
    return unit * (size // len(unit.encode()))


def table(rows, heads=("序号", "Channel名字", "运行状态", "同步方向")):
    return "<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + f"</tr>{rows}</table>"


def channels(ids):
    return page(table("".join(f"<tr><td>{i}</td><td>c{i}</td><td>运行</td><td>单向</td></tr>" for i in ids)))


def endlessly(head, piece, pause=0.0):
    """Sends an answer without end, until the client closes the connection."""
    def send(connection, path):
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause)
    return send


def listing(others):
    """Sends a manager's list of one channel; all other pages are hostile."""
    good = answer(channels([1]))

    def send(connection, path):
        connection.sendall(good if path.startswith("/channelList") else others)
    return send


def bomb(mebibytes, layers=1):
    packed = b"<html>" + b" " * (mebibytes * MIB)
    for _ in range(layers):
        packed = gzip.compress(packed, 9)
    return packed


def many_lists(connection, path):
    """Sends a list of channels without end: each page has other channels and announces a further page."""
    number = int(path.rpartition("=")[2]) if path.startswith("/channelList") else 0
    body = channels(range(1 + 3000 * number, 3001 + 3000 * number)).decode()
    body = body.replace("第1页/共1页", f"第{number}页/共1000页")
    connection.sendall(answer(body.encode() if number else channels([])))


def pipelines(n):
    """Returns the pipelines of a channel, in the layout of Otter 4.2. They are stopped, so the agent does not ask for their progress."""
    rows = "".join(f'''<td width="3%">{i}</td>
      <td width="6%">
      <div class="bubbleInfo">
         <a href="dataMediaPairList.htm?pipelineId={i}" id="download" class="trigger">d{i}</a>
         <div class="popup">
         <div class="pop_tips_top"></div>
         <div class="pop_tips_mid">
          <div class="pop_tips_font"></div>
         </div>
         <div class="pop_tips_bottom"></div>
         </div>
      </div>
      </td>
      <td width="3%">2</td>
      <td width="3%">false</td>
      <td width="5%">
                    <font color="#FF0000">未工作</font>
                </td>
      <td width="5%">0.001 s</td>
            <td width="8%">2024-03-01 07:59:59</td>
            <td width="8%">2024-03-01 08:00:00</td>
      <td width="3%">1</td>
      <td>
      ''' + """<a href="pipeline_info.htm?pipelineId=101"><img src="images/ico_edit.png" width="13" height="13" />"""
      """<span class="ico_font">查看</span></a>
                <span class="ico_line">|</span>""" * 3 + """
        </td>
      </tr>
      """ for i in range(1, n + 1))
    return page('<div class="crumbs"><a href="x=1"></a></div>' + table(rows, (*PIPELINES, "操作")), "Pipeline管理")


def always_other_cookies(connection, path):
    new = (f"Set-Cookie: c{time.monotonic_ns()}_{i}=x" for i in range(10))
    connection.sendall(answer(channels([1]), *new))


PIPELINES = ("序号", "Pipeline名字", "并行度", "主站点", "mainstem状态", "延迟时间", "最后同步时间", "最后位点时间", "监控数")
LONG_OWN = page('<div class="crumbs"><a href="x=' + "9" * 30000 + '"></a></div>' +
                table(("<tr>" + "<td>1</td>" * len(PIPELINES) + "</tr>") * 2000, PIPELINES), "Pipeline管理")
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = "could not be read in page.timeout seconds"  # the message on a busy machine
STRANGE = "no page of Otter's is like that: see what answers at page.url"

# name: (the answer, as bytes or as a function; a pattern of the log line)
SHAPES = {
    "attributes": (answer(page("<p " + " ".join(f"a{i:x}" for i in range(400000)) + ">")),
                   f"tag or comment is longer than 32768 bytes; {STRANGE}"),
    "attributes that hold their tag's end": (
        answer(page("<p " + " ".join(f'a{i:x}="><p>"' for i in range(100000)) + ">")), "tag or comment is longer"),
    "attributes of many tags": (answer(page(repeat("<p " + " ".join(f"a{i:x}" for i in range(5000)) + ">"))),
                                "more than 64 attributes"),
    "an attribute again and again": (answer(page(repeat("<p " + " ".join(f"a{i}" for i in range(60)) +
                                                        " a59" * 7000 + ">"))), f"none of the headers|{SLOW}"),
    "rows": (answer(page(table("<tr><td>1</td></tr>" * 160000))), f"take more than 36 MiB; {STRANGE}"),
    "tags": (answer(page("<p>" * 1000000)), "take more than 36 MiB"),
    "small texts": (answer(page(repeat("<i>a</i>b"))), "take more than 36 MiB"),
    "depth": (answer(page(repeat("<div>"))), f"nested deeper than 100; {STRANGE}"),
    "a comment": (answer(page("<!--" + repeat("x") + "-->")), "tag or comment is longer"),
    "a text": (answer(page(repeat("x"))), "none of the headers"),
    "instructions": (answer(page(repeat("<?x?>"))), f"none of the headers|{SLOW}"),
    "entities": (answer(page(repeat("&nbsp;"))), "take more than 36 MiB"),
    "tables in tables": (answer(page(("<table><tr><td>x" * 25 + "</td></tr></table>" * 25) * 2500)),
                         "none of the headers|more than \\d+ MiB"),
    "cells that are long each": (listing(answer(LONG_OWN)), "its cells takes more than 4 MiB"),
    "lists without end": (many_lists, "hold more than 8 MiB|have more than 20000 rows|budget_spent|none of \\d+ pages"),
    "a body without end": (endlessly(HEAD + b"\r\n", b"x" * 65536), "answer is larger than 4194304 bytes"),
    "a small body that is large": (answer(bomb(200), "Content-Encoding: gzip"), "answer is larger than 4194304 bytes"),
    "one in another": (answer(bomb(200, 2), "Content-Encoding: gzip, gzip"), "larger than|encoding|UTF-8"),
    "a deflated body": (answer(zlib.compress(b" " * 200 * MIB), "Content-Encoding: deflate"), "larger than|encoding|UTF-8"),
    "chunks without end": (endlessly(CHUNKED, b"ffff\r\n" + b"x" * 65535 + b"\r\n"), "larger than 4194304"),
    "a chunk's size without end": (endlessly(CHUNKED, b"0" * 65536), "[Cc]hunk"),
    "a chunk's extension without end": (endlessly(CHUNKED + b"5;", b"x" * 65536), "timed out|too slow|[Cc]hunk"),
    "trailers without end": (endlessly(CHUNKED + b"0\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"),
                             "headers of the answer are larger than 65536 bytes|[Tt]oo large"),
    "a header without end": (endlessly(HEAD + b"X: ", b"x" * 65536), "[Tt]oo large|larger than|Out of memory|header"),
    "headers without end": (endlessly(HEAD, b"X-More: " + b"x" * 1000 + b"\r\n"),
                            "headers of the answer are larger than 65536 bytes"),
    "answers before the answer": (endlessly(b"", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 100),
                                  "headers of the answer are larger than 65536 bytes"),
    "cookies": (answer(page(""), *(f"Set-Cookie: c{i}={'x' * 1000}" for i in range(50))), "none of the headers"),
    "an address without end": (answer(b"", "Location: http://127.0.0.1/" + "x" * 60000, status="302 Found"),
                               "HTTP 302: the manager sends us to another address"),
    "round and round": (answer(b"", "Location: /channelList.htm", status="302 Found"), "another address"),
    "silence": (NEVER, "timed out|too slow"),
    "a byte a second": (endlessly(HEAD + b"Content-Length: 1000\r\n\r\n", b"x", 0.5), "timed out|too slow"),
    "a header's byte a second": (endlessly(b"H", b"T", 0.5), "timed out|too slow|HTTP/0.9|[Uu]nsupported|Weird"),
    "noise": (bytes(range(256)) * 64, "HTTP/0.9|[Uu]nsupported|Weird|Nul"),
    "a length that is none": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n<html></html>", "[Ll]ength|cut short|Weird|UTF-8"),
    "a length beyond all": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n<html></html>",
                            "[Ll]ength|timed out|too slow|exceed"),
    "packed noise": (answer(b"\x1f\x8b" + bytes(range(256)) * 64, "Content-Encoding: gzip"), "decod|encod|content"),
    "an end": (None, "Empty reply|reset|closed"),
}


class HostilePages:
    """Listens on loopback, and answers every request in one of these ways."""

    def __init__(self, send):
        self.send, self.requests, self.heads = send, [], []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        accept_each(self.server, self._serve)

    def _serve(self, connection):
        """Answers one request after the other. The head of each request arrives in one piece."""
        with connection:
            try:
                while head := connection.recv(65536):
                    self.heads.append(head)
                    self._answer(connection, head.split(b" ")[1].decode("latin-1") if b" " in head else "")
                    if self.send is None:
                        return
            except OSError:
                return  # the agent has closed the connection

    def _answer(self, connection, path):
        self.requests.append(path)
        if callable(self.send):
            self.send(connection, path)
        elif self.send:
            connection.sendall(self.send)

    def stop(self):
        self.server.close()
