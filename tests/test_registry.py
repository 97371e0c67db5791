"""What must hold for every loss of the catalogue, whatever it is."""

import inspect
import io
import re
from typing import Any

import click
import numpy as np
import pytest

import losscli
from losscli.cli.compute import build
from losscli.cli.info import document, page
from losscli.data import inputs as data_inputs
from losscli.errors import DataError, UsageError
from losscli.losses import CATALOGUE, Loss, Rows
from losscli.losses.docstring import SECTIONS
from losscli.losses.registry import Catalogue, alias
from tests import generate

every_loss = pytest.mark.parametrize("loss", list(CATALOGUE), ids=lambda loss: loss.name)
row_losses = [loss for loss in CATALOGUE if loss.kind == "row"]
every_row_loss = pytest.mark.parametrize("loss", row_losses, ids=lambda loss: loss.name)
#: a row of these has a loss, be it its own or one that depends on its batch
losses_with_rows = [loss for loss in CATALOGUE if loss.kind != "pooled"]
every_loss_with_rows = pytest.mark.parametrize("loss", losses_with_rows, ids=lambda loss: loss.name)
elementwise_losses = [loss for loss in row_losses if generate.elementwise(loss)]
ROWS = 37


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def rows_of(loss: Loss, arrays: generate.Arrays) -> Any:
    """The losses of rows, or of the whole set where rows have none."""
    pooled = loss.kind == "pooled"
    result = losscli.compute(loss.name, per_sample=not pooled, **arrays)
    return np.array([result.value]) if pooled else result.per_sample


@every_loss
def test_docstring_is_complete(loss: Loss) -> None:
    sections = set(loss.manual.sections)
    wanted = set(SECTIONS) - ({"Parameters"} if not loss.parameters else set())
    assert sections == wanted
    assert loss.manual.summary.endswith(".")
    assert set(loss.manual.entries("Roles")) == set(loss.roles)
    assert set(loss.manual.entries("Parameters")) == set(loss.parameters)
    assert ">>>" in loss.manual.section("Example")


@every_loss
def test_help_and_info_are_complete(loss: Loss) -> None:
    command = build(loss, {})
    text = command.get_help(click.Context(command, info_name=loss.name))
    for name in [*loss.roles, *loss.parameters]:
        assert f"--{name.replace('_', '-')}" in text
        assert f"--{name.replace('_', '-')}" in page(loss)
    assert loss.summary.split()[0] in text


@every_loss
def test_example_runs(loss: Loss) -> None:
    assert loss.example is not None
    assert np.isfinite(float(document(loss)["example_value"]))


@every_loss
def test_every_name_resolves(loss: Loss) -> None:
    for name in (loss.name, *(a.name for a in loss.aliases)):
        for spelling in (name, name.upper(), name.replace("-", "_")):
            assert CATALOGUE.get(spelling)[0] is loss
    assert CATALOGUE.get(f"{loss.name}-loss")[0] is loss


@every_loss
def test_function_is_plain_and_annotated(loss: Loss) -> None:
    """Roles are positional, parameters are keywords with defaults."""
    kinds = {p.kind for p in inspect.signature(loss.function).parameters.values()}
    assert kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    assert all(p.default is not inspect.Parameter.empty for p in loss.parameters.values())
    assert all(p.help for p in loss.parameters.values())


@every_loss
def test_defaults_are_values_of_their_kind(loss: Loss) -> None:
    for parameter in loss.parameters.values():
        if parameter.default is not None:
            assert parameter.parse(parameter.default) == parameter.default


@every_loss
def test_read_only_inputs(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    before = {name: array.copy() for name, array in arrays.items()}
    for array in arrays.values():
        array.setflags(write=False)
    rows_of(loss, arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])


