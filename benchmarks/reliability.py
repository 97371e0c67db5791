"""Faults, done to the real command: what becomes of its outputs, its numbers and its exit codes.

    python benchmarks/reliability.py            all of it, in some ten minutes; writes a page
    python benchmarks/reliability.py --scale 0.1 --dry

Every run must end with the right number, whole outputs and code 0, or with an error in one line,
its code and no outputs at all. Whatever else happens is a violation, and the exit code is 1.
"""

import argparse
import bz2
import gzip
import lzma
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
OUTPUTS = ("csv", "parquet", "arrow", "jsonl")
#: formats whose own checksums notice a flipped bit
CHECKED = ("csv.gz", "csv.bz2", "csv.xz", "npz")
TIMEOUT = 120


@dataclass
class Report:
    """What happened, how often, and what should not have."""

    seed: int
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def see(self, what: str, outcome: str, allowed: bool, detail: str = "") -> None:
        """One run of one experiment."""
        self.counts.setdefault(what, Counter())[outcome] += 1
        if not allowed:
            self.violations.append(f"{what}: {outcome} {detail}".strip())


@dataclass
class Done:
    """How a run ended."""

    code: int
    out: bytes
    err: str

    @property
    def outcome(self) -> str:
        return f"exit {self.code}" if self.code >= 0 else signal.Signals(-self.code).name

    @property
    def clean(self) -> bool:
        """One line of error, and a hint at most."""
        lines = self.err.splitlines()
        return "Traceback" not in self.err and len(lines) <= 2


