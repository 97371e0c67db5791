"""What others wrote does nothing: not on a terminal, not in a spreadsheet."""

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscli.report.formats import render
from losscli.report.inert import inert, unformulated
from tests.conftest import Run
from tests.test_cli import on_terminal

#: colour, a window's title, a bell, a line that overwrites, C1's form of ESC [, a bidi override
HOSTILE = "\x1b[31m\x1b]0;title\x07\r\x9b31m\u202e"


@given(st.text())
def test_inert_text_is_printable(text: str) -> None:
    assert inert(text).isprintable()
    assert set(inert(text, keep="\n\t")) - {"\n", "\t"} <= set(inert(text))


@given(st.text().filter(str.isprintable))
def test_printable_text_is_shown_as_it_is(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-a", "=="])
def test_a_formula_is_marked_as_text(text: str) -> None:
    assert unformulated(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "+1.5", "-1e-5", "-inf", "-", "+", "", "a=1", "1-2", "'=1"])
def test_what_no_spreadsheet_runs_stays(text: str) -> None:
    assert unformulated(text) == text


def test_keys_of_groups(run: Run) -> None:
    """In CSV and TSV an apostrophe stands before a formula; others carry keys as they are."""
    data = "pred,target,k\n0.5,1,=1+1\n0.5,1,-7\n0.5,1,[red]x\n"
    arguments = ("compute", "dice", "--data", "-", "--by", "k", "--reduction", "none")
    for kind, delimiter in (("csv", ","), ("tsv", "\t")):
        done = run(*arguments, "-f", kind, input=data)
        rows = list(csv.reader(io.StringIO(done.stdout), delimiter=delimiter))
        assert [row[0] for row in rows] == ["group", "'=1+1", "-7", "[red]x"]
    assert '"group": "=1+1"' in run(*arguments, "-f", "jsonl", input=data).stdout
    assert "[red]x" in run(*arguments, "-f", "table", input=data).stdout


@pytest.mark.parametrize("reduction", [["--reduction", "none"], ["--per-sample", "rows.csv"]])
def test_a_carriage_return_ends_no_row(reduction: list[str], run: Run, tmp_path: Path) -> None:
    """Spreadsheets, pandas and Python end a row there, unless it is in quotes."""
    table: Any = pa.table({"id": ["x\r=1+1", "y\nz"], "t": [1.0, 1.0]})
    pq.write_table(table, tmp_path / "p.parquet")
    inputs = ["--data", "p.parquet", "--pred", "t", "--target", "t", "--by", "id", "-f", "csv"]
    done = run("compute", "dice", *inputs, *reduction)
    text = done.stdout if "none" in reduction else (tmp_path / "rows.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[0] for row in rows] == ["group", "x\r=1+1", "y\nz"]


def test_a_line_break_ends_no_row_of_markdown() -> None:
    assert render([{"id": "x\r\ny"}], "markdown").splitlines()[2] == r"| x\r\ny |"


@pytest.mark.parametrize("kind", ["table", "csv", "tsv", "json", "markdown"])
def test_nothing_steers_the_terminal(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text(f'pred,target,k\n0.5,1,"{HOSTILE}"\n')
    command = ["compute", "dice", "--data", str(path), "--by", "k", "--reduction", "none"]
    seen = on_terminal([*command, "-f", kind, "--color", "never"], 100)
    assert "31m" in seen
    for steering in ("\x1b[31m", "\x1b]", "\x07", "\x9b", "\u202e"):
        assert steering not in seen
    failed = on_terminal(["compute", "dice", "--data", str(path), "--pred", "k"], 100)
    assert "\\x1b[31m" in failed
    assert "\x1b" not in failed
