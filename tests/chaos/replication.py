"""Real replication between two databases, which a test can pause."""
import pymysql

from servers.process import wait_until

OPTIONS = ("--log-bin=log", "--binlog-format=ROW", "--sync-binlog=0", "--slave-skip-errors=OFF")
USER = "copy"


def run_sql(server, sql):
    server.query(sql, database=None)


def follow(replica, master, delay=0):
    """Follows the master, from its next change on."""
    file, position = master.query("SHOW MASTER STATUS", database=None)[0][:2]
    run_sql(master, f"CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY '{USER}'")
    run_sql(master, f"GRANT REPLICATION SLAVE ON *.* TO {USER}@'127.0.0.1'")
    run_sql(replica, "STOP SLAVE")
    run_sql(replica,
         f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={master.port}, MASTER_USER='{USER}', "
         f"MASTER_PASSWORD='{USER}', MASTER_LOG_FILE='{file}', MASTER_LOG_POS={position}, MASTER_DELAY={delay}, "
         "MASTER_CONNECT_RETRY=1")
    run_sql(replica, "START SLAVE")


def pause(replica):
    run_sql(replica, "STOP SLAVE SQL_THREAD")


def resume(replica):
    run_sql(replica, "START SLAVE SQL_THREAD")


def leave(replica):
    """Stops following: from now on this server is a master itself."""
    run_sql(replica, "STOP SLAVE")
    run_sql(replica, "RESET SLAVE ALL")


def standing(replica):
    with replica.connect(None) as connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SHOW SLAVE STATUS")
        return cursor.fetchone()


def wait(replica, master):
    """Waits until the replica has all rows of the master."""
    file, position = master.query("SHOW MASTER STATUS", database=None)[0][:2]

    def is_there():
        now = standing(replica)
        assert not now["Last_SQL_Error"], now["Last_SQL_Error"]
        return (now["Relay_Master_Log_File"], now["Exec_Master_Log_Pos"]) == (file, position)

    wait_until(is_there, "the replica has all", 90, 0.2)
