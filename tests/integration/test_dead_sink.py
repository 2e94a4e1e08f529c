"""A sink that is down, or that does not read, does not delay another sink."""
from servers.carbon import Carbon
from servers.process import free_port, wait_until
from servers.sinks import Stream
from servers.wiring import to_graphite, to_statsd


def test_carbon_that_is_not_there_gets_all_when_it_comes(mariadb, otter, carbon, statsd, make_agent):
    otter.do("sample")
    wanted = otter.sums()
    carbon.kill9()
    agent = make_agent(mariadb, [to_statsd(statsd), to_graphite(carbon)]).start()
    statsd.wait_for(wanted)
    agent.wait_for_log("sink=graphite event=sink_failed")
    carbon.start()
    carbon.wait_for(wanted)
    agent.wait_for_log("sink=graphite event=sink_recovered")
    assert agent.log().count("event=sink_failed") == 1, "logged once"


def test_statsd_that_is_not_there(mariadb, otter, carbon, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, [{"type": "statsd", "port": free_port()}, to_graphite(carbon)]).start()
    carbon.wait_for(otter.sums())
    agent.wait_for_log("sink=statsd event=sink_failed")


def test_a_carbon_that_never_reads(mariadb, otter, statsd, make_agent):
    still = Stream(reads=False)
    otter.do("history", "--rows", 3000, "--hours", 24)
    agent = make_agent(mariadb, [to_statsd(statsd), to_graphite(still)]).start()
    statsd.wait_for(otter.sums(), 60)
    assert agent.stop() == 0
    still.stop()


def test_a_full_queue_costs_only_the_sink_that_is_down(mariadb, otter, statsd, make_agent):
    otter.do("history", "--rows", 5000, "--hours", 24)
    agent = make_agent(mariadb, [to_statsd(statsd), {"type": "graphite", "port": free_port()}],
                       queue={"max_bytes": 65536}).start()
    statsd.wait_for(otter.sums(), 60)
    wait_until(lambda: "sink=graphite event=lost" in agent.log(), "the loss is logged")
    assert "sink=statsd event=lost" not in agent.log()


def test_what_a_healthy_sink_keeps_costs_the_one_that_is_down_nothing(mariadb, otter, carbon, folder, make_agent):
    """Graphite fills the queue with points that it may have to send again: dropping points would make no room."""
    late = Carbon(folder / "late")
    otter.do("history", "--rows", 5000, "--hours", 24)
    agent = make_agent(mariadb, [to_graphite(carbon, creates=0), to_graphite(late, name="late", creates=0)],
                       queue={"max_bytes": 65536}).start()
    agent.wait_for_log("sink=graphite event=queue_full")
    assert agent.stop() == 0
    late.start()
    agent.write(queue={"max_bytes": 1 << 26})
    agent.once()
    carbon.wait_for(otter.sums(), 60)
    late.wait_for(otter.sums(), 60)
    late.stop()
    assert "event=queue_recovered" not in agent.log() and "event=lost" not in agent.log()


def test_a_full_queue_with_nobody_who_delivers_waits(mariadb, otter, statsd, make_agent):
    """The tables keep the rows, so nothing is lost."""
    otter.do("history", "--rows", 5000, "--hours", 24)
    port = statsd.port
    statsd.kill9()
    agent = make_agent(mariadb, [{"type": "statsd", "port": port}], queue={"max_bytes": 65536}).start()
    agent.wait_for_log("event=sink_failed")
    agent.wait_for_log("sink=statsd event=queue_full")
    statsd.start()
    statsd.wait_for(otter.sums(), 60)
    agent.wait_for_log("event=queue_recovered")
    assert agent.log().count("event=queue_full") == 1, "logged once"
