"""Losses of batches: batches, tiles, tables that are read whole, and rows without company."""

import itertools
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.data import inputs as data_inputs
from losscli.errors import DataError
from losscli.losses import CATALOGUE
from losscli.losses import pairs as of_pairs
from tests import generate
from tests.conftest import Run

BATCH = [loss.name for loss in CATALOGUE if loss.kind == "batch"]
ROWS = 60


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def arrays(name: str, rng: np.random.Generator, rows: int = ROWS) -> dict[str, Any]:
    return generate.inputs(CATALOGUE.losses[name], rows, rng)


@pytest.mark.parametrize("name", BATCH)
def test_a_batch_is_a_call_of_its_own(name: str, rng: np.random.Generator) -> None:
    made = arrays(name, rng)
    cuts = [0, 25, 50, 60]
    parts = [
        losscli.compute(name, per_sample=True, **{k: v[a:b] for k, v in made.items()}).per_sample
        for a, b in itertools.pairwise(cuts)
    ]
    expected = np.concatenate(parts)
    by_size = losscli.compute(name, batch_size=25, per_sample=True, **made)
    np.testing.assert_allclose(by_size.per_sample, expected, rtol=1e-13)
    key = np.repeat(["b", "a", "c"], np.diff(cuts))
    by_key = losscli.compute(name, by=key, per_sample=True, **made)
    np.testing.assert_allclose(by_key.per_sample, expected, rtol=1e-13)
    twice = {role: np.concatenate([v, v[:1]]) for role, v in made.items()}
    with pytest.raises(DataError, match="row 61: the batch 'b' has ended before"):
        losscli.compute(name, by=np.append(key, "b"), **twice)


