"""Agents with a planted bug: the suite must fail with each of them; otherwise the suite proves nothing."""
import dataclasses
import fnmatch
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NO_SOURCE = (".git", "build", "node_modules", "__pycache__")
FAILED = 1  # the exit code of a suite that found differences; no other exit code counts


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A mutant. `old`, which must be in `file` exactly once, becomes `new`, and `header` is put in front; or the environment differs."""

    name: str
    run: tuple  # the arguments of the suite that must fail; the chaos test gets the seed, too
    file: str = ""
    old: str = ""
    new: str = ""
    header: str = ""
    environment: dict = dataclasses.field(default_factory=dict)
    suite: str = "chaos"


MUTANTS = (
    Mutant("ID > cursor: the overlap is not read again", ("--only", "late commits*", "--only", "two masters*", "60"),
           "agent/source/append_log.c", "if (l->inside.is_there && ob_seen_ids_first_id(l->inside.chunk) < *from)", "if (0)"),
    Mutant("the batch is noted as sent after the send", ("--kills", "300"), "agent/sink/statsd.c",
           "s->delivery.sent_upto != st->batch.seq;", "s->delivery.sent_upto != st->batch.seq && !s;"),
    Mutant("batches are committed 2 ms before the checkpoint they belong to", ("--kills", "400"),
           "agent/source/outbox.c", "if (ob_outbox_put(o, o->store, first, err) || (stage",
           "if (ob_outbox_put(o, o->store, first, err) || ob_store_commit(o->store, err) || "
           "ob_stop_wait(o->stop, ob_clock_ms() + 2) || ob_store_begin(o->store, err) || (stage",
           '#include "agent/process/clock.h"\n'),
    Mutant("points that are parts of others are not accounted for", ("--only", "SIGHUP*", "30"), "agent/sink/sink.c",
           "s->counters->folded += folded;", "(void)folded;"),
    Mutant("another server is believed at once", ("--only", "two copies*", "30"), "agent/source/task.c",
           "return changed &&", "return changed == INT64_MAX &&"),
    Mutant("the audit counts the rows of a chunk", ("--only", "late rows and*", "30"), "agent/source/append_log.c",
           "&& there & ~seen_ids)", "&& __builtin_popcountll(there) > __builtin_popcountll(seen_ids))"),
    Mutant("a batch is handed over from memory under the next batch's number", ("--only", "SIGHUP*", "30"),
           "agent/store/queue.c", "struct ob_sealed_batch *const *sealed, size_t n)\n{",
           "struct ob_sealed_batch *const *sealed, size_t n)\n{\n        first++;"),
    Mutant("horizon 0", ("--only", "kill -9 of carbon", "--only", "SIGSTOP of carbon", "300"),
           environment={"OB_CHAOS_HORIZON": "0"}),
    Mutant("cluster: no fence in the transaction", ("--cluster", "--only", "SIGSTOP*", "40"), "agent/store/engine_mysql.c",
           "ob_lease_fence(c->lease, err)", "ob_copy(\"UPDATE leases SET beats = beats + 1\")"),
    Mutant("cluster: no self-fence", ("integration/test_cluster.py", "-k", "does_not_finish"), "agent/process/permit.c",
           "return !p || ob_clock_boot_ms() < p->until;", "return !p || p->until >= 0;", suite="pytest"),
    Mutant("cluster: the generation does not grow", ("--cluster", "--only", "kill -9 of the owner", "20"), "agent/store/membership.c",
           "generation = generation + 1", "generation = generation"),
    Mutant("cluster: the lease goes by the agent's clock", ("--cluster", "--only", "*clock*", "20"), "agent/store/state_session.c",
           "got = run_all(s, sql, answer, err);",
           "got = run_all(s, ob_format(\"SET timestamp = %lld; %s\", (long long)ob_clock_wall(), sql), answer, err);"),
)


def copy(folder):
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NO_SOURCE))


def change(mutant, folder):
    file = folder / mutant.file
    text = file.read_text()
    found = text.count(mutant.old)
    if found != 1:
        raise SystemExit(f"mutant \"{mutant.name}\": its text stands {found} times in {mutant.file}: bring it up to "
                         "date")
    file.write_text(mutant.header + text.replace(mutant.old, mutant.new))


def build(folder):
    """Builds only the agent; the fake Otter is that of this tree."""
    for words in ("--preset dev", "--build build/dev -j 2 --target otterbeat"):
        command = ["cmake", *words.split()]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"a mutant does not build:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return folder / "build/dev/otterbeat"


def is_found(mutant, seed, folder):
    environment = {"OB_CHAOS_PATIENCE": "30", **os.environ, **mutant.environment}
    if mutant.file:
        copy(folder)
        change(mutant, folder)
        environment["OB_PROGRAM"] = str(build(folder))
    done = subprocess.run([sys.executable, "-m", mutant.suite, *mutant.run, *((str(seed),) if mutant.suite == "chaos" else ())],
                          env=environment, capture_output=True, text=True)
    outcome = {FAILED: "found", 0: "NOT FOUND"}.get(done.returncode, f"BROKEN ({done.returncode})")
    print(f"{outcome:10} {mutant.name}", flush=True)
    for line in done.stdout.splitlines():
        if "FAILED" in line or (done.returncode != FAILED and line.strip()):
            print(f"           {line}", flush=True)
    forget_what_was_kept(done.stdout)
    if done.returncode not in (0, FAILED):
        print(done.stderr[-3000:], flush=True)
    return done.returncode == FAILED


def forget_what_was_kept(text):
    """Removes the folders that failed runs of mutants have kept."""
    for line in text.splitlines():
        if line.strip().startswith("kept: "):
            shutil.rmtree(pathlib.Path(line.strip()[6:]).parent, ignore_errors=True)


def run(wanted, folder, _):
    chosen = [m for m in MUTANTS if not wanted.only or any(fnmatch.fnmatch(m.name, p) for p in wanted.only)]
    found = [is_found(mutant, wanted.seed, folder / f"m{i}") for i, mutant in enumerate(chosen)]
    print(f"{sum(found)} passed, {len(found) - sum(found)} failed, 0 skipped", flush=True)
    return all(found)