@every_loss
def test_memory_layout_does_not_matter(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    strided = {name: np.repeat(array, 2, axis=0)[::2] for name, array in arrays.items()}
    fortran = {name: np.asfortranarray(array) for name, array in arrays.items()}
    expected = rows_of(loss, arrays)
    np.testing.assert_array_equal(rows_of(loss, strided), expected)
    np.testing.assert_array_equal(rows_of(loss, fortran), expected)


@every_loss
def test_float32_is_computed_in_float64(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    single = {name: array.astype(np.float32) for name, array in arrays.items()}
    double = {name: array.astype(np.float64) for name, array in single.items()}
    np.testing.assert_array_equal(rows_of(loss, single), rows_of(loss, double))


@every_row_loss
def test_one_row_is_the_first_row(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    first = generate.each_row(loss, arrays, lambda array: array[:1])
    np.testing.assert_allclose(rows_of(loss, first), rows_of(loss, arrays)[:1], rtol=1e-14)


@every_loss
def test_no_rows_is_an_error(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.each_row(loss, generate.inputs(loss, 1, rng), lambda array: array[:0])
    with pytest.raises(DataError, match="no rows"):
        losscli.compute(loss.name, **arrays)


@every_loss_with_rows
def test_permuting_rows_permutes_losses(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    order = rng.permutation(ROWS)
    shuffled = generate.each_row(loss, arrays, lambda array: array[order])
    # A sum over a batch rounds otherwise in another order.
    rtol = 1e-12 if loss.kind == "batch" else 0.0
    np.testing.assert_allclose(rows_of(loss, shuffled), rows_of(loss, arrays)[order], rtol=rtol)


@every_loss_with_rows
@pytest.mark.parametrize("block", [1, 7, 64])
def test_rows_do_not_depend_on_blocks(
    loss: Loss, block: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    expected = losscli.compute(loss.name, per_sample=True, **arrays)
    monkeypatch.setattr(data_inputs, "block_rows", lambda width: block)
    result = losscli.compute(loss.name, per_sample=True, **arrays)
    np.testing.assert_array_equal(result.per_sample, expected.per_sample)
    np.testing.assert_allclose(result.value, expected.value, rtol=1e-15, atol=1e-16)


@every_loss_with_rows
def test_reductions_agree_with_the_rows(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    weight = rng.uniform(0.5, 2.0, ROWS)
    plain = losscli.compute(loss.name, per_sample=True, reduction=["sum", "mean"], **arrays)
    total, mean = (v.value for v in plain.values)
    assert total == pytest.approx(float(np.sum(plain.per_sample)), rel=1e-13)
    assert mean == pytest.approx(total / ROWS, rel=1e-15)
    names = ["sum", "mean", "weighted-mean"]
    weighted = losscli.compute(loss.name, per_sample=True, reduction=names, weight=weight, **arrays)
    total, mean, weighted_mean = (v.value for v in weighted.values)
    np.testing.assert_allclose(weighted.per_sample, plain.per_sample * weight, rtol=1e-15)
    assert total == pytest.approx(float(np.sum(plain.per_sample * weight)), rel=1e-13)
    assert mean == pytest.approx(total / ROWS, rel=1e-15)
    assert weighted_mean == pytest.approx(total / weight.sum(), rel=1e-14)


@every_loss_with_rows
def test_weights_of_one_change_nothing(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    plain = losscli.compute(loss.name, **arrays)
    ones = losscli.compute(loss.name, weight=np.ones(ROWS), **arrays)
    assert ones.value == plain.value
    doubled = losscli.compute(loss.name, weight=np.full(ROWS, 2.0), **arrays)
    assert doubled.value == plain.value
    assert doubled.values[0].reduction == "weighted-mean"


@pytest.mark.parametrize("loss", elementwise_losses, ids=lambda s: s.name)
def test_matrix_of_elements(loss: Loss, rng: np.random.Generator) -> None:
    """(n, k) elements are n·k losses: --row sum, mean and none agree on their sum."""
    flat = generate.inputs(loss, 24, rng)
    matrix = {name: array.reshape(8, 3) for name, array in flat.items()}
    expected = losscli.compute(loss.name, reduction="sum", **flat).value
    for row, factor in (("sum", 1.0), ("mean", 3.0), ("none", 1.0)):
        result = losscli.compute(loss.name, reduction="sum", row=row, **matrix)
        assert result.value * factor == pytest.approx(expected, rel=1e-14)
    by_column = losscli.compute(loss.name, reduction="sum", row="columns", **matrix)
    assert by_column.value.shape == (3,)
    assert by_column.value.sum() == pytest.approx(expected, rel=1e-14)


@every_loss
def test_a_value_outside_its_domain_is_named(loss: Loss, rng: np.random.Generator) -> None:
    for name in generate.inputs(loss, 5, rng):
        arrays = generate.inputs(loss, 5, rng)
        arrays[name][3] = np.nan
        with pytest.raises(DataError, match=rf"^{name}, row 4: .*got nan, expected") as error:
            losscli.compute(loss.name, **arrays)
        assert "--nonfinite skip" in error.value.hint


@every_loss_with_rows
def test_skipping_a_row_is_as_if_it_were_not_there(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    rest = generate.each_row(loss, arrays, lambda array: np.delete(array, 5, axis=0))
    next(iter(arrays.values()))[5] = np.nan
    result = losscli.compute(loss.name, nonfinite="skip", per_sample=True, **arrays)
    expected = losscli.compute(loss.name, per_sample=True, **rest)
    assert result.skipped == 1
    assert "skipped:1" in result.signature
    np.testing.assert_array_equal(np.delete(result.per_sample, 5, axis=0), expected.per_sample)
    assert np.isnan(result.per_sample[5]).all()
    assert result.value == pytest.approx(expected.value, rel=1e-15)


@every_loss
@pytest.mark.parametrize("columns", [1, 3])
def test_all_rows_may_be_skipped(loss: Loss, columns: int, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, 6, rng)
    if columns > 1:
        if not generate.elementwise(loss):
            return
        arrays = {name: array.reshape(-1, columns) for name, array in arrays.items()}
    first = next(name for name in arrays if not loss.roles[name].whole)
    arrays[first][:] = np.nan
    result = losscli.compute(loss.name, nonfinite="skip", **arrays)
    assert result.skipped == result.rows == len(arrays[first])


@every_loss_with_rows
def test_the_plain_function_gives_the_rows(loss: Loss, rng: np.random.Generator) -> None:
    arrays = generate.inputs(loss, ROWS, rng)
    plain = getattr(losscli.losses, loss.function.__name__)(**arrays)
    rows = plain.loss if isinstance(plain, Rows) else plain
    expected = losscli.compute(loss.name, per_sample=True, row="none", **arrays).per_sample
    np.testing.assert_array_equal(np.ravel(rows), np.ravel(expected))


def test_names_may_not_be_claimed_twice() -> None:
    catalogue = Catalogue()
    mse, mae = CATALOGUE.losses["mse"], CATALOGUE.losses["mae"]
    catalogue.add(mse)
    with pytest.raises(ValueError, match="mae claims 'MSE_Loss', a name of mse"):
        catalogue.add(Loss("mae", "regression", mae.function, (alias("MSE_Loss"),)))


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("hindge", "hinge"), ("HingeEmbedingLoss", "hinge-embedding"), ("hubr", "huber")],
)
def test_typos_get_a_suggestion(typo: str, meant: str) -> None:
    with pytest.raises(UsageError) as error:
        losscli.compute(typo, pred=[1.0], target=[1.0])
    assert meant in error.value.hint


def test_what_needs_the_weights_of_a_network_says_so() -> None:
    for name in ("adaptive-log-softmax", "AdaptiveLogSoftmaxWithLoss"):
        with pytest.raises(UsageError, match="is not in the catalogue") as error:
            CATALOGUE.get(name)
        assert "use nll" in error.value.hint


def test_rows_with_losses_of_their_own_are_not_grouped() -> None:
    with pytest.raises(UsageError, match="zero-one has a loss for every row; --by"):
        losscli.compute("zero-one", pred=[1, 2], target=[1, 2], by=[1, 1])


def test_the_catalogue_in_python() -> None:
    assert [loss.name for loss in losscli.list_losses()] == [loss.name for loss in CATALOGUE]
    assert losscli.get_loss("L1Loss").name == "mae"
    assert losscli.losses.mae is losscli.get_loss("mae").function


def test_an_alias_may_imply_a_parameter() -> None:
    arrays = {"pred": [3.0, -2.0], "target": [1.0, 1.0]}
    implied = losscli.compute("BCEWithLogitsLoss", **arrays)
    assert implied.value == losscli.compute("bce", input="logits", **arrays).value


def test_the_generator_is_not_constant(rng: np.random.Generator) -> None:
    """The tests above are worth what their inputs are."""
    for loss in CATALOGUE:
        for name, array in generate.inputs(loss, 50, rng).items():
            assert len(np.unique(array)) > 1, f"{loss.name} {name}"


def test_pages_have_no_rubbish() -> None:
    for loss in CATALOGUE:
        assert not re.search(r"None|<class|<function|lambda", page(loss)), loss.name
        assert page(loss).isprintable() or "\n" in page(loss)
        assert io.StringIO(page(loss)).readline().startswith(loss.name)
