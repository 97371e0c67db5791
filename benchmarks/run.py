"""Time losscli against what people would write instead, whole processes, in one run.

    python benchmarks/run.py                       10 rows and 10 million, Parquet and CSV
    python benchmarks/run.py --rows 1000000 --rounds 5 --output docs/performance.md

Every contender is a process of its own that reads the files and prints the mean. Contenders take
turns, so that a slow minute of the machine hits all of them; a ratio is the median of the ratios
within a round. The values are compared before anything is timed. A library that is not installed
is left out.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

READ = {
    "parquet": "p = pd.read_parquet(a)['pred']; t = pd.read_parquet(b)['target']",
    "csv": "p = pd.read_csv(a)['pred']; t = pd.read_csv(b)['target']",
}
NUMPY = {
    "mse": "np.square(p - t).mean()",
    "hinge-embedding": "np.where(t > 0, p, np.maximum(0, 1 - p)).mean()",
    "binary-cross-entropy": "(np.logaddexp(0, p) - p * t).mean()",
}
TORCH = {
    "mse": "F.mse_loss(p, t)",
    "hinge-embedding": "F.hinge_embedding_loss(p, t)",
    "binary-cross-entropy": "F.binary_cross_entropy_with_logits(p, t)",
}
POLARS = {
    "mse": "((pl.col('pred') - pl.col('target')) ** 2).mean()",
    "hinge-embedding": "pl.when(pl.col('target') > 0).then(pl.col('pred'))"
    ".otherwise(pl.max_horizontal(1 - pl.col('pred'), pl.lit(0.0))).mean()",
    "binary-cross-entropy": "(pl.max_horizontal(pl.col('pred'), pl.lit(0.0)) "
    "- pl.col('pred') * pl.col('target') + (-pl.col('pred').abs()).exp().log1p()).mean()",
}
DECODE = {
    "parquet": "[sum(1 for _ in pq.ParquetFile(f, pre_buffer=False, buffer_size=1 << 18)"
    ".iter_batches(65536, use_threads=False)) for f in (a, b)]",
    "csv": "[pc.read_csv(f).num_rows for f in (a, b)]",
}
OPTIONS = {"binary-cross-entropy": ["--input", "logits"]}


class Run(NamedTuple):
    """One process: what it printed, its wall time and its peak memory."""

    printed: str
    seconds: float
    mebibytes: float


def contenders(loss: str, suffix: str, a: Path, b: Path) -> dict[str, list[str]]:
    """The commands that compute a loss of two files."""
    head = f"a, b = {str(a)!r}, {str(b)!r}"
    both = f"import numpy as np, pandas as pd; {head}; {READ[suffix]}"
    torch = (
        f"import torch, pandas as pd; import torch.nn.functional as F; {head}; {READ[suffix]}; "
        "p, t = (torch.from_numpy(x.to_numpy(float)) for x in (p, t))"
    )
    scan = f"pl.scan_{suffix}"
    scripts = {
        "pandas + numpy": f"{both}; print({NUMPY[loss]})",
        "pandas + torch": f"{torch}; print({TORCH[loss]}.item())",
        "polars": f"import polars as pl; {head}; f = pl.concat([{scan}(a).select('pred'), "
        f"{scan}(b).select('target')], how='horizontal'); "
        f"print(f.select({POLARS[loss]}).collect(engine='streaming').item())",
        "decode alone": "import numpy, pyarrow.parquet as pq, pyarrow.csv as pc; "
        f"{head}; {DECODE[suffix]}; print('')",
    }
    command = [sys.executable, "-m", "losscli", "compute", loss, "--pred", f"{a}#pred"]
    command += ["--target", f"{b}#target", "--format", "value", *OPTIONS.get(loss, [])]
    found = {"losscli": command}
    for name, script in scripts.items():
        library = name.rsplit(" ", 1)[-1]
        if library in ("alone", "numpy") or importlib.util.find_spec(library):
            found[name] = [sys.executable, "-W", "ignore", "-c", script]
    return found


#: A small process in between: the peak memory of a child counts from that of its parent.
LAUNCH = """
import json, os, subprocess, sys, time
before = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
printed = process.stdout.read().strip()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - before
print(json.dumps([printed, seconds, usage.ru_maxrss / 1024, status]))
"""


def run(command: list[str]) -> Run:
    """Run a process and measure it."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCH, *command],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    printed, seconds, mebibytes, status = json.loads(done.stdout)
    if status:
        raise SystemExit(f"{command} failed")
    return Run(printed, seconds, mebibytes)


def write(folder: Path, loss: str, rows: int, suffix: str) -> tuple[Path, Path]:
    """Random predictions and targets of a loss, float32, in two files."""
    rng = np.random.default_rng(0)
    pred = rng.normal(size=rows).astype(np.float32)
    labels = {"mse": None, "hinge-embedding": [-1.0, 1.0], "binary-cross-entropy": [0.0, 1.0]}[loss]
    target = rng.normal(size=rows) if labels is None else rng.choice(labels, rows)
    tables = {"pred": pred, "target": target.astype(np.float32)}
    paths = []
    for name, values in tables.items():
        path = folder / f"{loss}-{rows}-{name}.{suffix}"
        table = pa.table({name: values})
        if suffix == "csv":
            pyarrow.csv.write_csv(table, path)
        else:
            pq.write_table(table, path)
        path.read_bytes()  # into the page cache
        paths.append(path)
    return paths[0], paths[1]


def compare(commands: dict[str, list[str]], rounds: int) -> list[str]:
    """Lines of the table: seconds, peak memory, and the ratio to losscli within a round."""
    first = {name: run(command) for name, command in commands.items()}
    reference = float(first["losscli"].printed)
    for name, result in first.items():
        # Some sum in float32, whose digits end at the seventh.
        if result.printed and abs(float(result.printed) - reference) > 1e-5 * abs(reference):
            raise SystemExit(f"{name} gives {result.printed}, losscli {reference}")
    times: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(run(command))
    lines = []
    for name, runs in times.items():
        ratios = [r.seconds / own.seconds for r, own in zip(runs, times["losscli"], strict=True)]
        seconds = statistics.median(r.seconds for r in runs)
        memory = statistics.median(r.mebibytes for r in runs)
        ratio = statistics.median(ratios)
        lines.append(f"| {name} | {seconds:.2f} | {memory:.0f} | {ratio:.2f} |")
    return lines


def main() -> None:
    """Run the benchmark and print, or write, its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    versions = {m: __import__(m).__version__ for m in ("numpy", "pyarrow", "pandas")}
    about = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        "# Performance\n",
        "Whole processes, files in the page cache, medians; the last column is the time divided by "
        "losscli's in the same round.\nWritten by `python benchmarks/run.py`.\n",
        f"Python {platform.python_version()}, {about}; {os.cpu_count()} cores.\n",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows or [10, 10_000_000]:
            for suffix in ("parquet", "csv"):
                for loss in NUMPY:
                    a, b = write(Path(folder), loss, rows, suffix)
                    lines = compare(contenders(loss, suffix, a, b), options.rounds)
                    header = f"| {loss}, {rows:,} rows, {suffix} | s | MiB | ÷ losscli |"
                    parts.append("\n".join([header, "| --- | --: | --: | --: |", *lines]) + "\n")
                    print(parts[-1], flush=True)
                    a.unlink()
                    b.unlink()
    if options.output is not None:
        options.output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
