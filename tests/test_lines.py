"""Errors of values in a CSV name the line, also where lines are not rows."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import lines, records
from losscli.errors import DataError

#: what stands before a record's number (text, a quoted line end, blank lines): its lines
KINDS = {"a,": 1, '"a\nb",': 2, '"a\n\nb",': 3, "\na,": 2, "\n\na,": 3}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=40),
    bad=st.integers(0, 1000),
    value=st.sampled_from(["x", "inf"]),  # one that is no number, one that is checked later
    chunk=st.sampled_from([16, 64, 1 << 20]),
    header=st.booleans(),
)
def test_the_line_of_a_bad_value(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[str],
    bad: int,
    value: str,
    chunk: int,
    header: bool,
) -> None:
    bad %= len(kinds)
    text = "name,pred\n" if header else ""
    text += "".join(f"{kind}{value if i == bad else i}\n" for i, kind in enumerate(kinds))
    before = sum(KINDS[kind] for kind in kinds[:bad]) + header
    # Blank lines come before a record; a quoted line end is in it.
    line = before + 1 + kinds[bad].startswith("\n") * (KINDS[kinds[bad]] - 1)
    path: Path = tmp_path_factory.mktemp("lines") / "f.csv"
    path.write_text(text)
    reference = f"{path}#{'pred' if header else 2}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "CHUNK", chunk)
        patch.setattr(lines, "KEPT", 100)  # chunks that are that small are soon behind
        with pytest.raises(
            DataError, match=rf"row {bad + 1} \(line {line}\): got ({value}|'{value}')"
        ):
            losscli.compute("mse", pred=reference, target=reference, header=header)


def test_lines_that_are_left_out_count(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("# one\npred\n1\n# two\n# three\ninf\n")
    with pytest.raises(DataError, match=r"row 2 \(line 6\)"):
        losscli.compute("mse", data=str(tmp_path / "f.csv"), target="pred", comment="#")


def test_lines_count_in_each_file_of_a_data_set(tmp_path: Path) -> None:
    for name, value in (("a", "1"), ("b", "inf")):
        (tmp_path / f"{name}.csv").write_text(f"pred\n0\n{value}\n")
    with pytest.raises(DataError, match=r"b\.csv, column 'pred', row 2 \(line 3\): got inf"):
        losscli.compute("mse", data=str(tmp_path), pred="pred", target="pred")


def test_a_file_without_lines_names_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: got inf"):
        losscli.compute("mse", pred=[1.0, float("inf")], target=[1.0, 1.0])
