"""The table of faults: adding one is adding a row to one of these lists."""
from chaos.faults import clocks, database, network, processes, state, tables

FAULTS = [*processes.FAULTS, *network.FAULTS, *database.FAULTS, *tables.FAULTS, *clocks.FAULTS, *state.FAULTS]
