"""A MariaDB that keeps the state of several agents, made by deploy/state.sql."""
import pathlib
import subprocess

import pymysql

from servers.mariadb import MariaDB

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "deploy/state.sql"
USER, PASSWORD = "otterbeat_agent", "change-me-2"


class State(MariaDB):
    """A kill of this server loses no commit."""

    def __init__(self, folder, template, server_id=9, options=(), **address):
        super().__init__(folder, template, server_id, ("--innodb-flush-log-at-trx-commit=2", *options), **address)

    def install(self, before=""):
        """Runs the script; with `before` only up to the last such text, as if it had been interrupted."""
        script = SCHEMA.read_text()
        subprocess.run(["mariadb", "-uroot", f"--socket={self.socket}"], check=True, text=True,
                       input=script[:script.rindex(before)] if before else script)

    def ask(self, sql, *args):
        return self.query(sql, *args, database="otterbeat")

    def cut_off(self):
        """Ends each session of each agent."""
        for session, in self.ask("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s", USER):
            try:
                self.ask(f"KILL {session}")
            except pymysql.Error:  # it has ended by itself
                pass

    def leases(self):
        """Returns the owner and the generation of each manager."""
        return {manager: (owner, generation) for manager, owner, generation in self.ask(
            "SELECT CONVERT(manager USING utf8mb4), CONVERT(owner USING utf8mb4), generation FROM leases")}

    def lease(self):
        """Returns the owner and the generation of the one manager."""
        return self.leases().get("", ("", 0))

    def renewals(self):
        """Returns how often the lease was taken and renewed."""
        return self.ask("SELECT CAST(SUM(beats) AS SIGNED) FROM leases")[0][0]

    def settings(self, agent, lease, hosts=("127.0.0.1",), port=None):
        return {"mysql": {"hosts": hosts, "port": port or self.port, "user": USER, "password": PASSWORD},
                "lease": lease, "agent": agent}
