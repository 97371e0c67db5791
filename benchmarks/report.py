"""What was measured, as docs/performance.md, its plot, and docs/measurements.md."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"
LIBRARIES = ("numpy", "pyarrow", "pandas", "polars", "duckdb", "torch", "scikit-learn")

#: what we aim at, as losscli's time over another's: case, rows, kind, rows written, contender, ≤
TARGETS = [
    ("mse", 10_000_000, "snappy", False, "decode alone", 1.0),
    ("mse", 50_000_000, "snappy", False, "decode alone", 1.2),
    ("mse", 10_000_000, "snappy", False, "polars", 0.80),
    ("hinge-embedding", 10_000_000, "snappy", False, "polars", 0.75),
    ("binary-cross-entropy", 10_000_000, "snappy", False, "polars", 0.70),
    ("mse", 50_000_000, "snappy", False, "polars", 1.0),
    ("hinge-embedding", 50_000_000, "snappy", False, "polars", 0.80),
    ("binary-cross-entropy", 50_000_000, "snappy", False, "polars", 0.70),
    ("mse", 10_000_000, "csv", False, "polars", 1.0),
    ("mse", 10_000_000, "csv", False, "decode alone", 1.0),
    ("mse", 10_000_000, "snappy", False, "pandas + torch", 0.1),
    ("mse", 10_000_000, "csv", False, "pandas + torch", 0.333),
    ("mse", 10, "csv", False, "pandas + torch", 0.083),
    ("mse", 10_000_000, "snappy", True, "polars", 0.95),
    ("mse", 50_000_000, "snappy", True, "polars", 0.85),
    ("cross-entropy, lists of 100", 1_000_000, "snappy", False, "decode alone", 1.1),
    ("cross-entropy, 100 columns", 1_000_000, "snappy", False, "polars", 0.5),
]
#: peak memory that we aim at, in MiB, reduced and with rows written
MOST_MEMORY = {False: 125, True: 140}
#: the others, in the order of columns
OTHERS = (
    "decode alone",
    "polars",
    "duckdb",
    "pandas + numpy",
    "pandas + torch",
    "pandas + scikit-learn",
)


def report(results: list[dict[str, Any]]) -> None:
    """Write the page, with the targets first and every measurement after them."""
    parts = [
        "# Performance\n",
        "Whole processes, start-up included, files in the page cache; medians, and medians of the "
        "ratios within a round.\nEvery value was compared with the others' before it was timed. "
        "Written by `python -m benchmarks.run`.\n",
        f"Python {platform.python_version()}, {_versions()}; {_machine()}.\n",
        (Path(__file__).with_name("notes.md")).read_text(encoding="utf-8"),
        *_targets(results),
        *_growth(results),
        *_ratios(results),
    ]
    (DOCS / "performance.md").write_text("\n".join(parts), encoding="utf-8")
    parts = [
        "# Measurements\n",
        "Every process of [performance.md](performance.md): medians of wall time, processor time "
        "and peak memory.\nCSV has no lists: their values are columns there.\n",
        *(_table(result) for result in sorted(results, key=_order)),
    ]
    (DOCS / "measurements.md").write_text("\n".join(parts), encoding="utf-8")


def _versions() -> str:
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def _machine() -> str:
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{os.cpu_count()} cores of {names[0] if names else platform.machine()}"


def _targets(results: list[dict[str, Any]]) -> list[str]:
    """Each target with what was measured of it."""
    by_key = {(r["case"], r["rows"], r["kind"], r["per_row"]): r["found"] for r in results}
    lines = []
    for case, rows, kind, per_row, other, most in TARGETS:
        found = by_key.get((case, rows, kind, per_row), {}).get(other)
        if found is None:
            continue
        ratio = found["ratio"]
        verdict = "met" if ratio <= most else f"missed by {ratio / most - 1:.0%}"
        what = _what({"case": case, "rows": rows, "kind": kind, "per_row": per_row})
        lines.append(f"| {what} | {other} | {most:g} | {ratio:.2f} | {verdict} |")
    if not lines:
        return []
    lines += [*_against_duckdb(results), *(_memory(results, rows) for rows in MOST_MEMORY)]
    header = "| losscli's time over another's | other | target | measured | |"
    return ["## Targets\n", header, "| --- | --- | --: | --: | --- |", *lines, ""]


def _against_duckdb(results: list[dict[str, Any]]) -> list[str]:
    """No slower than DuckDB anywhere: how many measurements are, and the worst."""
    ratios = [(r["found"]["duckdb"]["ratio"], r) for r in results if "duckdb" in r["found"]]
    if not ratios:
        return []
    slower = sum(ratio > 1 for ratio, _ in ratios)
    worst, where = max(ratios, key=lambda pair: pair[0])
    verdict = f"missed by {slower} of {len(ratios)}, most by {_what(where)}" if slower else "met"
    return [f"| every measurement | duckdb | 1 | {worst:.2f} at most | {verdict} |"]


def _memory(results: list[dict[str, Any]], of_rows: bool) -> str:
    """Peak memory at any row count."""
    most = MOST_MEMORY[of_rows]
    peaks = [(r["found"]["losscli"]["mebibytes"], r) for r in results if r["per_row"] == of_rows]
    worst = max((peak for peak, _ in peaks), default=0)
    over = sorted({r["case"] for peak, r in peaks if peak > most})
    what = f"peak memory in MiB, {'rows written' if of_rows else 'reduced'}"
    verdict = f"missed by {'; '.join(over)}" if over else "met"
    return f"| {what} | | {most} | {worst:.0f} at most | {verdict} |"


def _growth(results: list[dict[str, Any]]) -> list[str]:
    """Time and memory of mse by rows, as a plot where matplotlib is installed."""
    runs = sorted(
        (r for r in results if (r["case"], r["kind"], r["per_row"]) == ("mse", "snappy", False)),
        key=lambda r: r["rows"],
    )
    if len({r["rows"] for r in runs}) < 3:
        return []
    lines = ["## Growth\n", "![time and memory by rows](performance.svg)\n"]
    try:
        _plot(runs)
    except ImportError:
        lines.pop()
    names = [name for name in ("losscli", "polars", "duckdb") if name in runs[-1]["found"]]
    lines.append("| mse, Parquet | " + " | ".join(f"{n}, s | MiB" for n in names) + " |")
    lines.append("| --: |" + " --: | --: |" * len(names))
    for r in runs:
        cells = (r["found"].get(n, {"seconds": float("nan"), "mebibytes": 0}) for n in names)
        text = " | ".join(f"{c['seconds']:.2f} | {c['mebibytes']:.0f}" for c in cells)
        lines.append(f"| {r['rows']:,} rows | {text} |")
    return [*lines, ""]


def _plot(runs: list[dict[str, Any]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "losscli"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    names = [n for n in runs[0]["found"] if all(n in r["found"] for r in runs[:2])]
    for name in names:
        here = [r for r in runs if name in r["found"]]
        rows = [r["rows"] for r in here]
        style = {"marker": "o", "label": name, "linewidth": 2.5 if name == "losscli" else 1}
        axes[0].loglog(rows, [r["found"][name]["seconds"] for r in here], **style)
        axes[1].loglog(rows, [r["found"][name]["mebibytes"] for r in here], **style)
    for axis, title in zip(axes, ("seconds", "peak memory, MiB"), strict=True):
        axis.set_title(title)
        axis.set_xlabel("rows of mse, two Parquet files")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(DOCS / "performance.svg", metadata={"Date": None})


def _order(result: dict[str, Any]) -> tuple[Any, ...]:
    """By what is written, the kind of file and rows: what is compared is together."""
    kinds = ("snappy", "zstd", "csv")
    return result["per_row"], kinds.index(result["kind"]), result["rows"]


def _what(result: dict[str, Any]) -> str:
    rows = ", rows written" if result["per_row"] else ""
    return f"{result['case']}, {result['rows']:,} rows, {result['kind']}{rows}"


def _ratios(results: list[dict[str, Any]]) -> list[str]:
    """losscli's time over the others', a table for each kind of file and output."""
    parts = [
        "## All measurements\n",
        "losscli's wall time and peak memory, and its time over that of each of the others: below "
        "1 it is faster.\nAll times, processor times and peaks of memory are in "
        "[measurements.md](measurements.md).\n",
    ]
    found: dict[tuple[bool, str], list[str]] = {}
    for result in sorted(results, key=_order):
        own = result["found"]["losscli"]
        others = [result["found"].get(name) for name in OTHERS]
        cells = [f"{own['seconds']:.2f}", f"{own['mebibytes']:.0f}"]
        cells += ["" if other is None else f"{other['ratio']:.2f}" for other in others]
        line = f"| {result['case']}, {result['rows']:,} rows | {' | '.join(cells)} |"
        found.setdefault((result["per_row"], result["kind"]), []).append(line)
    for (of_rows, kind), lines in found.items():
        name = "CSV" if kind == "csv" else f"Parquet, {kind}"
        parts.append(f"### {name}{', rows written' if of_rows else ''}\n")
        parts.append(f"| | s | MiB | {' | '.join(OTHERS)} |")
        parts.append("| --- |" + " --: |" * (2 + len(OTHERS)))
        parts += [*lines, ""]
    return parts


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"| {_what(result)} | s | processor s | MiB | losscli ÷ it |",
        "| --- | --: | --: | --: | --: |",
    ]
    for name, found in result["found"].items():
        lines.append(
            f"| {name} | {found['seconds']:.2f} | {found['cpu']:.2f} | {found['mebibytes']:.0f} "
            f"| {found['ratio']:.2f} |"
        )
    return "\n".join(lines) + "\n"
