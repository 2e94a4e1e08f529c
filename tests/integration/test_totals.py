"""TABLE_STAT: rows that change in place, rows that are created again, and two rows for one key."""
from servers.process import wait_until

INSERT = ("INSERT INTO TABLE_STAT (ID, PIPELINE_ID, DATA_MEDIA_PAIR_ID, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, "
          "FILE_COUNT, FILE_SIZE, GMT_CREATE, GMT_MODIFIED) VALUES (%s, 7, 9, %s, 0, 0, 0, 0, NOW() - INTERVAL {} "
          "SECOND, NOW())")
SERIES = "otter.pipeline.7.pair.9.table.inserts"


def insert(server, row, total, age=0):
    server.query(INSERT.format(age), row, total)


def add(server, more, where="1 = 1"):
    server.query(f"UPDATE TABLE_STAT SET INSERT_COUNT = INSERT_COUNT + {more}, GMT_MODIFIED = NOW() WHERE {where}")


def test_differences(mariadb, otter, statsd, both, make_agent):
    insert(mariadb, 5, 100)
    agent = make_agent(mariadb, both)
    agent.once()
    statsd.wait_for({SERIES: 100})
    for n in (1, 2):
        add(mariadb, 10)
        agent.once()
        statsd.wait_for({SERIES: 100 + n * 10})


def test_the_first_sight_of_an_old_row_is_the_baseline(mariadb, otter, statsd, both, make_agent):
    insert(mariadb, 5, 100, age=3600)
    agent = make_agent(mariadb, both, sources={"table": {"start": "now"}})
    agent.once()
    add(mariadb, 3)
    agent.once()
    statsd.wait_for({SERIES: 3})


def test_a_row_made_after_the_first_start_counts_whole(mariadb, otter, statsd, both, make_agent):
    agent = make_agent(mariadb, both, sources={"table": {"start": "now"}})
    agent.once()
    insert(mariadb, 5, 100)
    agent.once()
    statsd.wait_for({SERIES: 100})


def test_two_rows_of_one_key_count_as_one(mariadb, otter, statsd, both, make_agent):
    """Both rows get every later amount, so only the row with the lowest id is tracked."""
    insert(mariadb, 5, 100)
    insert(mariadb, 6, 100)
    agent = make_agent(mariadb, both)
    agent.once()
    statsd.wait_for({SERIES: 100})
    add(mariadb, 10)
    agent.once()
    statsd.wait_for({SERIES: 110})
    insert(mariadb, 3, 500, age=60)
    agent.once()
    statsd.wait_for({SERIES: 110})


def test_a_smaller_total_is_a_reset(mariadb, otter, statsd, both, make_agent):
    insert(mariadb, 5, 100)
    agent = make_agent(mariadb, both)
    agent.once()
    mariadb.query("UPDATE TABLE_STAT SET INSERT_COUNT = 4")
    agent.once()
    add(mariadb, 5)
    agent.once()
    statsd.wait_for({SERIES: 105})
    assert "event=reset" in agent.log()


def test_a_table_that_was_emptied_begins_anew(mariadb, otter, statsd, both, make_agent):
    insert(mariadb, 1, 100, age=60)
    agent = make_agent(mariadb, both)
    agent.once()
    mariadb.query("TRUNCATE TABLE_STAT")
    agent.once()
    insert(mariadb, 1, 30)
    agent.once()
    statsd.wait_for({SERIES: 130})


def test_a_row_that_takes_the_place_of_the_followed_one(mariadb, otter, statsd, both, make_agent):
    """An older row gives a new baseline, because the counted part of it is unknown."""
    insert(mariadb, 5, 100, age=60)
    insert(mariadb, 6, 90, age=60)
    agent = make_agent(mariadb, both).start()
    statsd.wait_for({SERIES: 100})
    mariadb.query("DELETE FROM TABLE_STAT WHERE ID = 5")
    agent.wait_for_log("event=reset")
    add(mariadb, 7)
    statsd.wait_for({SERIES: 107})
    wait_until(lambda: statsd.counters()[SERIES] == 107, "it stays")
