"""Losses computed by torch: what NumPy gives, or a word on why not."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.parameters import Choice, Flag
from tests import generate
from tests.conftest import Run

ROWS = 37


def variants(loss: Loss) -> list[dict[str, Any]]:
    """No parameters, and every choice and flag by itself."""
    found: list[dict[str, Any]] = [{}]
    for name, parameter in loss.parameters.items():
        if isinstance(parameter.kind, Choice):
            found += [{name: word} for word in parameter.kind.values if word != parameter.default]
        elif isinstance(parameter.kind, Flag):
            found.append({name: not parameter.default})
    return found


def rows_of(loss: Loss, **given: Any) -> Any:
    pooled = loss.kind == "pooled"
    result = losscli.compute(loss.name, per_sample=not pooled, **given)
    return np.array([result.value]) if pooled else result.per_sample


@pytest.mark.parametrize("loss", list(CATALOGUE), ids=lambda loss: loss.name)
def test_torch_agrees_with_numpy(loss: Loss) -> None:
    """To 1e-12 of the loss, or of 1 where terms of about 1 cancel to less."""
    pytest.importorskip("torch")
    for seed, params in enumerate(variants(loss)):
        several = params.get("input") == "class-logits"  # of which one column has none
        rng = np.random.default_rng(seed)
        made = generate.inputs(loss, ROWS * 3 if several else ROWS, rng, **params)
        if several:
            made = {name: array.reshape(ROWS, 3) for name, array in made.items()}
        try:
            expected = rows_of(loss, **made, **params)
        except (UsageError, IndexError):  # a choice that needs another beside it, or classes
            continue
        found = rows_of(loss, **made, **params, backend="torch")
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14, err_msg=str(params))


@pytest.mark.parametrize("name", ["info-nce", "nt-xent", "circle", "supervised-contrastive"])
def test_tiles_of_tensors(name: str) -> None:
    """More rows and columns than one tile has."""
    pytest.importorskip("torch")
    loss = CATALOGUE.losses[name]
    made = generate.inputs(loss, 1100, np.random.default_rng(0))
    expected = losscli.compute(name, per_sample=True, **made).per_sample
    found = losscli.compute(name, per_sample=True, backend="torch", **made).per_sample
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_extremes() -> None:
    """Infinite losses, infinite and missing inputs are what they are in NumPy."""
    pytest.importorskip("torch")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("binary-cross-entropy", {"pred": [0.0, 1.0, 0.0], "target": [0.0, 1.0, 1.0]}),
        ("cross-entropy", {"pred": [[0.0, np.inf], [-np.inf, 1.0], [800.0, -800.0]],
                           "target": [0.0, 1.0, 1.0]}),
        ("mse", {"pred": [np.nan, 1e300, -np.inf], "target": [0.0, -1e300, 1.0]}),
        ("log-cosh", {"pred": [1e-9, 1e300, np.inf], "target": [0.0, 0.0, 0.0]}),
    ]  # fmt: skip
    for name, given in cases:
        rows = [
            losscli.compute(name, nonfinite="keep", per_sample=True, backend=b, **given).per_sample
            for b in ("numpy", "torch")
        ]
        np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12)


def test_single_precision() -> None:
    """Computed in float32, whose digits end at the seventh, by either library."""
    pytest.importorskip("torch")
    pred, target = np.random.default_rng(0).normal(size=(2, 50))
    values = {
        (backend, dtype): losscli.compute("mse", pred=pred, target=target, backend=backend,
                                          dtype=dtype).value
        for backend, dtype in itertools.product(("numpy", "torch"), ("float64", "float32"))
    }  # fmt: skip
    assert values["torch", "float32"] == pytest.approx(values["torch", "float64"], rel=1e-6)
    assert values["torch", "float32"] == pytest.approx(values["numpy", "float32"], rel=1e-6)
    assert values["torch", "float32"] != values["torch", "float64"]


def test_threads_are_as_they_were() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        losscli.compute("mse", pred=[1.0], target=[0.0], backend="torch")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_what_torch_has_no_word_for() -> None:
    """NumPy computes it, and the result goes on as a tensor."""
    torch = pytest.importorskip("torch")
    from losscli.engine.torch_arrays import TorchArray

    numbers = np.array([0.3, -2.0, 1e300])
    x = TorchArray(torch.tensor(numbers))
    found: Any = np.cbrt(x)
    assert isinstance(found, TorchArray)
    np.testing.assert_array_equal(np.asarray(found), np.cbrt(numbers))
    mantissa, exponent = np.frexp(x)
    np.testing.assert_array_equal(np.asarray(np.ldexp(mantissa, exponent)), numbers)
    np.testing.assert_array_equal(np.asarray(np.flip(x)), numbers[::-1])


def test_types_are_those_of_numpy() -> None:
    """Where torch would compute in float32, such as a quotient of integers."""
    torch = pytest.importorskip("torch")
    from losscli.engine.torch_arrays import TorchArray

    whole, mask, real = np.array([1, 2, 3]), np.array([True, True, True]), np.array([0.1, 1, 3])
    for x, y in itertools.product((whole, mask, real, 2, 0.1), repeat=2):
        for ufunc in (np.add, np.divide, np.maximum, np.multiply, np.greater):
            expected = ufunc(x, y)
            tensors = [TorchArray(torch.tensor(z)) if hasattr(z, "shape") else z for z in (x, y)]
            found = np.asarray(ufunc(*tensors))
            assert found.dtype == expected.dtype, (ufunc, x, y)
            np.testing.assert_allclose(found, expected, rtol=1e-15)


COMMAND = ["compute", "mse", "--data", "-"]
TABLE = "pred,target\n1,0\n3,1\n"


def test_a_result_says_who_computed_it(run: Run) -> None:
    pytest.importorskip("torch")
    done = run(*COMMAND, "--backend", "torch", "-f", "json", input=TABLE)
    assert '"backend": "torch"' in done.stdout
    assert "|backend:torch|" in done.stdout
    plain = run(*COMMAND, "--backend", "numpy", "-f", "json", input=TABLE)
    assert "backend" not in plain.stdout


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("nt-xent", ("x1", "x2")),
        ("info-nce", ("query", "positive")),
        ("triplet-margin", ("anchor", "positive", "negative")),
        ("cosine-distance", ("x1", "x2")),
    ],
)
def test_zero_vectors_in_single_precision(name: str, roles: tuple[str, ...]) -> None:
    """Their norm is computed in another way, which has to stay in float32."""
    pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    given = {role: rng.random((6, 3)) for role in roles}
    for rows in given.values():
        rows[0] = 0.0
    values = {
        (backend, dtype): losscli.compute(name, backend=backend, dtype=dtype, **given).value
        for backend, dtype in itertools.product(("numpy", "torch"), ("float64", "float32"))
    }
    assert values["torch", "float64"] == pytest.approx(values["numpy", "float64"], rel=1e-12)
    assert values["torch", "float32"] == pytest.approx(values["numpy", "float64"], rel=1e-6)
    assert values["numpy", "float32"] == pytest.approx(values["numpy", "float64"], rel=1e-6)


def test_without_torch(run: Run, tmp_path: Path) -> None:
    """`auto` does not look for it; `torch` says how to get it."""
    (tmp_path / "hidden" / "torch").mkdir(parents=True)
    (tmp_path / "hidden" / "torch" / "__init__.py").write_text("raise ImportError('none here')")
    root = Path(__file__).parents[1]
    env = {"PYTHONPATH": f"{tmp_path / 'hidden'}:{root}"}
    done = run(*COMMAND, "--format", "value", input=TABLE, env=env)
    assert (done.stdout, done.stderr) == ("2.5\n", "")
    done = run(*COMMAND, "--backend", "torch", input=TABLE, env=env)
    assert done.returncode == 2
    assert done.stderr == (
        "error: --backend torch: torch is not installed\nhint: pip install 'losscli[torch]'\n"
    )


def test_what_does_not_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"pred": [1.0], "target": [0.0]}
    with pytest.raises(UsageError, match="--backend numpy computes on the CPU"):
        losscli.compute("mse", backend="numpy", device="cuda", **given)
    with pytest.raises(UsageError, match="--backend: expected auto, numpy, torch, got 'jax'"):
        losscli.compute("mse", backend="jax", **given)
    with pytest.raises(UsageError, match="--device: expected cpu, cuda, got 'tpu'"):
        losscli.compute("mse", device="tpu", **given)
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="--device cuda: torch finds no GPU here"):
        losscli.compute("mse", device="cuda", **given)