@pytest.mark.parametrize("name", BATCH)
@pytest.mark.parametrize("tile", [(1, 1), (1, 60), (7, 16), (32, 7), (64, 64)])
def test_tiles_do_not_matter(
    name: str, tile: tuple[int, int], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = arrays(name, rng)
    expected = losscli.compute(name, per_sample=True, **made).per_sample
    monkeypatch.setattr(of_pairs, "HEIGHT", tile[0])
    monkeypatch.setattr(of_pairs, "WIDTH", tile[1])
    result = losscli.compute(name, per_sample=True, **made).per_sample
    np.testing.assert_allclose(result, expected, rtol=1e-12)


@pytest.mark.parametrize("name", BATCH)
@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_do_not_matter(
    name: str, block: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = arrays(name, rng)
    expected = losscli.compute(name, per_sample=True, **made)
    monkeypatch.setattr(data_inputs, "block_rows", lambda width: block)
    result = losscli.compute(name, per_sample=True, **made)
    np.testing.assert_array_equal(result.per_sample, expected.per_sample)
    assert result.value == expected.value


@pytest.mark.parametrize("name", sorted({*BATCH} - {"class-balanced-weights"}))
def test_threads_do_not_matter(name: str, rng: np.random.Generator) -> None:
    made = arrays(name, rng, 900)
    expected = losscli.compute(name, per_sample=True, threads=1, **made).per_sample
    result = losscli.compute(name, per_sample=True, threads=3, **made).per_sample
    np.testing.assert_array_equal(result, expected)


def test_threads_of_matrix_products_do_not_matter(
    run: Run, rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread cuts 300 × 700 products, of vectors of 390, elsewhere than four do."""
    np.save(tmp_path / "q.npy", rng.normal(size=(300, 390)))
    np.save(tmp_path / "p.npy", rng.normal(size=(300, 390)))
    np.save(tmp_path / "n.npy", rng.normal(size=(700, 390)))
    files = ["--query", "q.npy", "--positive", "p.npy", "--negatives", "n.npy"]
    printed = set()
    for count in ("1", "4"):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", count)
        done = run("compute", "info-nce", *files, "-f", "value")
        assert done.stderr == ""
        printed.add(done.stdout)
    assert len(printed) == 1


def test_a_large_batch_needs_no_matrix(rng: np.random.Generator) -> None:
    """20,000 × 64 numbers are 10 MiB; all similarities would be 3 GiB."""
    query, positive = rng.normal(size=(2, 20_000, 64))
    tracemalloc.start()
    value = losscli.compute("info-nce", query=query, positive=positive).value
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert math.isfinite(value)
    assert peak < 110 * 2**20


def test_rows_without_company() -> None:
    one = np.array([[1.0, 2.0]])
    assert losscli.compute("info-nce", query=one, positive=-one).value == 0.0
    assert losscli.compute("nt-xent", x1=one, x2=-one).value == 0.0
    assert losscli.compute("circle", x=one, target=[3.0]).value == 0.0
    # All of one class, and each of its own.
    x = np.eye(3)
    assert losscli.compute("circle", x=x, target=[1.0, 1.0, 1.0]).value == 0.0
    result = losscli.compute("circle", x=x, target=[1, 2, 3], reduction=["mean-nonzero", "mean"])
    assert [v.value for v in result.values] == [0.0, 0.0]


def test_zero_vectors_are_at_right_angles_to_all() -> None:
    zero, e = np.zeros((2, 2)), np.array([[1.0, 0.0], [0.0, 1.0]])
    # e⁰ against e⁰ of one other
    assert losscli.compute("info-nce", query=zero, positive=e).value == pytest.approx(math.log(2))
    # e⁰ against e⁰ of two others, where the other views are zero; by hand
    rows = losscli.compute("nt-xent", x1=zero, x2=zero, per_sample=True).per_sample
    np.testing.assert_allclose(rows, math.log(3), rtol=1e-15)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 800.0, 1e300])
def test_extreme_lengths_are_only_directions(scale: float, rng: np.random.Generator) -> None:
    for name in BATCH:
        made = arrays(name, rng)
        expected = losscli.compute(name, **made).value
        scaled = {k: v if k == "target" else v * scale for k, v in made.items()}
        assert losscli.compute(name, **scaled).value == pytest.approx(expected, rel=1e-12)


def test_a_sure_answer_keeps_its_digits() -> None:
    """ln(1 + e^−200) is e^−200, where a difference of logarithms has nothing left."""
    q = np.array([[1.0, 0.0], [-1.0, 0.0]])
    value = losscli.compute("info-nce", query=q, positive=q, temperature=0.01).value
    assert value == pytest.approx(math.exp(-200), rel=1e-12)


def test_dot_products_that_overflow_every_exponential() -> None:
    q = np.array([[800.0], [-800.0]])
    rows = losscli.compute("info-nce", query=q, positive=q[::-1], similarity="dot", per_sample=True)
    # −800² against 800², over τ = 0.1
    np.testing.assert_allclose(rows.per_sample, 2 * 800**2 / 0.1, rtol=1e-15)


def test_symmetric_is_the_mean_of_both_ways(rng: np.random.Generator) -> None:
    q, p, n = rng.normal(size=(3, 9, 4))

    def nce(**options: Any) -> Any:
        return losscli.compute("info-nce", per_sample=True, **options).per_sample

    for bank in ({}, {"negatives": n[:5]}):
        there, back = nce(query=q, positive=p, **bank), nce(query=p, positive=q, **bank)
        both = nce(query=q, positive=p, direction="symmetric", **bank)
        np.testing.assert_allclose(both, (there + back) / 2, rtol=1e-14)


@pytest.fixture
def pairs(tmp_path: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Ten pairs in a CSV file, and three negatives in a Parquet file and a CSV file."""
    q, p, n = rng.normal(size=(10, 2)), rng.normal(size=(10, 2)), rng.normal(size=(3, 2))
    np.savetxt(
        tmp_path / "pairs.csv",
        np.hstack([q, p]),
        delimiter=",",
        header="q1,q2,p1,p2",
        comments="",
        fmt="%.17g",
    )
    np.savetxt(tmp_path / "bank.csv", n, delimiter=",", header="n1,n2", comments="", fmt="%.17g")
    pq.write_table(
        pa.table({"n": pa.array(n.tolist(), pa.list_(pa.float64()))}), tmp_path / "bank.parquet"
    )
    return {"query": q, "positive": p, "negatives": n}


def test_a_table_of_its_own(run: Run, pairs: dict[str, Any], tmp_path: Path) -> None:
    expected = losscli.compute("info-nce", **pairs).value
    columns = ["-f", "value", "--query", "pairs.csv#q1,q2", "--positive", "pairs.csv#p1,p2"]
    for bank in ("bank.csv", "bank.parquet#n"):
        done = run("compute", "info-nce", *columns, "--negatives", bank)
        assert (done.stdout, done.stderr) == (f"{expected}\n", "")
    text = (tmp_path / "bank.csv").read_bytes()
    done = run("compute", "info-nce", *columns, "--negatives", "-", input=text)
    assert done.stdout == f"{expected}\n"
    # In batches, every batch sees all of it, so the rows stay as they are.
    done = run("compute", "info-nce", *columns, "--negatives", "bank.csv", "--batch-size", "4")
    assert float(done.stdout) == pytest.approx(expected, rel=1e-14)


def test_a_table_of_its_own_out_of_the_same_file(run: Run, pairs: dict[str, Any]) -> None:
    """Its columns are then those of other roles' rows, and standard input cannot be read twice."""
    q, p = pairs["query"], pairs["positive"]
    expected = losscli.compute("info-nce", query=q, positive=p, negatives=q).value
    columns = ["-f", "value", "--query", "q1,q2", "--positive", "p1,p2", "--negatives", "q1,q2"]
    done = run("compute", "info-nce", "--data", "pairs.csv", *columns)
    assert done.stdout == f"{expected}\n"
    done = run("compute", "info-nce", "--data", "-", *columns, input="q1,q2,p1,p2\n1,2,3,4\n")
    assert done.returncode == 2
    assert "--negatives: standard input can be read only once" in done.stderr
    table = {"q": [1.0, 2.0], "p": [2.0, 1.0]}
    roles = {"query": "q", "positive": "p", "negatives": "q"}
    assert losscli.compute("info-nce", data=table, **roles).n == 2


def test_a_table_of_its_own_is_checked(pairs: dict[str, Any]) -> None:
    wrong = {**pairs, "negatives": np.array([[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]])}
    with pytest.raises(DataError, match=r"negatives, row 2: element 1: got nan"):
        losscli.compute("info-nce", **wrong)
    rest = {**pairs, "negatives": wrong["negatives"][[0, 2]]}
    result = losscli.compute("info-nce", nonfinite="skip", **wrong)
    assert result.value == losscli.compute("info-nce", **rest).value
    assert result.skipped == 0
    assert result.warnings == ["1 row of negatives left out, not finite"]
    with pytest.raises(DataError, match="negatives has 3 columns"):
        losscli.compute("info-nce", **{**pairs, "negatives": np.ones((4, 3))})
    with pytest.raises(DataError, match="negatives: no rows"):
        losscli.compute("info-nce", **{**pairs, "negatives": np.ones((0, 2))})


def test_a_table_of_its_own_must_fit(
    pairs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_inputs, "memory_rows", lambda width, limit: 2)
    with pytest.raises(DataError, match="negatives is needed whole, and more than 2 rows do not"):
        losscli.compute("info-nce", **pairs)


def test_rows_of_views(run: Run) -> None:
    """A row of nt-xent has two losses, which are not named after columns of the embedding."""
    table = "a,b,c,d\n1,0,0.9,0.1\n0,1,0.2,1\n"
    options = ["--data", "-", "--x1", "a,b", "--x2", "c,d", "--reduction", "none", "--row", "none"]
    done = run("compute", "nt-xent", *options, input=table)
    assert done.stdout.splitlines()[0].split("\t") == ["row", "loss_1", "loss_2"]
