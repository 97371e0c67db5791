"""A cell of a CSV means the same whether Arrow parses its chunk or Python reads it cell by cell."""

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import records
from losscli.data.blanks import may_have_blanks
from losscli.data.csv import CsvSource
from losscli.data.lenient import LenientSource
from losscli.data.source import LabelMap, Source, Values, Wanted
from losscli.data.troubles import Trouble
from losscli.errors import DataError, LosscliError

PIECES = [
    *"0123456789+-.eEnaifty()_ xX\t",
    *"\u0663\uff11\u2212\u00a0\u2003\x0b\x0c\x1c\x85",
    *"éя語\u3000",
    *("nan", "-nan(", "(ind)", "inf", "Infinity", "NA", "null", "None", "N/A", "#N/A", "<NA>"),
]  # fmt: skip
cells = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


class ByArrow(CsvSource):
    def _cells(self, *args: Any) -> Any:
        raise NotImplementedError  # what Arrow refuses is read by Python, so they cannot differ


class ByPython(CsvSource):
    def _by_arrow(self, *args: Any) -> Any:
        raise pa.ArrowInvalid("not asked")


def said(source: Source, wanted: Wanted) -> str:
    """What is read of the first row, or that it is refused."""
    try:
        values: Values = next(iter(source.pieces([wanted])))[0]
    except LosscliError:
        return "refused"
    missing = values.missing is not None and bool(values.missing[0])
    return f"{values.array[0]}{' (missing)' * missing}"


@pytest.mark.parametrize(
    ("wanted", "options"),
    [
        (Wanted("x"), {}),
        (Wanted("x"), {"decimal": ","}),
        (Wanted("x"), {"null": ("e", "1", "nan", " -1 ")}),
        (Wanted("x", raw=True), {"null": ("1",)}),
        (Wanted("x", key=True), {"null": ("1",)}),
        (Wanted("x", LabelMap(("NA", "e"), (0.0, 1.0))), {}),
        (Wanted("x", LabelMap(("a", "e"), (0.0, 1.0))), {"null": ("n",)}),
        (Wanted("x", LabelMap(("0", "1"), (0.0, 1.0))), {"null": ("1", "5")}),
    ],
    ids=["numbers", "decimal", "null", "raw", "key", "label-NA", "labels", "numeric-labels"],
)
@settings(max_examples=400, deadline=None)
@given(cell=cells)
@example(cell="-nan(ind)")
@example(cell="nan(1_a)")
@example(cell=" NA ")
@example(cell="1\t")
@example(cell=" -1")
@example(cell="nan ")
@example(cell="\u00a0e")
@example(cell="e\u3000")
@example(cell="\x1ce")
def test_both_ways_to_read_a_cell_agree(wanted: Wanted, options: Any, cell: str) -> None:
    if options.get("decimal"):
        cell = cell.replace(".", ",")
    text = f"x;y\n{cell};1\n".encode()

    def source(kind: type[CsvSource]) -> CsvSource:
        return kind(io.BytesIO(text), "f.csv", ";", **options)

    by_python = said(source(ByPython), wanted)
    with suppress(NotImplementedError):
        assert said(source(ByArrow), wanted) == by_python
    told: list[Trouble] = []
    checked = said(LenientSource(source(CsvSource), told.append), wanted)
    assert ("refused" if told else checked) == by_python


@pytest.mark.parametrize("kind", [ByArrow, ByPython])
@pytest.mark.parametrize("cell", ["nan(ind)", "-nan(ind)", "NaN()", "+nan(0x_1)", "nan(snan)"])
def test_a_nan_may_say_which_it_is(kind: type[CsvSource], cell: str) -> None:
    """As C prints them, on Windows always; not a missing value, and no header either."""
    assert said(kind(io.BytesIO(f"{cell},1\n".encode()), "f"), Wanted("1")) == "nan"
    for other in ("nan(", "nan)", "nan(a b)", "nan(é)", "inf(ind)", "ind"):
        text = f"x,y\n{other},1\n".encode()
        assert said(CsvSource(io.BytesIO(text), "f"), Wanted("x")) == "refused"


#: a row whose number has blanks around it that Arrow does not know, so that it refuses the chunk
REFUSED = "\u00a00\u00a0"


@pytest.mark.parametrize("zero", ["0", REFUSED], ids=["arrow", "python"])
@pytest.mark.parametrize("gap", ["NA", " NA ", "\tNA", " - ", "  ", "\u00a0null"])
class TestMissingWordsWithBlanks:
    def test_labels_and_classes(self, zero: str, gap: str, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text(f"cat,dog,label\n{zero},1,dog\n2,1,{gap}\n1,1, cat \n")
        options: Any = {"target": "label", "null": "-", "missing": "skip"}
        found = losscli.compute("hinge", data=path, pred="cat", labels="cat,dog", **options)
        assert (found.n, found.skipped, found.value) == (2, 1, 1.5)  # (1 − 0 + 1 + 1) / 2
        found = losscli.compute(
            "cross-entropy", data=path, pred="cat,dog", classes="cat,dog", **options
        )
        assert (found.n, found.skipped) == (2, 1)

    def test_keys(self, zero: str, gap: str, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text(f"id,pred\n a ,{zero}\n{gap},1\n")
        (tmp_path / "u.csv").write_text("id,target\na,2\nNA,1\n")
        with pytest.raises(DataError, match=r"t\.csv, column 'id', row 2.*: a missing key"):
            losscli.compute("mse", pred=path, target=tmp_path / "u.csv", on="id", null="-")


@pytest.mark.parametrize("zero", ["0", REFUSED], ids=["arrow", "python"])
def test_a_label_is_missing_in_other_columns(zero: str, tmp_path: Path) -> None:
    """A word for a missing value that is a label is one in the column of labels alone."""
    path = tmp_path / "t.csv"
    path.write_text(f"pred,target,weight\n{zero},-999,1\n5,1,-999\n-999,1,1\n")
    found = losscli.compute(
        "hinge", data=path, weight="weight", labels="-999,1", null="-999", missing="skip"
    )
    assert (found.n, found.skipped, found.value) == (1, 2, 1.0)


def test_only_blanks_at_the_ends_of_a_cell_are_in_the_way() -> None:
    """Text in any script is read as fast as that of ASCII."""
    blanks = [chr(i) for i in range(0x110000) if chr(i).isspace() and chr(i) not in "\r\n"]
    assert len(blanks) == 27  # of the 29 that Unicode 15 has
    for blank in blanks:
        for cell in (f"{blank}é", f"é{blank}"):
            for text in (f"1;{cell}\n", f"{cell};1\n", f'"{cell}";1\n', cell):
                assert may_have_blanks(text.encode(), ";"), ascii(text)
    for text in ("été;日本語\n", "a\u00a0é;1\n", '"日\u3000本";“1”\n', "é b;1\n", "а\u0085б\r\n"):
        assert not may_have_blanks(text.encode(), ";"), text


def test_chunks_of_short_lines_have_no_more_rows_than_others() -> None:
    """Their numbers would take many times the room of their text."""
    text = b"1\n" * (9 * records.CHUNK_LINES)
    found = list(records.chunks(io.BytesIO(text), "t.csv", b","))
    # The first chunk is read before anything is known of its lines.
    assert max(chunk.count(b"\n") for chunk in found[1:]) <= records.CHUNK_LINES + 1
    assert b"".join(found) == text
    long = b"0.12345678901234567890\n" * records.CHUNK_LINES
    sizes = [len(chunk) for chunk in records.chunks(io.BytesIO(long), "t.csv", b",")]
    assert min(sizes[:-1]) > 0.99 * records.CHUNK
