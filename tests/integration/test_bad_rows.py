"""Wrong rows and wrong tables: good rows are counted, and wrong rows are logged."""
import pytest

LOG_ROW = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES (%s, %s, %s, 'x', NOW() - INTERVAL 1 MINUTE, NOW() - INTERVAL 1 MINUTE)")
FLOW = "INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) VALUES "
PAST = "NOW() - INTERVAL 1 MINUTE"
TOP = (1 << 63) - 1


def assert_unsound(agent, *said):
    """--once does not succeed, the log names the row, and the next run logs nothing."""
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


def test_numbers_beyond_64_bits_are_clamped_and_logged_with_their_row(mariadb, otter, statsd, carbon, both, make_agent):
    """The rest of the rows is exact; what a BIGINT UNSIGNED or a DECIMAL has beyond 2^63-1 is 2^63-1, and never wraps."""
    mariadb.query("ALTER TABLE THROUGHPUT_STAT MODIFY NUMBER BIGINT UNSIGNED, MODIFY SIZE DECIMAL(40, 2)")
    mariadb.query(FLOW + f"(1, 'ROW', 1, 9223372036854775807, {PAST}, {PAST}), "
                  f"(2, 'ROW', 18446744073709551615, -9223372036854775808, {PAST}, {PAST}), "
                  f"(3, 'ROW', 7, 10000000000000000000000000000000000000, {PAST}, {PAST})")
    agent = make_agent(mariadb, both)
    lines = agent.run("--dry-run", "--once").stdout.splitlines()
    for pipeline, name, value in ((1, "bytes", TOP), (2, "count", TOP), (2, "bytes", -TOP - 1), (3, "bytes", TOP)):
        assert f"statsd otter.pipeline.{pipeline}.type.row.throughput.{name}:{value}|c" in lines
    assert_unsound(agent,
                   "source=throughput event=clamped table=THROUGHPUT_STAT column=NUMBER id=2 times=1")
    wanted = {"otter.pipeline.1.type.row.throughput.count": 1,
              "otter.pipeline.1.type.row.throughput.bytes": float(TOP),  # both servers have doubles
              "otter.pipeline.2.type.row.throughput.count": float(TOP),
              "otter.pipeline.2.type.row.throughput.bytes": -float(TOP),
              "otter.pipeline.3.type.row.throughput.count": 7,
              "otter.pipeline.3.type.row.throughput.bytes": float(TOP)}
    carbon.wait_for(wanted)
    statsd.wait_for(wanted)


def test_a_decimal_beyond_64_bits_is_logged_with_its_column(mariadb, otter, both, make_agent):
    mariadb.query("ALTER TABLE THROUGHPUT_STAT MODIFY SIZE DECIMAL(40, 2)")
    mariadb.query(FLOW + f"(1, 'ROW', 1, -9223372036854775809, {PAST}, {PAST})")
    assert_unsound(make_agent(mariadb, both), "event=clamped table=THROUGHPUT_STAT column=SIZE id=1 times=1")


def test_a_total_of_a_gauge_that_is_a_counter_is_clamped_and_logged(mariadb, otter, make_agent, statsd):
    mariadb.query(FLOW + f"(1, 'ROW', 1, {TOP}, {PAST}, {PAST}), (1, 'ROW', 2, 1, {PAST}, {PAST})")
    agent = make_agent(mariadb, [{"type": "statsd", "port": statsd.port, "counters": "gauge"}])
    agent.once()
    assert "event=clamped series=pipeline.1.type.row.throughput.bytes.total times=1" in agent.log()


def test_a_sum_beyond_64_bits_is_clamped_and_logged_with_its_series(mariadb, otter, carbon, both, make_agent):
    mariadb.query(FLOW + f"(1, 'ROW', 1, {TOP}, {PAST}, {PAST}), (1, 'ROW', 2, 1, {PAST}, {PAST})")
    agent = make_agent(mariadb, both)
    agent.once()
    carbon.wait_for({"otter.pipeline.1.type.row.throughput.count": 3,
                     "otter.pipeline.1.type.row.throughput.bytes": float(TOP)})
    assert "event=clamped series=otter.pipeline.1.type.row.throughput.bytes times=1" in agent.log()


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


UNSIGNED = ["LOG_RECORD", "THROUGHPUT_STAT", "TABLE_STAT"]


@pytest.mark.parametrize("table", UNSIGNED)
def test_an_id_above_two_to_the_63_costs_its_row_only(mariadb, otter, statsd, both, make_agent, table):
    """The log names the row's id. Rows before this row, after this row, and late rows are counted."""
    columns = {"LOG_RECORD": ("CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE", "'1', {}, 'T', 'x'", "title.t.log.records"),
               "THROUGHPUT_STAT": ("PIPELINE_ID, TYPE, NUMBER, SIZE", "{}, 'ROW', 1, 1", "type.row.throughput.count"),
               "TABLE_STAT": ("PIPELINE_ID, DATA_MEDIA_PAIR_ID, FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, "
                              "DELETE_COUNT", "{}, 1, 0, 0, 1, 0, 0", "pair.1.table.inserts")}
    names, values, series = columns[table]

    def insert(row, pipeline):
        mariadb.query(f"INSERT INTO {table} (ID, {names}, GMT_CREATE, GMT_MODIFIED) "
                      f"VALUES ({row}, {values.format(pipeline)}, {PAST}, {PAST})")

    mariadb.query(f"ALTER TABLE {table} MODIFY ID BIGINT UNSIGNED NOT NULL")
    insert(5, 1)
    insert((1 << 63) + 7, 2)
    insert((1 << 64) - 1, 2)
    source = {"LOG_RECORD": "log", "THROUGHPUT_STAT": "throughput", "TABLE_STAT": "table"}[table]
    agent = make_agent(mariadb, both, sources={source: {"batch": 2}})
    assert_unsound(agent, f"event=bad_cell table={table} column=ID id={(1 << 63) + 7}")
    insert(3, 3)
    insert((1 << 63) - 2, 4)
    agent.run("--once")
    insert(4, 5)
    agent.run("--once")
    statsd.wait_for({f"otter.pipeline.{pipeline}.{series}": 1 for pipeline in (1, 3, 4, 5)})
    assert f"otter.pipeline.2.{series}" not in statsd.counters()
    assert "poll_failed" not in agent.log()
