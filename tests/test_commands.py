"""Reference cases through the real command, on CSV, Parquet and NumPy files."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from losscli.cli import main
from losscli.losses import CATALOGUE
from losscli.losses.parameters import Flag
from tests.reference import Case, cases

#: options of the command that are keywords of `compute`
OPTIONS = ("reduction", "row", "per", "labels", "class_axis", "class_counts")


def sample() -> list[Case]:
    """The first case of every loss and library, and of every kind of weights."""
    chosen: dict[tuple[Any, ...], Case] = {}
    for case in cases("golden"):
        roles = tuple(k for k, v in case.arguments.items() if isinstance(v, np.ndarray))
        library = case.id.removeprefix(case.loss).split("-")[1]
        chosen.setdefault((case.loss, library, roles, case.arguments.get("input")), case)
    return list(chosen.values())


def option(name: str) -> str:
    return "--" + name.replace("_", "-")


def text(value: Any) -> str:
    return ",".join(repr(x) for x in value.tolist()) if hasattr(value, "tolist") else str(value)


def write_csv(path: Path, array: Any) -> bool:
    """A role as a CSV of its own; whether a table can hold it."""
    if array.ndim > 2:
        return False
    columns = array.reshape(len(array), -1)
    lines = [",".join(f"c{i}" for i in range(columns.shape[1]))]
    lines += [",".join(map(repr, row)) for row in columns.tolist()]
    path.write_text("\n".join(lines) + "\n")
    return True


def write_parquet(path: Path, array: Any) -> bool:
    """A role as one Parquet column, of numbers or of lists."""
    pq.write_table(pa.table({"values": pa.array(array.tolist())}), path)
    return True


def write_npy(path: Path, array: Any) -> bool:
    np.save(path, array)
    return True


WRITERS = {"csv": write_csv, "parquet": write_parquet, "npy": write_npy}


def arguments(case: Case, suffix: str, folder: Path) -> list[str] | None:
    """The command of a case, with its roles in files; None when the format cannot hold one."""
    loss, _ = CATALOGUE.get(case.loss)
    words = ["compute", case.loss]
    for name, value in case.arguments.items():
        if name in loss.roles or name == "weight":
            path = folder / f"{name}.{suffix}"
            if not WRITERS[suffix](path, np.asarray(value)):
                return None
            words += [option(name), str(path)]
        elif name in OPTIONS:
            if value is not None:
                words += [option(name), text(value)]
        elif isinstance(loss.parameters[name].kind, Flag):
            words.append(option(name) if value else option("no_" + name))
        elif value is not None:
            words += [option(name), text(value)]
    return words


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("case", sample(), ids=repr)
def test_golden_cases(
    case: Case, suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = arguments(case, suffix, tmp_path)
    if words is None:
        assert suffix == "csv"
        return
    code = main([*words, "--format", "value"])
    captured = capfd.readouterr()
    assert code == 0, captured.err
    found = [float(x) for x in captured.out.split()]
    expected = np.ravel(np.asarray(case.expected, dtype=float))
    np.testing.assert_allclose(found, expected, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("case", list(cases("seed_examples")), ids=repr)
def test_worked_examples(
    case: Case, suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = arguments(case, suffix, tmp_path)
    assert words is not None
    code = main([*words, "--format", "value"])
    captured = capfd.readouterr()
    assert code == 0, captured.err
    found = [float(x) for x in captured.out.split()]
    np.testing.assert_allclose(found, np.ravel(case.expected), rtol=1e-12, atol=1e-15)


def test_the_sample_reaches_every_loss() -> None:
    assert {CATALOGUE.get(case.loss)[0].name for case in sample()} == {
        CATALOGUE.get(case.loss)[0].name for case in cases("golden")
    }
    assert len(sample()) > 80
