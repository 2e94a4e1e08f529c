"""The fake Otter's pages equal those of a real manager: their words, their peculiarities and their faults."""
import datetime
import gzip
import html.parser
import http.client
import json
import re
import time
import urllib.error
import zlib

import pytest

from servers.manager import Manager

PIPELINE_HEAD = ["序号", "Pipeline名字", "并行度", "主站点", "mainstem状态", "延迟时间", "最后同步时间", "最后位点时间",
                 "监控数", "操作"]
CHANNEL_HEAD = ["序号", "Channel名字", "运行状态", "同步方向", "操作"]
NODE_HEAD = ["序号", "机器名字", "IP", "端口", "状态", "操作"]
CHINA = datetime.timezone(datetime.timedelta(hours=8))


class Table(html.parser.HTMLParser):
    """Reads the cells of the list table without its rows, because the rows are malformed."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.head, self.cells, self.rows_opened, self.cell = False, [], [], 0, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.inside = "changecolor_" in dict(attrs).get("class", "")
        if self.inside and tag in ("th", "td"):
            self.cell = []
            (self.head if tag == "th" else self.cells).append(self.cell)
        self.rows_opened += self.inside and tag == "tr"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "table"
        if tag in ("th", "td"):
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)

    def rows(self):
        cells = [" ".join("".join(cell).split()) for cell in self.cells]
        assert len(cells) % len(self.head) == 0
        return [cells[at:at + len(self.head)] for at in range(0, len(cells), len(self.head))]


def read(manager, page, head, **how):
    answer = manager.get(page, **how)
    assert answer.status == 200
    table = Table(answer.text)
    assert ["".join(word) for word in table.head] == head
    return table


def pipelines(manager, channel=1, **how):
    return read(manager, f"pipelineList.htm?channelId={channel}", PIPELINE_HEAD, **how).rows()


def channels(manager, page=1):
    return read(manager, f"channelList.htm?pageIndex={page}", CHANNEL_HEAD).rows()


def date(epoch, zone=CHINA):
    return datetime.datetime.fromtimestamp(epoch, zone).strftime("%Y-%m-%d %H:%M:%S")


def is_error_page(answer):
    return "对不起，你请求的链接出问题了" in answer.text and "<h2>" not in answer.text


def hangs(manager, page):
    try:
        manager.get(page, timeout=0.4)
    except (TimeoutError, urllib.error.URLError):
        return True
    return False


def test_pipelines_are_those_of_the_tables(mariadb, otter, manager):
    otter.do("sample")
    rows = pipelines(manager, 1) + pipelines(manager, 2)
    names = mariadb.query("SELECT ID, NAME FROM PIPELINE ORDER BY ID")
    assert [(int(row[0]), row[1].split(" ask ")[0]) for row in rows] == list(names)
    synced = [mariadb.query("SELECT UNIX_TIMESTAMP(GMT_MODIFIED) FROM THROUGHPUT_STAT WHERE PIPELINE_ID = %s AND "
                            "TYPE = 'ROW' ORDER BY END_TIME DESC LIMIT 1", pipeline)[0][0] for pipeline in (1, 2)]
    assert [row[2:9] for row in rows] == [
        ["4", "true", "工作中", "0.302 s", date(synced[0]), date(synced[0]), "1"],
        ["5", "false", "工作中", "0.888 s", date(synced[1]), date(synced[1]), "2"],
        ["6", "true", "工作中", "0", "", "", "3"]]
    assert [row[0] for row in pipelines(manager, "1&pipelineId=2")] == ["2"]


def test_only_the_first_row_is_opened(manager):
    text = manager.get("pipelineList.htm?channelId=1").text
    table = text[text.index("changecolor_g"):text.index("</table>")]
    assert table.count("<tr>") == 2 and table.count("</tr>") == 3  # the header, and two rows
    assert re.search(r"</tr>\r\n\s*<td", table)
    assert "\r\n" not in text[:text.index("trcolor.js")]  # the layout has line ends of Unix
    assert table.count("\r\n") == table.count("\n")


@pytest.mark.parametrize("ms, text", [
    (0, "0"), (1, "0.001 s"), (10, "0.01 s"), (1500, "1.5 s"), (60000, "1 m"), (61001, "1 m 1.001 s"),
    (3600000, "1 h"), (3661456, "1 h 1 m 1.456 s"), (1587350997000, "440930 h 49 m 57 s"), (-5, "-5")])
def test_delays(mariadb, manager, ms, text):
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE) VALUES (%s, 0, 1, NOW())",
                  ms)
    assert pipelines(manager)[0][5] == text
    manager.state("decimal comma")
    assert pipelines(manager)[0][5] == text.replace(".", ",")


def test_names_are_escaped_and_nulls_are_references(mariadb, manager):
    mariadb.query("UPDATE PIPELINE SET NAME = 'é→<b>\\'订单', PARAMETERS = '{\"parallelism\":null}' WHERE ID = 1")
    text = manager.get("pipelineList.htm?channelId=1").text
    assert ">&eacute;&rarr;&lt;b&gt;&#39;订单</a>" in text
    assert pipelines(manager)[0][1:4] == ["é→<b>'订单", "$pipeline.parameters.parallelism", "false"]
    assert "$seniorNode.description" in manager.get("nodeList.htm").text
    mariadb.query("UPDATE PIPELINE SET PARAMETERS = '{}' WHERE ID = 1")
    assert pipelines(manager)[0][2] == "3"


def test_states(manager):
    assert [row[2] for row in channels(manager)] == ["运行", "运行"]
    assert [row[3] for row in channels(manager)] == ["双向", "单向"]
    manager.state("channel 1 stopped", "channel 2 paused", "pipeline 3 locating", "node 2 down")
    assert [row[2] for row in channels(manager)] == ["停止", "挂起"]
    assert [row[4] for row in pipelines(manager, 1)] == ["未工作", "未工作"]
    assert [row[4] for row in pipelines(manager, 2)] == ["定位中"]
    nodes = read(manager, "node_list.htm", NODE_HEAD).rows()
    assert [row[4] for row in nodes] == ["已启动", "未启动", "已启动", "已启动"]
    assert nodes[3][2:4] == ["203.0.113.9 (外)", "2090"]
    manager.state()
    assert [row[2] for row in channels(manager)] == ["运行", "运行"]


def test_positions_and_skewed_times_are_as_ordered(otter, manager):
    otter.do("sample")
    before = pipelines(manager)[0][6]
    manager.state("pipeline 1 position 1587350995", "pipeline 2 position 0", "skew -28800")
    rows = pipelines(manager)
    assert [row[7] for row in rows] == [date(1587350995), ""]
    assert datetime.datetime.fromisoformat(before) - datetime.datetime.fromisoformat(rows[0][6]) == \
        datetime.timedelta(hours=8)


def test_stages(otter, manager):
    otter.do("sample")
    manager.state("pipeline 1 position 1587355200")
    text = manager.get("analysisStageStat.htm?pipelineId=1").text
    assert "工作中 ( node : 1 )" in text and f"最后更新时间 : {date(1587355200)}" in text
    position = json.loads(re.search(r'id="contentid-position"[^>]*> (.*) </div>', text)[1])
    assert position["postion"]["timestamp"] == 1587355199000  # the delay is 302 ms, and the time has whole seconds
    tables = re.findall(r'<table[^>]*id="list"[^>]*margin-top.*?</table>', text, re.S)
    assert len(tables) == 2
    cells = re.findall(r'(?:background-color:(#\w{6});)?padding[^>]*>([\d,]+)</td>', tables[0])
    assert [colour for colour, _ in cells[1:]] == ["#D9B300", "#FFC1E0", "#4DFFFF", "#FF2D2D"]
    assert [ms for _, ms in cells[1:]] == ["1,302", "102", "322", "302"] and "总时间:2,028<" in tables[0]
    waits = re.findall(r'height:60px;padding[^>]*>([\d,]+)</td>', tables[1])
    assert waits == ["200"] and "总时间:1,828<" in tables[1]
    assert 'title="number:2,115&#10;size:1,082,880&#10;exts:&#10;&#09; currNid:1&#10;&#09; nextNid:3"' in text
    manager.state("decimal comma")
    assert "总时间:2.028<" in manager.get("analysisStageStat.htm?pipelineId=1").text


@pytest.mark.parametrize("order, words, without", [
    ("pipeline 1 off", ["未工作", "无信息"], "( node"),
    ("pipeline 1 locating", ['定位中</font> ( node : 1 )'], "总时间"),
    ("node 1 down", ["( node : 2 )"], "总时间"),
    ("empty analysisStageStat", ["( node : 1 )"], "总时间")])
def test_stages_in_other_states(manager, order, words, without):
    manager.state(order)
    text = manager.get("analysisStageStat.htm?pipelineId=1").text
    assert all(word in text for word in words) and without not in text


def test_the_pages_of_a_list(otter, manager):
    otter.do("create", "--pipelines", 40, "--channels", 23, "--tables", 1)
    seen = []
    for page in (1, 2, 3, 4):
        text = manager.get(f"channelList.htm?pageIndex={page}").text
        assert f"共23条数据&nbsp;&nbsp;第{min(page, 3)}页/共3页" in text
        seen += [int(row[0]) for row in channels(manager, page)]
    assert seen == [*range(1, 24), 21, 22, 23]  # beyond the end the manager shows the last page again
    assert channels(manager, 3)[2][3] == "无"
    assert pipelines(manager, 23) == []
    manager.state("empty channelList", "empty pipelineList")
    assert channels(manager) == [] and "共0条数据&nbsp;&nbsp;第0页/共0页" in manager.get("channelList.htm").text
    assert pipelines(manager, 1) == []


def test_a_search(manager):
    assert [row[0] for row in read(manager, "channelList.htm?searchKey=order", CHANNEL_HEAD).rows()] == ["1"]
    assert read(manager, "channelList.htm?searchKey=%27%25", CHANNEL_HEAD).rows() == []
    assert 'value="&#39;%"' in manager.get("channelList.htm?searchKey=%27%25").text


@pytest.mark.parametrize("page, status, location", [
    ("pipelineList.htm?channelId=99", 404, None),
    ("pipelineList.htm", 404, None),
    ("pipelineList.htm?channelId=x", 404, None),
    ("analysisStageStat.htm?pipelineId=99", 404, None),
    ("dataMediaPairList.htm", 404, None),
    ("monitor/ok.htm", 200, None),
    ("forbidden.htm", 200, None),
    ("editPipeline.htm?pipelineId=1", 302, "login.htm?done=http%3A%2F%2F127.0.0.1%3APORT%2FeditPipeline.htm"
                                           "%3FpipelineId%3D1"),
    ("channelList.htm;jsessionid=1", 302, "forbidden.htm?done=http%3A%2F%2F127.0.0.1%3APORT%2FchannelList.htm"
                                          "%3Bjsessionid%3D1"),
    ("nothing", 302, "forbidden.htm?done=http%3A%2F%2F127.0.0.1%3APORT%2Fnothing")])
def test_addresses(manager, page, status, location):
    answer = manager.get(page)
    assert answer.status == status
    assert is_error_page(answer) == (status == 404)
    if location:
        assert answer.headers["Location"] == f"{manager.url}/{location.replace('PORT', str(manager.port))}"


def test_without_a_database_every_page_is_the_error_page(mariadb, manager):
    mariadb.query("DROP DATABASE otter", database=None)
    for page in ("channelList.htm", "pipelineList.htm?channelId=1", "nodeList.htm"):
        answer = manager.get(page)
        assert answer.status == 404 and is_error_page(answer)


def test_a_login(manager):
    manager.state("login required")
    refused = manager.get("channelList.htm")
    assert refused.status == 302 and "/login.htm?done=" in refused.headers["Location"]
    form = manager.get("login.htm").text
    assert all(f'name="{name}"' in form for name in ("action", "event_submit_do_login", "_fm.l._0.n", "_fm.l._0.p"))
    wrong = manager.post_login(password="wrong & more")
    assert wrong.status == 200 and "用户名或密码不正确" in wrong.text
    right = manager.post_login(page=refused.headers["Location"].split("/", 3)[3])
    assert right.status == 302 and right.headers["Location"] == f"{manager.url}/channelList.htm"
    session = manager.login()
    assert "（超级管理员）" in manager.get("channelList.htm", cookie=session).text
    manager.state("login required", "session expired")
    assert manager.get("channelList.htm", cookie=session).status == 302
    session = manager.login()  # while the order is in the file: it was carried out once
    assert manager.get("channelList.htm", cookie=session).status == 200


def test_administrators_see_links_that_do_something(manager):
    manager.state("channel 1 stopped")
    cookie = manager.login()
    assert "javascript:if(confirm('" in manager.get("pipelineList.htm?channelId=1", cookie=cookie).text
    assert "status=stop" in manager.get("channelList.htm", cookie=cookie).text
    assert "javascript:if(confirm('" not in manager.get("pipelineList.htm?channelId=1").text
    assert len(pipelines(manager, 1, cookie=cookie)) == 2


def test_without_zookeeper_most_pages_hang(manager):
    manager.state("zookeeper down")
    assert hangs(manager, "channelList.htm") and hangs(manager, "pipelineList.htm?channelId=1")
    assert not hangs(manager, "nodeList.htm")
    manager.state("hang nodeList")
    assert hangs(manager, "nodeList.htm") and not hangs(manager, "channelList.htm")
    begin = time.monotonic()
    assert manager.stop() == 0  # stops also while a client waits
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("status", [404, 500, 503])
def test_errors(manager, status):
    manager.state(f"error {status} pipelineList")
    answer = manager.get("pipelineList.htm?channelId=1")
    assert answer.status == status and is_error_page(answer)
    assert manager.get("channelList.htm").status == 200


def test_a_header_that_is_gone_or_renamed(manager):
    manager.state("drift pipelineList 延迟时间")
    head = Table(manager.get("pipelineList.htm?channelId=1").text).head
    assert ["".join(word) for word in head] == [word.replace("延迟时间", "") for word in PIPELINE_HEAD]
    manager.state("drift channelList 运行状态 状态")
    assert ["状态"] in Table(manager.get("channelList.htm").text).head


def test_a_truncated_page(manager):
    manager.state("truncate pipelineList")
    with pytest.raises(http.client.IncompleteRead) as caught:
        manager.get("pipelineList.htm?channelId=1")
    assert abs(len(caught.value.partial) - caught.value.expected) <= 1


def take(manager, page, most, **headers):
    """Reads the first bytes of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", manager.port, timeout=10)
    connection.request("GET", f"/{page}", headers=headers)
    answer = connection.getresponse()
    begin = time.monotonic()
    body = answer.read(most)
    connection.close()
    return answer, body, time.monotonic() - begin


