"""What is timed: losses, their data, and what people would write for them with other libraries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

#: rows that are made and written at a time: a row group
CHUNK = 1 << 20

Maker = Callable[[np.random.Generator, int], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """One loss on one kind of data, and the same loss in the words of other libraries.

    The scripts have the columns as `p`, `t` (arrays) or as columns of a table `f`.
    """

    loss: str
    make: Maker
    options: tuple[str, ...] = ()
    #: rows in place of those that were asked for, where a row holds many values
    rows: int | None = None
    numpy: str = ""
    torch: str = ""
    sklearn: str = ""
    polars: str = ""
    duckdb: str = ""
    formats: tuple[str, ...] = field(default=("snappy", "zstd", "csv"))
    title: str = ""
    #: whether a row has a loss by itself
    of_rows: bool = True

    @property
    def name(self) -> str:
        return self.title or self.loss

    @property
    def widths(self) -> dict[str, int]:
        """How many values a row of each column has, 0 for one that is no list."""
        made = self.make(np.random.default_rng(0), 1)
        return {name: values.shape[1] if values.ndim > 1 else 0 for name, values in made.items()}


def _two(target: Callable[[np.random.Generator, int], np.ndarray]) -> Maker:
    return lambda rng, n: {"pred": rng.normal(size=n), "target": target(rng, n)}


def _one_of(*labels: float) -> Callable[[np.random.Generator, int], np.ndarray]:
    return lambda rng, n: rng.choice(np.array(labels), n)


def _distributions(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    raw = {name: rng.random((n, 10)) + 0.01 for name in ("pred", "target")}
    return {name: x / x.sum(axis=1, keepdims=True) for name, x in raw.items()}


def _scores(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {"pred": rng.normal(size=(n, 100)), "target": rng.integers(0, 100, n)}


def _mask(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {"pred": rng.random(n), "target": rng.integers(0, 2, n).astype(float)}


def _triplets(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=(n, 64)) for name in ("anchor", "positive", "negative")}


def _pairs(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=(n, 128)) for name in ("query", "positive")}


_NORMAL = _two(lambda rng, n: rng.normal(size=n))
_POLARS_CE = (
    "(pl.sum_horizontal([(pl.col(f'pred_{i}') - m).exp() for i in range(100)]).log() + m "
    "- pl.sum_horizontal([pl.when(pl.col('target') == i).then(pl.col(f'pred_{i}')).otherwise(0.0) "
    "for i in range(100)])).mean()"
)

CASES = [
    Case(
        "mse",
        _NORMAL,
        numpy="np.square(p - t).mean()",
        torch="F.mse_loss(p, t)",
        sklearn="metrics.mean_squared_error(t, p)",
        polars="((pl.col('pred') - pl.col('target')) ** 2).mean()",
        duckdb="avg((pred - target) * (pred - target))",
    ),
    Case(
        "hinge-embedding",
        _two(_one_of(-1, 1)),
        numpy="np.where(t > 0, p, np.maximum(0, 1 - p)).mean()",
        torch="F.hinge_embedding_loss(p, t)",
        polars="pl.when(pl.col('target') > 0).then(pl.col('pred'))"
        ".otherwise(pl.max_horizontal(1 - pl.col('pred'), pl.lit(0.0))).mean()",
        duckdb="avg(CASE WHEN target > 0 THEN pred ELSE greatest(0, 1 - pred) END)",
    ),
    Case(
        "binary-cross-entropy",
        _two(_one_of(0, 1)),
        ("--input", "logits"),
        numpy="(np.logaddexp(0, p) - p * t).mean()",
        torch="F.binary_cross_entropy_with_logits(p, t)",
        sklearn="metrics.log_loss(t, 1 / (1 + np.exp(-p.to_numpy(float))))",
        polars="(pl.max_horizontal(pl.col('pred'), pl.lit(0.0)) "
        "- pl.col('pred') * pl.col('target') + (-pl.col('pred').abs()).exp().log1p()).mean()",
        duckdb="avg(greatest(pred, 0) - pred * target + ln(1 + exp(-abs(pred::DOUBLE))))",
    ),
    Case(
        "huber",
        _NORMAL,
        numpy="(lambda a: np.where(a < 1, a * a / 2, a - 0.5))(np.abs(p - t)).mean()",
        torch="F.huber_loss(p, t)",
        polars="(lambda a: pl.when(a < 1).then(a * a / 2).otherwise(a - 0.5).mean())"
        "((pl.col('pred') - pl.col('target')).abs())",
        duckdb="avg(CASE WHEN abs(pred - target) < 1 THEN (pred - target) * (pred - target) / 2 "
        "ELSE abs(pred - target) - 0.5 END)",
    ),
    Case(
        "dice",
        _mask,
        numpy="1 - 2 * (p * t).sum() / (p.sum() + t.sum())",
        torch="1 - 2 * (p * t).sum() / (p.sum() + t.sum())",
        polars="1 - 2 * (pl.col('pred') * pl.col('target')).sum() "
        "/ (pl.col('pred').sum() + pl.col('target').sum())",
        duckdb="1 - 2 * sum(pred * target) / (sum(pred) + sum(target))",
        of_rows=False,
    ),
    Case(
        "cross-entropy",
        _scores,
        rows=1_000_000,
        numpy="(np.log(np.exp(p).sum(axis=1)) - p[np.arange(len(p)), t]).mean()",
        torch="F.cross_entropy(p, t.long())",
        sklearn="metrics.log_loss(t, (lambda e: e / e.sum(axis=1, keepdims=True))(np.exp(p)), "
        "labels=range(100))",
        formats=("snappy", "zstd"),
        title="cross-entropy, lists of 100",
    ),
    Case(
        "cross-entropy",
        lambda rng, n: {
            **{f"pred_{i}": rng.normal(size=n) for i in range(100)},
            "target": rng.integers(0, 100, n),
        },
        rows=1_000_000,
        numpy="(np.log(np.exp(p).sum(axis=1)) - p[np.arange(len(p)), t]).mean()",
        torch="F.cross_entropy(p, t.long())",
        polars=f"(lambda m: {_POLARS_CE})(pl.max_horizontal([f'pred_{{i}}' for i in range(100)]))",
        title="cross-entropy, 100 columns",
    ),
    Case(
        "kl-divergence",
        _distributions,
        ("--input", "probs"),
        rows=1_000_000,
        numpy="(t * np.log(t / p)).sum(axis=1).mean()",
        torch="F.kl_div(p.log(), t, reduction='batchmean')",
        title="kl-divergence, lists of 10",
    ),
    Case(
        "triplet-margin",
        _triplets,
        rows=500_000,
        numpy="np.maximum(0, 1 + np.linalg.norm(f['anchor'] - f['positive'] + 1e-6, axis=1) "
        "- np.linalg.norm(f['anchor'] - f['negative'] + 1e-6, axis=1)).mean()",
        torch="F.triplet_margin_loss(f['anchor'], f['positive'], f['negative'])",
        title="triplet-margin, lists of 64",
    ),
    Case(
        "info-nce",
        _pairs,
        rows=20_000,
        numpy="(lambda s: (np.log(np.exp(s).sum(axis=1)) - np.diag(s)).mean())((lambda q, k: "
        "q @ k.T / np.float32(0.1))(*(f[n] / np.linalg.norm(f[n], axis=1, keepdims=True) "
        "for n in ('query', 'positive'))))",
        torch="(lambda s: F.cross_entropy(s / 0.1, torch.arange(len(s))))"
        "(F.normalize(f['query']) @ F.normalize(f['positive']).T)",
        title="info-nce, 20,000 by 20,000",
    ),
]


def write(case: Case, folder: Path, rows: int, kind: str) -> dict[str, Path]:
    """Random data of a case as float32: the first column in one file, the others in another.

    What has other columns than pred and target, or lists, is in one file. CSV has no lists: they
    are columns there.
    """
    rng = np.random.default_rng(0)
    writers: dict[str, pq.ParquetWriter | pyarrow.csv.CSVWriter] = {}
    paths: dict[str, Path] = {}
    for start in range(0, rows, CHUNK):
        columns = case.make(rng, min(CHUNK, rows - start))
        split = set(columns) == {"pred", "target"} and not (kind == "csv" and case.rows)
        if kind == "csv":
            columns = _flat(columns)
        for file, names in [(n, [n]) for n in columns] if split else [("data", list(columns))]:
            table = pa.table({name: _arrow(columns[name]) for name in names})
            if file not in writers:
                suffix = "csv" if kind == "csv" else "parquet"
                paths[file] = folder / f"{file}.{suffix}"
                writers[file] = (
                    pyarrow.csv.CSVWriter(paths[file], table.schema)
                    if kind == "csv"
                    else pq.ParquetWriter(paths[file], table.schema, compression=kind)
                )
            writers[file].write_table(table)
    for writer in writers.values():
        writer.close()
    for path in paths.values():
        with path.open("rb") as written:  # into the page cache
            while written.read(1 << 24):
                pass
    return paths


def _flat(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Lists as columns beside each other."""
    return {
        f"{name}_{i}" if values.ndim > 1 else name: part
        for name, values in columns.items()
        for i, part in enumerate(values.T if values.ndim > 1 else [values])
    }


def _arrow(values: np.ndarray) -> pa.Array:
    if values.dtype.kind == "i":
        return pa.array(values)
    flat = pa.array(values.astype(np.float32).ravel())
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
