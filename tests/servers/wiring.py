"""Settings of sinks whose server belongs to the test."""


def to_graphite(server, **more):
    return {"type": "graphite", "port": server.port, **more}


def to_statsd(server, **more):
    return {"type": "statsd", "port": server.port, **more}
