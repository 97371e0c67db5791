"""Time losscli against what people would write instead, whole processes, in one run.

    python -m benchmarks.run                              all, and writes docs/performance.md
    python -m benchmarks.run --rows 50000000 --case mse --kind csv --output rows --rounds 5
    python -m benchmarks.run --growth                     mse at 1 to 500 million rows
    python -m benchmarks.run … --results results.json     keeps what was measured; what is there
                                                          already is not measured again
    python -m benchmarks.run --report --results results.json   writes docs/performance.md from it

Contenders take turns, so that a slow minute of the machine hits all of them; a ratio is the median
of the ratios within a round. Values are compared before anything is timed. A library that is not
installed is left out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from benchmarks.cases import CASES, Case, write
from benchmarks.contenders import contenders
from benchmarks.report import report

#: rows at which time and memory of mse are measured beside those of all cases
GROWTH = (1_000_000, 100_000_000, 500_000_000)
#: A small process in between: the peak memory of a child counts from that of its parent.
LAUNCH = """
import json, os, subprocess, sys, time
before = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
printed = process.stdout.read().strip()
error = process.stderr.read()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - before
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([printed, seconds, cpu, usage.ru_maxrss / 1024, status, error[-500:]]))
"""


class Run(NamedTuple):
    """One process: what it printed, its wall and processor time and its peak memory."""

    printed: str
    seconds: float
    cpu: float
    mebibytes: float


def run(command: list[str]) -> Run | None:
    """Run a process and measure it; None when it fails, as some do for lack of memory."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCH, *command],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *measured, status, error = json.loads(done.stdout)
    if status:
        print(f"failed: {error}", file=sys.stderr)
        return None
    return Run(*measured)


def measure(
    commands: dict[str, list[str]], rounds: int, written: Path | None = None
) -> dict[str, Any]:
    """Medians by contender: seconds, cpu, mebibytes, and losscli's time over theirs."""
    first = {name: _valued(run(command), written) for name, command in commands.items()}
    runs = {name: [each] for name, each in first.items() if each is not None}
    _compare({name: each for name, (each,) in runs.items()})
    for _ in range(rounds - 1):
        for name in runs:
            each = run(commands[name])
            assert each is not None
            runs[name].append(each)
    own = runs["losscli"]
    return {
        name: {
            "seconds": median(r.seconds for r in each),
            "cpu": median(r.cpu for r in each),
            "mebibytes": median(r.mebibytes for r in each),
            "ratio": median(o.seconds / r.seconds for o, r in zip(own, each, strict=True)),
        }
        for name, each in runs.items()
    }


def _valued(done: Run | None, written: Path | None) -> Run | None:
    """A run that wrote the losses of rows, with their mean as what it printed."""
    if done is None or written is None:
        return done
    losses = pq.ParquetFile(written).read(["loss"])["loss"]
    return done._replace(printed=str(np.mean(losses.to_numpy(), dtype=float)))


def _compare(found: dict[str, Run]) -> None:
    """Stop when values differ. Some sum in float32, whose digits end at the seventh."""
    own = found["losscli"].printed
    for name, each in found.items():
        if each.printed and abs(float(each.printed) - float(own)) > 2e-4 * abs(float(own)):
            raise SystemExit(f"{name} gives {each.printed}, losscli {own}")


class Job(NamedTuple):
    """What is measured: a case, its rows and kind of file, and whether rows are written."""

    case: Case
    rows: int
    kind: str
    of_rows: bool
    #: the contenders, where they are not all
    only: list[str] | None = None

    @property
    def key(self) -> tuple[str, int, str, bool]:
        return self.case.name, self.rows, self.kind, self.of_rows

    def run(self, rounds: int) -> dict[str, Any]:
        """Make the data, and time the contenders on it."""
        with tempfile.TemporaryDirectory() as folder:
            paths = write(self.case, Path(folder), self.rows, self.kind)
            out = Path(folder) / "out.parquet" if self.of_rows else None
            found = measure(contenders(self.case, paths, self.kind, out, self.only), rounds, out)
        return {**dict(zip(("case", "rows", "kind", "per_row"), self.key, strict=True)),
                "found": found}  # fmt: skip


def main() -> None:
    """Measure what was asked for, and print, keep or report it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, action="append", help="rows of the data")
    parser.add_argument("--case", action="append", help="the beginning of a case's name")
    parser.add_argument("--kind", action="append", choices=["snappy", "zstd", "csv"])
    parser.add_argument(
        "--output", action="append", choices=["reduced", "rows"], help="rows: written to Parquet"
    )
    parser.add_argument("--growth", action="store_true", help="only mse by numbers of rows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, help="a JSON file to add what was measured to")
    parser.add_argument("--report", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    kept = options.results
    results = json.loads(kept.read_text()) if kept is not None and kept.exists() else []
    done = {(r["case"], r["rows"], r["kind"], r["per_row"]) for r in results}
    for job in [] if options.report else jobs(options):
        if job.key in done:
            continue
        results.append(job.run(options.rounds))
        print(json.dumps(results[-1], indent=1), flush=True)
        if kept is not None:
            kept.write_text(json.dumps(results))
    if options.report or kept is None:
        report(results)


def jobs(options: argparse.Namespace) -> list[Job]:
    """What is to be measured: every combination of what was asked for, or of all there is."""
    found = [
        Job(case, min(rows, case.rows or rows), kind, output == "rows")
        for rows in options.rows or [10, 10_000_000, 50_000_000]
        for kind in options.kind or ["snappy", "csv", "zstd"]
        for output in options.output or ["reduced", "rows"]
        for case in CASES
        if any(case.name.startswith(name) for name in options.case or [""])
        if kind in case.formats and (case.of_rows or output == "reduced")
    ]
    growing = [Job(CASES[0], rows, "snappy", False, ["polars", "duckdb"]) for rows in GROWTH]
    if options.growth:
        return growing
    everything = not any((options.rows, options.kind, options.output, options.case))
    # A case of many values a row has as many rows whatever number is asked for.
    return list({job.key: job for job in [*found, *(growing if everything else [])]}.values())


if __name__ == "__main__":
    main()
