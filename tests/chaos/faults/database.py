"""A database that runs and does not answer as it should."""
import pymysql

from chaos import ledger
from chaos.fault import Fault
from servers.mariadb import PASSWORD, USER

CONNECTIONS = 20
OF_AGENT = f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{USER}'"


def kills(what):
    """Returns an `apply` that kills the agent's connections or their queries."""
    def apply(world, _):
        for (number,) in world.database.query(OF_AGENT, database=None):
            try:
                world.database.query(f"KILL {what} {number}", database=None)
            except pymysql.Error:  # the connection has ended meanwhile
                pass
    return apply


def kill_queries_for_a_while(world, _):
    """Kills queries again and again, because a connection is mostly idle."""
    for _ in range(25):
        kills("QUERY")(world, _)


def take_all_connections(world, _):
    world.crowd = [world.database.connect(None)]
    with world.crowd[0].cursor() as cursor:
        cursor.execute(f"SET GLOBAL max_connections = {CONNECTIONS}")
        crowd(world)
        cursor.execute(OF_AGENT)
        for (number,) in cursor.fetchall():
            try:
                cursor.execute(f"KILL {number}")
            except pymysql.Error:
                pass
    crowd(world)


def crowd(world):
    try:
        while True:
            world.crowd.append(pymysql.connect(host="127.0.0.1", port=world.database.port, user=USER,
                                               password=PASSWORD))
    except pymysql.Error:
        pass


def let_go(world):
    with world.crowd[0].cursor() as cursor:
        cursor.execute("SET GLOBAL max_connections = 151")
    for connection in world.crowd:
        connection.close()


def lock(world, chance):
    world.lock = world.database.connect("otter")
    world.lock.cursor().execute(f"LOCK TABLES {chance.choice((*ledger.TABLES, 'TABLE_STAT'))} WRITE")


def unlock(world):
    world.lock.close()


def alter(world, chance):
    table = chance.choice((*ledger.TABLES, "TABLE_STAT"))
    for what in ("ADD COLUMN EXTRA bigint DEFAULT 7 FIRST", "FORCE, ALGORITHM=COPY", "DROP COLUMN EXTRA",
                 "ADD KEY idx_extra (GMT_MODIFIED)", "DROP KEY idx_extra"):
        world.database.query(f"ALTER TABLE {table} {what}")


def rename(world, chance):
    world.renamed = chance.choice((*ledger.TABLES, "TABLE_STAT"))
    world.database.query(f"RENAME TABLE {world.renamed} TO AWAY")


def rename_back(world):
    world.database.query(f"RENAME TABLE AWAY TO {world.renamed}")


FAULTS = [
    Fault("KILL CONNECTION of the agent's", kills("CONNECTION"), lasts=(0, 0.5)),
    Fault("KILL QUERY of the agent's", kill_queries_for_a_while, lasts=(0, 0.5)),
    Fault("Too many connections", take_all_connections, let_go, lasts=(0.5, 3)),
    Fault("LOCK TABLES longer than query_timeout", lock, unlock, lasts=(2.5, 4.5)),
    Fault("ALTER TABLE under the agent", alter, lasts=(0, 0.5)),
    Fault("RENAME TABLE away and back", rename, rename_back, lasts=(0.5, 3)),
]
