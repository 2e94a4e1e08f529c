"""A small, known set of rows: the sums that arrive equal the sums of SQL."""
from servers.process import wait_until


def test_sums_are_those_of_sql_and_a_second_run_adds_nothing(mariadb, otter, carbon, statsd, both, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, both)
    wanted = otter.sums()
    assert sum(wanted.values()) > 1000000
    for _ in range(2):
        agent.once()
        carbon.wait_for(wanted)
        statsd.wait_for(wanted)
    counters = {name for name in statsd.counters()}
    assert counters == set(wanted), "no series but those of SQL"


def test_the_worst_delay_of_a_step_stands(mariadb, otter, carbon, both, make_agent):
    otter.do("sample")
    make_agent(mariadb, both).once()
    rows = mariadb.query("SELECT PIPELINE_ID, UNIX_TIMESTAMP(GMT_CREATE) DIV 60 * 60, MAX(DELAY_TIME) "
                         "FROM DELAY_STAT GROUP BY 1, 2")
    assert len(rows) > 10
    for pipeline, step, delay in rows:
        path = f"otter.pipeline.{pipeline}.delay_ms"
        wait_until(lambda: carbon.points(path).get(step) == delay, f"{path} at {step} is {delay}")
