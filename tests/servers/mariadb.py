"""A private MariaDB on loopback, with a data folder and a folder for temporary tables of its own: two servers that share a
folder would delete each other's tables."""
import getpass
import os
import pathlib
import shutil
import subprocess

import pymysql

from servers.process import Process, free_port

USER, PASSWORD = "otterbeat", "a-Secret-of-tests"
GRANTS = pathlib.Path(__file__).resolve().parents[2] / "deploy/grants.sql"


def make_template(folder):
    """Creates the data folder of a fresh installation; copying this folder is faster than another installation."""
    temporary = folder.parent / "tmp"
    temporary.mkdir()
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", "--force", f"--datadir={folder}", "--skip-test-db",
         "--auth-root-authentication-method=normal", f"--user={getpass.getuser()}"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(temporary)})


class MariaDB:
    def __init__(self, folder, template, server_id=1, options=(), address="127.0.0.1", port=None):
        self.port, self.socket = port or free_port(), folder / "mysql.sock"
        shutil.copytree(template, folder / "data")
        (folder / "tmp").mkdir(exist_ok=True)
        self.process = Process("mariadb", folder, [
            "mariadbd", "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={folder}/data",
            f"--tmpdir={folder}/tmp", f"--socket={self.socket}", f"--bind-address={address}", f"--port={self.port}", f"--server-id={server_id}",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--skip-log-bin",
            "--performance-schema=OFF", *options])

    def start(self):
        self.process.start(self._answers)
        return self

    def _answers(self):
        try:
            self.connect(None).close()
        except pymysql.Error:
            return False
        return True

    def connect(self, database):
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=database, autocommit=True,
                               charset="utf8mb4")

    def query(self, sql, *args, database="otter"):
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            return cursor.fetchall()

    def make_user(self, grant="SELECT ON otter.*", hosts=("127.0.0.1", "localhost")):
        for host in hosts:
            self.query(f"CREATE OR REPLACE USER {USER}@'{host}' IDENTIFIED BY '{PASSWORD}'", database=None)
            self.query(f"GRANT {grant} TO {USER}@'{host}'", database=None)

    def grant_as_we_say(self):
        """Creates the user with deploy/grants.sql and the tests' password, and removes all other users of that name."""
        self.query(f"DROP USER IF EXISTS {USER}@localhost, {USER}@'127.0.0.1'", database=None)
        self.run_grants()

    def run_grants(self):
        subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "otter"], check=True,
                       input=GRANTS.read_text("utf-8").replace("change-me", PASSWORD), text=True)

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop(60)