def test_a_page_without_end(manager):
    manager.state("huge channelList")
    answer, body, _ = take(manager, "channelList.htm", 20_000_000, **{"Accept-Encoding": "gzip"})
    assert len(body) == 20_000_000 and answer.getheader("Content-Length") is None
    assert answer.getheader("Content-Encoding") is None
    assert b"Channel\xe7\xae\xa1\xe7\x90\x86" in body


def test_a_bomb(manager):
    manager.state("bomb channelList")
    answer = manager.get("channelList.htm")
    assert answer.headers["Content-Encoding"] == "gzip" and len(answer.body) < 3_000_000
    unpacked = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(answer.body, 50_000_000)
    assert len(unpacked) == 50_000_000


def test_a_slow_body(manager):
    manager.state("slow body pipelineList")
    _, body, seconds = take(manager, "pipelineList.htm?channelId=1", 200)
    assert len(body) == 200 and seconds > 0.4


def test_gzip_is_for_those_who_ask(manager):
    plain = manager.get("channelList.htm")
    packed = manager.get("channelList.htm", **{"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Encoding"] is None and packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize("charset, announced", [("latin1", "ISO-8859-1"), ("gbk", "UTF-8")])
def test_other_character_sets(manager, charset, announced):
    manager.state(f"{charset} channelList")
    answer = manager.get("channelList.htm")
    assert answer.headers["Content-Type"] == f"text/html;charset={announced}"
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode("utf-8")
    assert charset != "gbk" or "运行状态" in answer.body.decode("gbk")


def test_latency_and_what_was_asked(manager):
    manager.state("latency 150")
    begin = time.monotonic()
    manager.get("nodeList.htm")
    assert time.monotonic() - begin >= 0.15
    method, uri, status, ms = manager.requests()[-1]
    assert (method, uri, status) == ("GET", "/nodeList.htm", 200) and ms >= 150


def test_a_mistaken_order_is_loud(manager):
    manager.state("channel 1 running", "chanel 2 paused")
    answer = manager.get("nodeList.htm")
    assert answer.status == 500 and "not an order: chanel 2 paused" in answer.text


def test_cookies_and_methods(manager):
    assert "JSESSIONID=" in manager.get("channelList.htm").headers["Set-Cookie"]
    assert manager.get("channelList.htm", Cookie="JSESSIONID=x").headers["Set-Cookie"] is None
    assert manager.get("channelList.htm", data=b"pageIndex=2").status == 405


def test_other_zones(otter, folder):
    otter.do("sample")
    for zone, hours in (("+05:30", 5.5), ("-03:00", -3), ("UTC", 0)):
        place = folder / zone
        place.mkdir()
        manager = Manager(otter, place, zone=zone).start()
        manager.state("pipeline 1 position 1587350995")
        assert pipelines(manager)[0][7] == date(1587350995, datetime.timezone(datetime.timedelta(hours=hours)))
        assert manager.stop() == 0
