"""Rows and tables that are not as they should be: what is sound is counted, the rest is told."""
import pytest

LOG_ROW = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES (%s, %s, %s, 'x', NOW() - INTERVAL 1 MINUTE, NOW() - INTERVAL 1 MINUTE)")
FLOW = "INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) VALUES "
PAST = "NOW() - INTERVAL 1 MINUTE"


def assert_unsound(agent, *said):
    """--once does not call it a success; the log says which; the next run has nothing to say."""
    done = agent.run("--once")
    assert done.returncode == 69, done.stderr
    for text in said:
        assert text in done.stderr, done.stderr


@pytest.mark.parametrize("title, node", [
    ("a\nb", "a_b"), ("a|b:c@d#e;f", "a_b_c_d_e_f"), ("a.b", "a_b"), ("延迟", "______"), ("  ", "__"),
    (None, "none"), ("-1", "none"), ("UPPER", "upper"),
])
def test_any_text_is_one_node_of_a_path(mariadb, otter, carbon, statsd, both, make_agent, title, node):
    mariadb.query("ALTER TABLE LOG_RECORD MODIFY TITLE VARCHAR(100) NULL")
    mariadb.query(LOG_ROW, "1", "4", title)
    make_agent(mariadb, both).once()
    wanted = {f"otter.pipeline.4.title.{node}.log.records": 1}
    statsd.wait_for(wanted)
    carbon.wait_for(wanted)


def test_bytes_that_are_no_utf8(mariadb, otter, statsd, both, make_agent):
    mariadb.query("ALTER TABLE LOG_RECORD MODIFY TITLE VARBINARY(100)")
    mariadb.query(LOG_ROW, "1", "4", b"a\xff\x00b")
    make_agent(mariadb, both).once()
    statsd.wait_for({"otter.pipeline.4.title.a__b.log.records": 1})


def test_numbers_at_the_ends(mariadb, otter, statsd, carbon, both, make_agent):
    mariadb.query("ALTER TABLE THROUGHPUT_STAT MODIFY NUMBER BIGINT UNSIGNED, MODIFY SIZE BIGINT")
    mariadb.query(FLOW + f"(1, 'ROW', 18446744073709551615, -9223372036854775808, {PAST}, {PAST}), "
                  f"(1, 'ROW', 1, 9223372036854775807, {PAST}, {PAST})")
    make_agent(mariadb, both).once()
    wanted = {"otter.pipeline.1.type.row.throughput.count": 18446744073709551616,
              "otter.pipeline.1.type.row.throughput.bytes": -1}
    carbon.wait_for(wanted)


def test_null_and_zero_date_are_told_and_the_rest_is_counted(mariadb, otter, statsd, both, make_agent):
    mariadb.query("ALTER TABLE THROUGHPUT_STAT MODIFY NUMBER BIGINT NULL")
    connection = mariadb.connect("otter")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute(FLOW + f"(1, 'ROW', NULL, 5, {PAST}, {PAST})")
        cursor.execute(FLOW + f"(1, 'ROW', 2, 7, '0000-00-00', {PAST})")
        cursor.execute(FLOW + f"(1, 'ROW', 3, 9, {PAST}, {PAST})")
    agent = make_agent(mariadb, both)
    assert_unsound(agent, "event=bad_cell table=THROUGHPUT_STAT column=NUMBER id=1", 'why="NULL"')
    wanted = {"otter.pipeline.1.type.row.throughput.count": 5, "otter.pipeline.1.type.row.throughput.bytes": 21}
    statsd.wait_for(wanted)
    agent.once()
    statsd.wait_for(wanted)


def test_a_column_of_another_type(mariadb, otter, statsd, both, make_agent):
    mariadb.query("ALTER TABLE THROUGHPUT_STAT MODIFY NUMBER VARCHAR(30)")
    mariadb.query(FLOW + f"(1, 'ROW', 'many', 5, {PAST}, {PAST}), (1, 'ROW', '12', 7, {PAST}, {PAST})")
    assert_unsound(make_agent(mariadb, both), "column=NUMBER id=1", 'why="no number"')
    statsd.wait_for({"otter.pipeline.1.type.row.throughput.count": 12,
                     "otter.pipeline.1.type.row.throughput.bytes": 12})


def test_a_column_that_is_missing_costs_its_metric_only(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    wanted = {name: value for name, value in otter.sums().items() if not name.endswith("throughput.bytes")}
    mariadb.query("ALTER TABLE THROUGHPUT_STAT DROP COLUMN SIZE")
    assert_unsound(make_agent(mariadb, both), "source=throughput event=columns_missing", 'columns="SIZE"')
    statsd.wait_for(wanted)


@pytest.mark.parametrize("change, said", [
    ("DROP TABLE THROUGHPUT_STAT", "there is no table THROUGHPUT_STAT"),
    ("ALTER TABLE THROUGHPUT_STAT DROP COLUMN TYPE", "table THROUGHPUT_STAT has no column TYPE"),
    ("ALTER TABLE THROUGHPUT_STAT MODIFY ID VARCHAR(20)", "column ID is the cursor but no whole number"),
])
def test_a_table_that_can_not_be_read_costs_that_source_only(mariadb, otter, statsd, both, make_agent, change, said):
    otter.do("sample")
    wanted = {name: value for name, value in otter.sums().items() if ".throughput." not in name}
    mariadb.query(change)
    assert_unsound(make_agent(mariadb, both), "source=throughput event=poll_failed", said)
    statsd.wait_for(wanted)


def test_a_table_that_comes_back_is_read(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    wanted = otter.sums()
    mariadb.query("RENAME TABLE THROUGHPUT_STAT TO ELSEWHERE")
    agent = make_agent(mariadb, both).start()
    agent.wait_for_log("source=throughput event=poll_failed")
    mariadb.query("RENAME TABLE ELSEWHERE TO THROUGHPUT_STAT")
    agent.wait_for_log("source=throughput event=poll_recovered")
    statsd.wait_for(wanted)


def test_a_large_table_without_an_index_is_refused_with_what_would_help(mariadb, otter, statsd, both, make_agent):
    otter.do("history", "--rows", 60000, "--table", "LOG_RECORD")
    mariadb.query("ALTER TABLE LOG_RECORD MODIFY ID BIGINT NOT NULL, DROP PRIMARY KEY")
    mariadb.query("ANALYZE TABLE LOG_RECORD")
    assert_unsound(make_agent(mariadb, both), "no index leads with ID", "ADD INDEX (`ID`)")
