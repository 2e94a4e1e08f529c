"""Several worlds at once: each world is a process, and takes the next round from the list."""
import multiprocessing
import queue
import signal

from chaos import namespace
from chaos.fault import Row
from servers.process import die_with_parent

FORK = multiprocessing.get_context("fork")


def work(tasks, results):
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the parent ends this process
    permitted = namespace.enter()
    while True:
        task = tasks.get()
        if task is None:
            return
        name, needs, act, words = task
        missing = sorted(set(needs) - permitted)
        if missing:
            results.put(Row(name, outcome=f"skipped: not permitted, or not there: {' '.join(missing)}"))
            continue
        results.put(act(*words))


def share_out(tasks, crew):
    """`tasks`: (name, needs, function, arguments), the longest task first. Yields each row when it is ready."""
    todo, done, given = FORK.Queue(), FORK.Queue(), []
    for task in [*tasks, *[None] * crew]:
        todo.put(task)
    workers = [FORK.Process(target=work, args=(todo, done)) for _ in range(crew)]
    for worker in workers:
        worker.start()
    try:
        for _ in tasks:
            given.append(next_row(done, workers))
            yield given[-1]
    finally:
        for worker in workers:  # a worker that still runs is killed, and its servers end with it
            worker.join(5 if len(given) == len(tasks) else 0)
            worker.kill()
            worker.join()


def next_row(done, workers):
    while True:
        try:
            return done.get(timeout=1)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                raise RuntimeError("a world ended by itself") from None
