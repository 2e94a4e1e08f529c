"""The screens of a manager's pages. A screen is HTML, or None where a manager has an exception and shows its error page."""
import datetime
import zoneinfo

from database import number, select
from template import Raw, render

ROWS_A_PAGE = 10
STATES = {"stopped": ("停止", "gray"), "paused": ("挂起", "red"), "running": ("运行", "green")}
MAINSTEMS = {"off": Raw('<font color="#FF0000">未工作</font>'), "locating": Raw('<font color="#FF0000">定位中</font>'),
             "working": "工作中"}
DIRECTIONS = ["\t\t\t\t 无 \n", "\t\t\t\t 单向\n", "\t\t\t\t 双向\n"]  # by the number of pipelines; for more pipelines the cell is empty
NO_POSITION = Raw('<font color="#FF0000">无信息</font>')
NEWEST_DELAY = "from DELAY_STAT where PIPELINE_ID = p.ID order by GMT_MODIFIED desc, ID desc limit 1"
SYNC_AT = ("(select unix_timestamp(GMT_MODIFIED) from THROUGHPUT_STAT where PIPELINE_ID = p.ID and TYPE = 'ROW'"
           " order by END_TIME desc, ID desc limit 1)")


class Figures:
    """How a manager writes figures: delays, grouped numbers, and dates in its own time zone. With `comma` the figures look
    German: 3,456 and 1.000."""

    def __init__(self, zone, comma):
        self.zone, self.comma = zone, comma

    def swap(self, text):
        return text.translate(str.maketrans(".,", ",.")) if self.comma else text

    def delay(self, ms):
        """Returns for example 1 h 1 m 1.456 s, without the parts that are 0."""
        if ms <= 0:
            return str(ms)
        hours, minutes, seconds = ms // 3600000, ms // 60000 % 60, f"{ms % 60000 / 1000:.3f}".rstrip("0").rstrip(".")
        parts = ((hours, "h"), (minutes, "m"), (0 if seconds == "0" else seconds, "s"))
        return self.swap(" ".join(f"{value} {unit}" for value, unit in parts if value))

    def grouped(self, value):
        return self.swap(f"{value:,}")

    def date(self, epoch):
        """Returns the date; 0 is no date and gives an empty text."""
        return f"{datetime.datetime.fromtimestamp(epoch, self.zone):%Y-%m-%d %H:%M:%S}" if epoch else ""


def zone_of(name):
    """Returns the time zone with a name, or with an offset such as +08:00."""
    if name[0] in "+-":
        hours, minutes = name[1:].split(":")
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        return datetime.timezone(offset if name[0] == "+" else -offset)
    return zoneinfo.ZoneInfo(name)


