"""The rows that managers write into LOG_RECORD, with the texts of real managers: the rounds of the rule monitors (NID -1), the
alarms of nodes (NID is the node), and the managers' own actions (no NID; channel and pipeline are -1)."""
NODES = 4
MONITOR, NODE, MANAGER = "monitor", "node", "manager"

# In the messages p is the pipeline, c its channel, n a node, s and t are seconds, i is a list of process ids.
KINDS = [
    ("DELAYTIME", MONITOR, "pid:{p} delay_time:{s} seconds"),
    ("EXCEPTION", NODE, "pid:{p} nid:{n} exception:setl:com.alibaba.otter.node.etl.load.exception.LoadException:"
                        " java.util.concurrent.ExecutionException: Duplicate entry '{s}' for key 'PRIMARY'\n"
                        "\tat com.alibaba.otter.node.etl.load.loader.db.DbLoadAction.load\n"
                        "\tat java.lang.Thread.run(Thread.java:745)\n"),
    ("POSITIONTIMEOUT", MONITOR, "pid:{p} position {s} seconds no update"),
    ("PIPELINETIMEOUT", MONITOR, "pid:{p} elapsed {s} seconds no sync"),
    ("PROCESSTIMEOUT", MONITOR, "pid:{p} processIds:{i} elapsed {s} seconds"),
    ("EXCEPTION", MANAGER, "pid:-1 nid:null exception:cid:{c} restart recovery successful for rid:{p}"),
    ("DELAYTIME", MONITOR, "pid:{p} delay {s} seconds no update"),
    ("EXCEPTION", NODE, "pid:{p} nid:{n} exception:canal:canal-{p}:java.io.IOException: connection reset by peer\n"
                        "\tat sun.nio.ch.SocketDispatcher.read0\n"),
    ("EXCEPTION", NODE, "pid:{p} nid:{n} exception:mainstem:pid:{p} canal elapsed {s} seconds no data"),
    ("EXCEPTION", MANAGER, "pid:-1 nid:null exception:nid:{n} is dead and restart cids:[{c}]"),
    ("EXCEPTION", NODE, "pid:{p} nid:{n} exception:channel:can't restart by no select live node"),
    ("DELAYTIME", MONITOR, "pid:{p} delay_time:{s} seconds, but delay {t} seconds no update"),
    ("EXCEPTION", NODE, "pid:{p} nid:{n} exception:setl:load miss data with keys:[订单={s}, it's=\"{t}\"]"),
    # A pipeline without any throughput row: the alarm names the seconds since 1970.
    ("PIPELINETIMEOUT", MONITOR, "pid:{p} elapsed 1525422593 seconds no sync"),
    ("EXCEPTION", MANAGER, "pid:-1 nid:null exception:cid:{c} stop recovery successful for rid:-1"),
    ("EXCEPTION", NODE, "pid:{p} nid:{n} exception:channel:ROLLBACK\npid:{p} by node {n}"),
]


def log_row(world, dice, kind, pipeline):
    """Returns a row of LOG_RECORD; `kind` is taken modulo the number of kinds. Ids are texts in LOG_RECORD."""
    title, origin, message = KINDS[kind % len(KINDS)]
    channel, node, process = world.channel_of(pipeline), dice.between(1, NODES), dice.between(1, 90000)
    words = {"p": pipeline, "c": channel, "n": node, "s": dice.between(601, 9000), "t": dice.between(601, 9000),
             "i": f"{process},{process + 1}"}
    who = ("-1" if origin == MONITOR else str(node), str(channel), str(pipeline))
    return (*((None, "-1", "-1") if origin == MANAGER else who), title, message.format(**words))