def start(folder: Path, *arguments: str, **options: object) -> "subprocess.Popen[bytes]":
    """The command, running."""
    return subprocess.Popen(
        [sys.executable, "-m", "losscli", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,  # type: ignore[call-overload]
    )


def finish(process: "subprocess.Popen[bytes]") -> Done:
    """The command when it has ended; one that hangs is ended, and told by its code."""
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += b"\nTraceback: a hang"
    return Done(process.returncode, out, err.decode(errors="replace"))


def rows_of(suffix: str, data: str = "big.parquet") -> list[str]:
    """The arguments of a long write."""
    return ["compute", "mse", "--data", f"../{data}", "--per-sample", f"r.{suffix}", "-f", "value"]


class Faults:
    """The experiments, on inputs in a folder of their own."""

    def __init__(self, folder: Path, scale: float, seed: int, rows: int) -> None:
        self.folder, self.scale = folder, scale
        self.report = Report(seed)
        self.random = random.Random(seed)
        rng = np.random.default_rng(seed)
        self.columns = {"pred": rng.normal(size=rows), "target": rng.normal(size=rows)}
        pq.write_table(pa.table(self.columns), folder / "big.parquet")
        self.value, self.whole = b"", {}
        #: how long a run takes, by what it writes
        self.seconds: dict[str, float] = {}
        for suffix in OUTPUTS:
            began = time.monotonic()
            with self.empty() as work:
                done = finish(start(work, *rows_of(suffix)))
                self.whole[suffix] = (work / f"r.{suffix}").read_bytes()
            self.seconds[suffix] = time.monotonic() - began
            self.value = done.out

    def empty(self) -> "_Folder":
        """A directory to work in, which is gone afterwards."""
        return _Folder(self.folder)

    def each(self, count: int, experiment: Callable[[int], None]) -> None:
        """An experiment so many times, two at once."""
        with ThreadPoolExecutor(2) as pool:
            for _ in pool.map(experiment, range(max(1, round(count * self.scale)))):
                pass

    def state(self, work: Path, suffix: str) -> str:
        """What is in a directory: nothing, the whole output, or something that must not be."""
        found = sorted(path.name for path in work.iterdir())
        if not found:
            return "nothing written"
        if found != [f"r.{suffix}"]:
            return f"left over {found}"
        same = (work / f"r.{suffix}").read_bytes() == self.whole[suffix]
        return "output whole" if same else "output HALF WRITTEN"

    def killed(self, turn: int) -> None:
        """kill -9 at a random moment of a long write."""
        suffix = OUTPUTS[turn % len(OUTPUTS)]
        with self.empty() as work:
            process = start(work, *rows_of(suffix))
            time.sleep(self.random.uniform(0, self.seconds[suffix]))
            process.kill()
            done, state = finish(process), self.state(work, suffix)
        allowed = state == "output whole" or (state == "nothing written" and done.code < 0)
        self.report.see("kill -9 while writing rows", f"{done.outcome}, {state}", allowed)

    def signalled(self, name: str, turn: int) -> None:
        """A signal at a random moment, sometimes twice."""
        number, suffix = getattr(signal, name), OUTPUTS[turn % len(OUTPUTS)]
        with self.empty() as work:
            process = start(work, *rows_of(suffix))
            time.sleep(self.random.uniform(0, self.seconds[suffix]))
            process.send_signal(number)
            if turn % 3 == 0 and process.poll() is None:
                process.send_signal(number)
            done, state = finish(process), self.state(work, suffix)
        outcome = f"{done.outcome}, {state}"
        if done.code in (-number, 1) and "losscli/cli" not in done.err:
            outcome, allowed = "while Python starts, nothing written", state == "nothing written"
        elif done.code == 0:
            allowed = state == "output whole" and done.err == ""
        else:
            said = "interrupted\n" if number == signal.SIGINT else ""
            allowed = done.code == 128 + number and done.err == said
            allowed = allowed and state in ("nothing written", "output whole")
        self.report.see(f"{name} while writing rows", outcome, allowed, done.err)

    def full_disk(self, turn: int) -> None:
        """A disk that is full somewhere in the output, or a limit on the size of files."""
        suffix = OUTPUTS[turn % len(OUTPUTS)]
        room = self.random.randrange(len(self.whole[suffix]) * 5 // 4)
        with self.empty() as work:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={max(4096, room)}", "none", str(work)]
            mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
            options = {} if mounted else {"preexec_fn": partial(_limit, room)}
            try:
                done = finish(start(work, *rows_of(suffix), **options))
                state = self.state(work, suffix)
            finally:
                if mounted:
                    subprocess.run(["umount", "--lazy", str(work)], check=True)
        expected = {0: "output whole", 4: "nothing written"}.get(done.code)
        kind = "a full disk (tmpfs)" if mounted else "a limit on the size of files"
        allowed = state == expected and done.clean
        self.report.see(kind, f"{done.outcome}, {state}", allowed, done.err)

    def pipe(self, turn: int) -> None:
        """A reader of rows that leaves after a random number of bytes."""
        size = self.random.randrange(1, len(self.whole["csv"]) * 5 // 4)
        arguments = ["compute", "mse", "--data", "big.parquet", "--reduction", "none", "-f", "csv"]
        process = start(self.folder, *arguments)
        assert process.stdout is not None
        head = process.stdout.read(size)
        process.stdout.close()
        process.stdout = None
        done = finish(process)
        right = self.whole["csv"].startswith(head) and done.err == ""
        # What is left when the reader goes may fit into the pipe, and is then written.
        allowed = right and done.code in (0, 141)
        self.report.see("a reader of the pipe that leaves", done.outcome, allowed, done.err)

    def vanishing(self, suffix: str, turn: int) -> None:
        """An input that is cut short, or deleted, while it is read."""
        how = ("deleted", "cut short")[turn % 2]
        with self.empty() as work:
            path = work / f"t.{suffix}"
            WRITERS[suffix](path, self.columns)
            process = start(work, "compute", "mse", "--data", path.name, "-f", "value")
            time.sleep(self.random.uniform(0, min(self.seconds.values())))
            if how == "deleted":
                path.unlink()
            else:
                os.truncate(path, self.random.randrange(path.stat().st_size))
            done = finish(process)
        right = done.code == 0 and done.out == self.value
        # What is missing at the end of a CSV cannot be seen: it is a whole one, of fewer rows.
        shorter = suffix == "csv" and how == "cut short" and done.code == 0
        allowed = right or shorter or (done.code in (3, 4) and done.clean)
        value = "" if done.code else ", the number" if right else ", of the rows left"
        self.report.see(f".{suffix} {how} while read", done.outcome + value, allowed, done.err)

    def damaged(self, suffix: str, turn: int) -> None:
        """A file that is cut short, or has a few bits flipped."""
        how = ("cut short", "bits flipped")[turn % 2]
        columns = {name: column[:300] for name, column in self.columns.items()}
        with self.empty() as work:
            path = work / f"t.{suffix}"
            WRITERS[suffix](path, columns)
            command = ("compute", "mse", "--data", path.name, "-f", "value")
            good = float(np.mean((columns["pred"] - columns["target"]) ** 2))
            data = bytearray(path.read_bytes())
            if how == "cut short":
                del data[self.random.randrange(len(data)) :]
            else:
                for _ in range(self.random.choice([1, 1, 3])):
                    # The ends of files, where footers are, are hit more often than the middle.
                    end = self.random.choice([len(data), min(len(data), 200)])
                    data[-self.random.randrange(1, end + 1)] ^= 1 << self.random.randrange(8)
            path.write_bytes(data)
            done = finish(start(work, *command))
        right = done.code == 0 and abs(float(done.out) - good) <= 1e-12
        unnoticed = how == "bits flipped" and suffix not in CHECKED and done.code == 0
        allowed = right or unnoticed or (done.code in (3, 4) and done.clean)
        value = "" if done.code else ", the number" if right else ", another number"
        self.report.see(f".{suffix}, {how}", done.outcome + value, allowed, done.err)

    def two_writers(self, turn: int) -> None:
        """Two runs that write one file at the same time, with and without --force."""
        suffix, force = OUTPUTS[turn % len(OUTPUTS)], ["--force"] * (turn % 2)
        with self.empty() as work:
            both = [start(work, *rows_of(suffix), *force) for _ in range(2)]
            done, state = [finish(process) for process in both], ""
            state = self.state(work, suffix)
        codes = sorted(each.code for each in done)
        allowed = state == "output whole" and codes == ([0, 0] if force else [0, 4])
        outcome = f"exits {codes[0]} and {codes[1]}, {state}"
        what = f"two writers of one file{', --force' if force else ''}"
        self.report.see(what, outcome, allowed, done[0].err + done[1].err)

    def run(self) -> Report:
        """All experiments."""
        self.each(200, self.killed)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            self.each(40, partial(self.signalled, name))
        self.each(40, self.full_disk)
        self.each(40, self.pipe)
        self.each(20, self.two_writers)
        for suffix in ("csv", "parquet", "arrow", "npy", "npz"):
            self.each(16, partial(self.vanishing, suffix))
        for suffix in WRITERS:
            if suffix != "csv":
                self.each(24, partial(self.damaged, suffix))
        return self.report


class _Folder(tempfile.TemporaryDirectory):  # type: ignore[type-arg]
    def __init__(self, folder: Path) -> None:
        super().__init__(dir=folder)

    def __enter__(self) -> Path:
        return Path(super().__enter__())


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _csv(path: Path, columns: dict[str, np.ndarray]) -> None:
    lists = [column.tolist() for column in columns.values()]
    lines = [",".join(columns), *(f"{a!r},{b!r}" for a, b in zip(*lists, strict=True))]
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


def _ipc(path: Path, columns: dict[str, np.ndarray]) -> None:
    table = pa.table(columns)
    new = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
    with new(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=100_000)


def _records(path: Path, columns: dict[str, np.ndarray]) -> None:
    dtype = [(name, column.dtype) for name, column in columns.items()]
    records = np.empty(len(next(iter(columns.values()))), dtype)
    for name, column in columns.items():
        records[name] = column
    np.save(path, records)


WRITERS: dict[str, Callable[[Path, dict[str, np.ndarray]], None]] = {
    "csv": _csv,
    "csv.gz": _csv,
    "csv.bz2": _csv,
    "csv.xz": _csv,
    "parquet": lambda path, columns: pq.write_table(pa.table(columns), path, row_group_size=50_000),
    "arrow": _ipc,
    "arrows": _ipc,
    "npy": _records,
    "npz": lambda path, columns: np.savez(path, **columns),
}


def page(report: Report) -> Iterator[str]:
    """The report as a document."""
    runs = sum(sum(counter.values()) for counter in report.counts.values())
    yield HEAD.format(runs=f"{runs:,}", seed=report.seed, violations=len(report.violations) or "no")
    yield "| fault | runs | what happened |\n| --- | ---: | --- |\n"
    for what, counter in report.counts.items():
        seen = "; ".join(f"{count} × {outcome}" for outcome, count in counter.most_common())
        yield f"| {what} | {sum(counter.values())} | {seen} |\n"
    yield TAIL


HEAD = """# When things go wrong

The command, run {runs} times while something was done to it: killed, its disk filled, its inputs
cut, its reader gone. There were {violations} violations of the promise that a run ends with the
right number and whole outputs, or with one line of error, its exit code and no output at all.
Made by `python benchmarks/reliability.py` (seed {seed}); a small version runs in the tests.

"""
TAIL = """
## What is promised, and how

- **Outputs have no name before they are whole.** They are written to a file without a name
  (`O_TMPFILE`) and linked into place, so that `kill -9`, too, leaves nothing. On file systems
  without such files (NFS, FAT) they are written to `.losscli.*.part` beside their place; only
  `kill -9` and power cuts leave that behind, and it can be deleted.
- **A file that appears meanwhile is not replaced** unless `--force` is given: of two writers one
  wins, and the other ends with 4.
- **Signals** are heeded once: SIGINT ends with 130 and one line, SIGTERM with 143, SIGHUP with
  129 (unless it is ignored, as under `nohup`). While Python itself starts, they end it as they
  end Python.
- **Flipped bits** are noticed where a format has checksums: gzip, bzip2, xz and `.npz`. In the
  plain pages of Parquet, Arrow and `.npy` files a flipped bit is another number, and nobody can
  tell.
- **The end of a CSV** cannot be seen: a file that is cut between two lines is a shorter file, and
  one that is cut inside of its last number ends with another number. Where rows are paired with
  another file the counts differ, which is an error.
- **Two files in one**, as `cat a.parquet b.parquet` makes them, are refused. Of Parquet files they
  go unnoticed where they have over 4 MiB and are together smaller than the values of the second
  unpacked: what its footer says is then read from the first.
- **A file that is mapped** into memory (Arrow, `.npy` in Fortran order) and cut short by another
  program while it is read ends the run with 4. One that is written over in its place meanwhile
  gives what is there when it is looked at, or ends the process: writers should rename.
- **Memory** is bounded whatever a file says of itself. Measured: a line of 10 GB without an end,
  394 MiB through a pipe, and an error after 64 MiB of it; 300 MB of blank lines in a quote that
  never closes, 371 MiB; an `.npz` of 2 MB that unpacks to 2 GiB, 76 MiB; headers of `.npy` that
  declare 2^60 values, 36 MiB.
- **Fuzzing** (`python -m tests.fuzz TARGET`, coverage-guided by atheris): 4.9 million executions:
  references 920,000, options 570,000, CSV 610,000, JSON lines 460,000, Parquet 660,000, Arrow
  500,000, `.npy` 200,000, `.npz` 400,000, compressed files 300,000, safetensors
  240,000. What it found is mended, and kept in `tests/fuzz/corpus`, which the tests replay.
"""


def main() -> None:
    """Run the experiments, and write the page unless it is a dry run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="a fraction of the runs")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--dry", action="store_true", help="print the page instead of writing it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Faults(Path(folder), given.scale, given.seed, given.rows).run()
    text = "".join(page(report))
    print(text if given.dry else f"written: {PAGE.relative_to(ROOT)}")
    if not given.dry:
        PAGE.write_text(text, encoding="utf-8")
    for violation in report.violations:
        print(f"violation: {violation}", file=sys.stderr)
    sys.exit(1 if report.violations else 0)


if __name__ == "__main__":
    main()
