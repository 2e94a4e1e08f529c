"""The table of faults. A new fault is a new row in one of these lists."""
from chaos.faults import clocks, database, network, processes, state, tables

FAULTS = [*processes.FAULTS, *network.FAULTS, *database.FAULTS, *tables.FAULTS, *clocks.FAULTS, *state.FAULTS]