def paging_of(visit, rows):
    """Returns the number of the page (the last page at most, 0 without rows) and the links below a list."""
    pages = -(-rows // ROWS_A_PAGE)
    page = min(max(visit.number("pageIndex", 1), 1), pages)

    def link(to, is_live, text):
        return render("layout", "link" if is_live else "no_link", page=to, text=text)

    links = [link(1, page != 1, "首页"), link(page - 1, page > 1, "上一页")]
    links += [render("layout", "this_number" if near == page else "number", page=near)
              for near in range(max(page - 3, 1), min(page + 3, pages) + 1)]
    links += [link(page + 1, page < pages, "下一页"), link(pages, page < pages, "末页")]
    return page, render("layout", "paging", rows=rows, page=page, pages=pages, links=Raw("".join(links)))


def rows_of(visit, page, sql, *args):
    return select(visit.db, f"{sql} limit {ROWS_A_PAGE} offset {(page - 1) * ROWS_A_PAGE}", *args) if page else []


def channels(visit):
    search, only = visit.query.get("searchKey"), visit.number("channelId", 0)
    condition, args = "from CHANNEL c where true", []
    if visit.orders.has("empty", "channelList"):
        condition += " and false"
    if only:
        condition += f" and c.ID = {only}"
    if search:
        condition, args = condition + " and (c.NAME like concat('%%', %s, '%%') or c.ID = %s)", [search, search]
    page, paging = paging_of(visit, number(visit.db, f"select count(*) {condition}", *args))
    rows = []
    for channel, name, pipelines in rows_of(
            visit, page, "select c.ID, c.NAME, (select count(*) from PIPELINE p where p.CHANNEL_ID = c.ID)"
            f" {condition} order by c.ID", *args):
        state = visit.orders.channel(channel)
        is_shown = visit.viewer and state != "stopped"
        rows.append(render("channelList", "row", site=visit.site, id=channel, name=name, status=STATES[state][0],
                           colour=STATES[state][1], direction=DIRECTIONS[pipelines] if pipelines < 3 else "",
                           stop=render("channelList", "stop", site=visit.site, id=channel) if is_shown else ""))
    return render("channelList", site=visit.site, searchKey=search, rows=Raw("".join(rows)), paging=paging)


def nodes(visit):
    is_empty = visit.orders.has("empty", "nodeList")
    page, paging = paging_of(visit, 0 if is_empty else number(visit.db, "select count(*) from NODE"))
    rows = []
    for node, name, ip, external, port, description in rows_of(
            visit, page, "select ID, NAME, IP, if(json_value(PARAMETERS, '$.useExternalIp'),"
            " json_value(PARAMETERS, '$.externalIp'), NULL), PORT, DESCRIPTION from NODE order by ID"):
        status = "已启动" if visit.orders.is_up(node) else Raw('<font color="#FF0000">未启动</font>')
        rows.append(render("nodeList", "row", site=visit.site, id=node, name=name, ip=external or ip, port=port,
                           external="(外) " if external else "", status=status,
                           **{"seniorNode.description": description}))
    return render("nodeList", site=visit.site, rows=Raw("".join(rows)), paging=paging)


def pipelines(visit):
    channel, only = visit.number("channelId", -1), visit.number("pipelineId", 0)
    if not number(visit.db, "select count(*) from CHANNEL where ID = %s", channel):
        return None
    # A missing key gives the default of the class; null stays null.
    sql = ("select p.ID, p.NAME, p.DESCRIPTION, ifnull(json_extract(p.PARAMETERS, '$.parallelism'), 3),"
           " ifnull(json_extract(p.PARAMETERS, '$.home'), 'false'),"
           f" (select DELAY_TIME {NEWEST_DELAY}), (select unix_timestamp(GMT_MODIFIED) {NEWEST_DELAY}), {SYNC_AT},"
           f" (select count(*) from NODE) from PIPELINE p where p.CHANNEL_ID = {channel}")
    if only:
        sql += f" and p.ID = {only}"
    if visit.orders.has("empty", "pipelineList"):
        sql += " and false"
    rows = [pipeline_row(visit, channel, row) for row in select(visit.db, f"{sql} order by p.ID")]
    return render("pipelineList", channel=channel, rows=Raw("".join(rows)))


def pipeline_row(visit, channel, row):
    pipeline, name, description, parallelism, home, delay, delay_at, sync_at, node_count = row
    orders, figures = visit.orders, visit.figures
    is_changeable = visit.viewer and orders.channel(channel) == "stopped"
    return render(
        "pipelineList", "row", site=visit.site, channel=channel, id=pipeline, name=name, description=description,
        mainstem=MAINSTEMS[orders.mainstem(pipeline, channel, node_count)],
        # A pipeline that never reported has no delay; its page shows 0, like a pipeline without a delay.
        delay=figures.delay(delay or 0), sync=figures.date(sync_at and sync_at + orders.number("skew")),
        position=figures.date(orders.position(pipeline, max(delay_at or 0, sync_at or 0))), alarms=pipeline % 4,
        change=render("pipelineList", "change", site=visit.site, id=pipeline) if is_changeable else "",
        **{"pipeline.parameters.parallelism": None if parallelism == "null" else parallelism,
           "pipeline.parameters.home": None if home == "null" else home})


# Colour, id, and whether the stage's title has a size. Only the first stage has an id.
STAGES = [("#D9B300", 'id ="select"', True), ("#FFC1E0", "", True), ("#4DFFFF", "", False)]
RUNNING = "#FF2D2D"

# The processes in flight, the oldest first: (ms for which the process waited, finished stages, whether a stage runs now).
# The first process is being loaded, the next processes wait, and the last process has only been announced.
PROCESSES = [(0, 3, True), (200, 1, True), (900, 0, True), (0, 0, False)]
BAR_WIDTH, ROW_BYTES = 800, 512


class Flight:
    """The processes in flight. All figures derive from the newest delay, so the figures change with the delay."""

    def __init__(self, figures, delay):
        self.figures = figures
        self.stages = [1000 + delay % 1000, 100 + delay % 50, 300 + delay % 70]  # ms
        self.whole = sum(self.stages) + delay  # ms since the oldest process began
        self.rows = 1 + delay * 7 % 150000

    def cell(self, part, ms, **values):
        width = f"{max(ms * BAR_WIDTH / self.whole, 1):.15g}px"
        return render("analysisStageStat", part, width=width, ms=self.figures.grouped(ms), **values)

    def stage(self, stage):
        colour, of_id, has_size = STAGES[stage]
        size = f"size:{self.figures.grouped(self.rows * ROW_BYTES)}&#10;" if has_size else ""
        title = f"number:{self.figures.grouped(self.rows)}&#10;{size}exts:&#10;&#09; currNid:1&#10;&#09; nextNid:3"
        return self.cell("stage", self.stages[stage], id=Raw(of_id), colour=colour, title=Raw(title))

    def process(self, place, process):
        wait, done, is_running = PROCESSES[place]
        total = self.whole - wait if is_running else 0
        cells = [self.cell("wait", wait)] if wait else []
        cells += map(self.stage, range(done))
        if is_running:
            cells.append(self.cell("stage", total - sum(self.stages[:done]), id="", colour=RUNNING))
        return render("analysisStageStat", "process", process=process, total=self.figures.grouped(total),
                      cells=Raw("".join(cells)))


def position_json(pipeline, at, delay):
    """Returns the position in canal's own spelling. The last event that canal read is as old as the delay."""
    return Raw('{"@type":"com.alibaba.otter.canal.protocol.position.LogPosition","identity":{"slaveId":-1,'
               f'"sourceAddress":{{"address":"db-{pipeline}.example","port":3306}}}},"postion":{{"included":false,'
               f'"journalName":"mysql-bin.{at // 86400 % 1000000:06}","position":{at % 86400 * 1000 + 4},'
               f'"serverId":1,"timestamp":{(at * 1000 - delay) // 1000 * 1000}}}}}')


def stages(visit):
    pipeline, orders = visit.number("pipelineId", -1), visit.orders
    found = select(visit.db, f"select p.CHANNEL_ID, d.DELAY_TIME, d.ID, unix_timestamp(d.GMT_MODIFIED), {SYNC_AT},"
                             " (select count(*) from NODE) from PIPELINE p"
                             f" left join DELAY_STAT d on d.ID = (select ID {NEWEST_DELAY}) where p.ID = {pipeline}")
    if not found:
        return None
    channel, delay, delay_id, delay_at, sync_at, node_count = found[0]
    mainstem, node = orders.mainstem(pipeline, channel, node_count), orders.node_of(pipeline, node_count)
    at = orders.position(pipeline, max(delay_at or 0, sync_at or 0))
    position = render("analysisStageStat", "position", position=visit.figures.date(at)) if at else NO_POSITION
    is_flying = mainstem == "working" and delay is not None and not orders.has("empty", "analysisStageStat")
    flight = Flight(visit.figures, delay) if is_flying else None
    processes = [flight.process(i, delay_id + i) for i in range(pipeline % len(PROCESSES) + 1)] if flight else []
    on_node = render("analysisStageStat", "node", site=visit.site, node=node).rstrip("\n") if mainstem != "off" else ""
    return render("analysisStageStat", site=visit.site, channel=channel, id=pipeline, mainstem=MAINSTEMS[mainstem],
                  node=Raw(on_node), position=Raw(position.rstrip("\n")),
                  json=position_json(pipeline, at, delay or 0) if at else None, processes=Raw("".join(processes)))


def forbidden(_):
    return render("layout", "forbidden")
