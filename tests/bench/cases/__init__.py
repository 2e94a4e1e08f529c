"""Each case measures one or more rows of the table of targets."""
from bench.cases import arrival, cluster, costs, drain, polls, receivers, scale, state

CASES = {
    "drain": drain.drain,
    "many": drain.many,
    "cpu": drain.cpu,
    "memory": drain.memory,
    "reads": polls.reads,
    "idle": polls.idle,
    "totals": costs.totals,
    "series": costs.series,
    "latency": arrival.latency,
    "scale": scale.scale,
    "cluster": cluster.cluster,
    "state": state.drain,
    "backlog": receivers.backlog,
    "burst": receivers.burst,
}
