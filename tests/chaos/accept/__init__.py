"""The acceptance list: each promise is a case with figures."""
from chaos.accept import case, graphite, late, process

CASES = [*late.CASES, *graphite.CASES, *process.CASES]


def run_named(name, *rest):
    return case.run(next(one for one in CASES if one.name == name), *rest)
