"""JSON lines: every number to the nearest double, every bad line by its number."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import jsonl, records
from losscli.data.jsonl import JsonSource
from losscli.data.source import Wanted
from losscli.errors import DataError, FileError, LosscliError
from tests.conftest import Run

doubles = st.floats(allow_nan=False, allow_infinity=False)


def read(text: str | bytes, *columns: str, **options: Any) -> list[Any]:
    data = text.encode() if isinstance(text, str) else text
    source = JsonSource(io.BytesIO(data), "f.jsonl", **options)
    wanted = [Wanted(name) for name in columns or source.columns]
    pieces = list(source.pieces(wanted))
    return [np.concatenate([piece[i].array for piece in pieces]) for i in range(len(wanted))]


def by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every chunk to the reader that is there for what Arrow refuses."""
    monkeypatch.setattr(jsonl, "by_arrow", lambda *_: None)


@given(st.lists(st.tuples(doubles, doubles), min_size=1), st.integers(1, 400))
def test_numbers_round_trip(rows: list[tuple[float, float]], chunk: int) -> None:
    text = "".join(json.dumps({"a": a, "b": b}) + "\n" for a, b in rows)
    before, records.CHUNK = records.CHUNK, chunk
    try:
        found = np.column_stack(read(text))
    finally:
        records.CHUNK = before
    np.testing.assert_array_equal(found, np.array(rows))


digits = st.text("0123456789", min_size=1, max_size=30).map(lambda text: text.lstrip("0") or "0")


@settings(max_examples=200)
@given(digits, digits, st.integers(-330, 300), st.booleans())
def test_any_spelling_of_a_number_is_the_nearest_double(
    whole: str, part: str, exponent: int, negative: bool
) -> None:
    """As Python's float, which is correctly rounded, has it."""
    text = f"{'-' * negative}{whole}.{part}e{exponent}"
    if abs(float(text)) < np.inf:
        assert read(f'{{"a": {text}}}\n')[0].tolist() == [float(text)]


@pytest.mark.parametrize("python", [False, True])
@pytest.mark.parametrize("blank", ["", " "])
def test_a_whole_number_has_the_bits_of_its_text(
    python: bool, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python's float has them: the sign of -0, all that is finite, and infinity beyond it."""
    if python:
        by_python(monkeypatch)
    largest = str(int(np.finfo(float).max))
    texts = ["-0", "0", "-0.0", "1" + "0" * 308, "-1" + "0" * 308, str(1 << 1023), largest]
    texts += [str(int(largest) + (1 << 969)), "1" + "0" * 309, "-" + "7" * 5001]
    for text in texts:
        for cell in (text, f"[{text}]"):
            (found,) = read(f'{{"a": {cell}}}\n{blank}{{"a": {cell}}}\n')
            assert found.ravel().tobytes() == np.array([float(text)] * 2).tobytes()


def test_whole_numbers_of_thousands_of_digits(tmp_path: Path) -> None:
    """As values they are infinite; as keys they are too long, and as groups not confused."""
    path, long = tmp_path / "f.jsonl", "7" * 5000
    ids = [f"{long}1", f"{long}2", "-0", "0"]
    lines = [f'{{"pred": 0.5, "target": 0, "id": {key}}}\n' for key in ids]
    path.write_text("".join(lines))
    found = losscli.compute("dice", data=path, by="id", per_sample=True)
    assert len(found.per_sample) == 3
    with pytest.raises(DataError, match="column 'id', row 1: got inf, expected a finite number"):
        losscli.compute("mse", data=path, pred="id", target="target")
    with pytest.raises(DataError, match="over 76 digits"):
        losscli.compute("mse", pred=f"{path}#pred", target=f"{path}#target", on="id")
    path.write_text(f'{{"pred": 1, "target": 0, "id": {long}}}\n{{"id": 0.5}}\n')
    with pytest.raises(DataError, match=r"row 1: got 7+…, expected a number that float64 holds"):
        losscli.compute("mse", pred=f"{path}#pred", target=f"{path}#target", on="id")


@pytest.mark.parametrize("python", [False, True])
@pytest.mark.parametrize("chunk", [1, 50, 10_000])
def test_types_are_decided_by_what_is_wanted(
    python: bool, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole numbers first; fractions, gaps, words for numbers and huge ones later."""
    if python:
        by_python(monkeypatch)
    monkeypatch.setattr(records, "CHUNK", chunk)
    cells = ["1"] * 20 + ["2.5", "null", "NaN", "-Infinity", '"NaN"', '"Infinity"', "1e-5"]
    cells += ["123456789012345678901234567890", "1e999"]
    text = "".join(f'{{"a": {cell}}}\n' for cell in cells) + '{"b": 1}\n'
    expected = [1.0] * 20 + [2.5, np.nan, np.nan, -np.inf, np.nan, np.inf, 1e-5]
    expected += [1.2345678901234568e29, np.inf, np.nan]
    np.testing.assert_array_equal(read(text, "a")[0], expected)


@pytest.mark.parametrize("python", [False, True])
def test_members_of_objects_and_lists(python: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if python:
        by_python(monkeypatch)
    text = (
        '{"m": {"p": 1, "q": {"r": [1, 2.5]}}, "a.b": 7, "t": 0}\n'
        '{"m": {"p": 3, "x": "y", "q": {"r": [3, 4]}}, "a.b": 8, "t": 1}\n'
        '{"m": null, "a.b": 9, "t": null}\n'
    )
    source = JsonSource(io.BytesIO(text.encode()), "f")
    assert source.columns == ["m.p", "m.q.r", "a.b", "t", "m.x"]
    p, r, ab = read(text, "m.p", "m.q.r", "a.b")
    np.testing.assert_array_equal(p, [1, 3, np.nan])
    np.testing.assert_array_equal(r, [[1, 2.5], [3, 4], [np.nan, np.nan]])
    np.testing.assert_array_equal(ab, [7, 8, 9])


def test_two_columns_of_one_name() -> None:
    with pytest.raises(DataError, match=r"2 columns are called 'a\.b'"):
        read('{"a.b": 1, "a": {"b": 2}}\n', "a.b")


def test_losses_of_lines(tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(7)
    scores, label = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    words = np.array(["cat", "dog", "cow"])[label]
    lines = [
        {"out": {"scores": s.tolist()}, "label": int(y), "word": w, "g": f"é{y}", "note": w}
        for s, y, w in zip(scores, label.tolist(), words.tolist(), strict=True)
    ]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    expected = losscli.compute("cross-entropy", pred=scores, target=label)
    found = losscli.compute("cross-entropy", data=path, pred="out.scores", target="label")
    assert found.value == expected.value
    named = losscli.compute(
        "cross-entropy", data=path, pred="out.scores", target="word", classes="cat,dog,cow"
    )
    assert named.value == expected.value
    done = run(
        "compute", "cross-entropy", "--data", "-", "--pred", "out.*", "--target", "label",
        "-f", "value", input=path.read_bytes(),
    )  # fmt: skip
    assert (done.stderr, float(done.stdout)) == ("", expected.value)


def test_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.jsonl"
    rows = [(0.9, 1, "é"), (0.2, 0, "é"), (0.4, 1, 7), (0.3, 1, 7.0)]
    path.write_text(
        "".join(json.dumps({"pred": p, "target": t, "by": by}) + "\n" for p, t, by in rows)
    )
    fast = losscli.compute("dice", data=path, by="by", per_sample=True)
    assert len(fast.per_sample) == 3  # é, 7 and 7.0
    by_python(monkeypatch)
    slow = losscli.compute("dice", data=path, by="by", per_sample=True)
    np.testing.assert_array_equal(slow.per_sample, fast.per_sample)


def test_json_of_pandas(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"pred": rng.normal(size=100), "target": rng.normal(size=100)})
    frame.loc[3, "pred"] = None
    frame.to_json(tmp_path / "p.json", orient="records", lines=True, double_precision=15)
    read_back = pd.DataFrame(
        [json.loads(line) for line in (tmp_path / "p.json").read_text().splitlines()]
    )
    found = losscli.compute("mse", data=tmp_path / "p.json", nonfinite="skip", per_sample=True)
    expected = losscli.compute("mse", data=read_back, nonfinite="skip", per_sample=True)
    np.testing.assert_array_equal(found.per_sample, expected.per_sample)


@pytest.mark.parametrize("chunk", [1, 30, 10_000])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": 1,}', r"line 12: not JSON: .* at character [89]"),
        ('{"a": 1', r"line 12: not JSON: .* at character 8"),
        ("[1]", r"line 12: \[1\], expected an object"),
        ("7", r"line 12: 7, expected an object"),
        ('{"a": 1, "a": 2}', r"line 12: two values of 'a'"),
        ('{"a": 1} {"a": 2}', r"line 12: not JSON: Extra data at character 1"),
        ('{"a": 0x1F}', r"line 12: not JSON"),
        ('{"a": 1_000}', r"line 12: not JSON"),
        ('{"a": "1.5"}', r'column \'a\', row 11: got "1\.5", expected a number'),
        ('{"a": true}', r"column 'a', row 11: got true, expected a number"),
        ('{"a": [1]}', r"column 'a', row 11: got \[1\], expected a number"),
        ('{"a": {"b": 1}}', r"column 'a', row 11: got \{\"b\": 1\}, expected a number"),
    ],
)
def test_a_bad_line_is_named(
    chunk: int, line: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blank line is a line, and no row."""
    monkeypatch.setattr(records, "CHUNK", chunk)
    good = '{"a": 1}\n'
    with pytest.raises(DataError, match=message):
        read("\n" + good * 10 + line + "\n" + good * 10, "a")


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(FileError, match="line 2: not UTF-8"):
        read(b'{"a": 1}\n{"a": \xe9}\n')
    with pytest.raises(FileError, match="line 2: not UTF-8"):
        read(b'{"a": 1}\n{"a": 2, "b": "\xe9"}\n', "a")


@pytest.mark.parametrize("blank", ["", " "], ids=["arrow", "python"])
@pytest.mark.parametrize(
    "line", ['{"a": -NaN}', '{"a": 1, "z": -Inf}', '{"a":Inf}', '{"z":[-NaN]}']
)
def test_what_only_arrow_takes_for_numbers(line: str, blank: str) -> None:
    with pytest.raises(DataError, match="line 2: not JSON: "):
        read(f'{{"a": 1}}\n{blank}{line}\n', "a")


@pytest.mark.parametrize("blank", ["", " "], ids=["arrow", "python"])
def test_names_that_are_twice_matter_where_they_are_asked_for(blank: str) -> None:
    text = f'{blank}{{"a": 1, "z": 1, "z": 2, "o": {{"a": 3, "b": 1, "b": 2}}}}\n'
    assert read(text, "a", "o.a") == [1, 3]
    for name in ("z", "o.b"):
        with pytest.raises(DataError, match=f"line 1: two values of '{name[-1]}'"):
            read(text, "a", name)


@pytest.mark.parametrize("blank", ["", " "], ids=["arrow", "python"])
@pytest.mark.parametrize(
    ("first", "later", "found"),
    [
        ("[null, null]", "[true, false]", [[np.nan, np.nan], [1, 0]]),
        ("[true, false]", "[null, null]", [[1, 0], [np.nan, np.nan]]),
        ("[null, [null]]", "[[1], [0.5]]", [[[np.nan], [np.nan]], [[1], [0.5]]]),
        ("[1, 0.5]", "[null, 2]", [[1, 0.5], [np.nan, 2]]),
    ],
)
def test_lists_of_nulls_may_be_of_anything(
    first: str, later: str, found: Any, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rows in (1, 1001):
        records = [f'{blank}{{"a": {value}}}\n'.encode() for value in (first, later)]
        monkeypatch.setattr(jsonl, "lines", lambda *_, r=rows, s=records: iter([s[0] * r, s[1]]))
        (array,) = read("")
        np.testing.assert_array_equal(array[rows - 1 :], found)


def test_words_for_numbers_are_no_booleans(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"a": "NaN"}\n')
    (tmp_path / "2.jsonl").write_text('{"a": true}\n')
    with pytest.raises(
        DataError, match=r"2\.jsonl, column 'a', row 1: got true, expected a number"
    ):
        losscli.compute("mse", pred=f"{tmp_path}#a", target=f"{tmp_path}#a", nonfinite="skip")


def test_lists_of_other_things() -> None:
    with pytest.raises(DataError, match=r'row 2: got \["x"\], expected a list of numbers'):
        read('{"a": [1]}\n{"a": ["x"]}\n')
    with pytest.raises(DataError, match=r"row 1: got \[1, \"x\"\], expected a number"):
        read('{"a": [1, "x"]}\n')
    with pytest.raises(DataError, match="row 2: a list of 1 value, expected a list of 2 values"):
        read('{"a": [1, 2]}\n{"a": [1]}\n')


def test_what_is_not_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    for text, message in (
        ('[{"pred": 1, "target": 2}]', "a JSON array, expected one object a line"),
        ('[\n  {"pred": 1, "target": 2}\n]', "a JSON array, expected one object a line"),
        ('{\n  "pred": 1\n}\n', "line 1: not JSON"),
        ("", "empty"),
        ("pred,target\n1,2\n", "line 1: not JSON"),
    ):
        path.write_text(text)
        with pytest.raises(LosscliError, match=message):
            losscli.compute("mse", data=path, pred="pred", target="target")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{\n  "pred": 1,\n  "target": 2}\n', "jq -c . p.json"),
        ('{"pred": 1,\n"target": 2}\n', "jq -c . p.json"),
        ('{"pred": 1, "target": 2} {"pred": 3, "target": 2}\n', "jq -c . p.json"),
        (
            '{"pred": 1, "target": 2, "é": 3},\n{"pred": 3, "target": 1}\n',
            "sed 's/,[[:space:]]*$//' p.json",
        ),
        ("{'pred': 1, 'target': 2}\n", ""),
        ('{"pred": 1, "target": 2,}\n', ""),
        ('{"pred": 1, "target": 2} x\n', ""),
        ('{"pred": 0x1, "target": 2}\n', ""),
        ("pred,target\n1,2\n", ""),
    ],
)
def test_advice_on_what_is_not_json_lines(
    text: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """jq and sed are named where they mend the file."""
    monkeypatch.chdir(tmp_path)
    Path("p.json").write_text(text)
    with pytest.raises(LosscliError, match="line 1: not JSON") as error:
        losscli.compute("mse", data="p.json", pred="pred", target="target")
    assert error.value.hint == (hint and f"{hint} | losscli … reads it from '-'")


def test_a_record_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST_RECORD", 1 << 10)
    monkeypatch.setattr(records, "CHUNK", 1 << 8)
    with pytest.raises(DataError, match="a record of over 0 MiB: not a file of lines"):
        read('{"a": "' + "x" * 5000)


def test_words_for_missing_values() -> None:
    found = read('{"a": "NA"}\n{"a": 1}\n{"a": "-"}\n', null=("NA", "-"))[0]
    np.testing.assert_array_equal(found, [np.nan, 1, np.nan])


@pytest.mark.parametrize("text", ["null\n", '{"a": 1}\nnull\n', ' null\n{"a": 1}\n'])
def test_a_line_that_is_null_is_refused(tmp_path: Path, text: str) -> None:
    """At the start of a chunk, pyarrow's parser would end the process for it."""
    (tmp_path / "f.jsonl").write_text(text)
    with pytest.raises(LosscliError, match=r"line [12]"):
        losscli.compute("mse", data=str(tmp_path / "f.jsonl"), pred="a", target="a")


RAW = {
    "words": [f"k{i}é" for i in range(50)],
    "whole": [(-1) ** i * i * 2**50 for i in range(50)],
    "numbers": [i / 8 for i in range(50)],
    "some whole": [0.5, *range(1, 50)],
    "whole at first": [*range(30), *(i + 0.5 for i in range(20))],
    "booleans": [True, False],
    "huge": [2**70 + i for i in range(50)],
}


@pytest.mark.parametrize(
    ("kind", "chunk"),
    [(kind, 1 << 20) for kind in RAW] + [(kind, 200) for kind in ("words", "whole", "numbers")],
)
def test_keys_are_the_same_however_they_are_read(
    kind: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, keys in (("pred", RAW[kind]), ("target", RAW[kind][::-1])):
        lines = [json.dumps({"id": k, name: i, "n": None}) + "\n" for i, k in enumerate(keys)]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    files = {name: str(tmp_path / f"{name}.jsonl#{name}") for name in ("pred", "target")}
    monkeypatch.setattr(records, "CHUNK", chunk)
    found = losscli.compute("mse", **files, on="id", per_sample=True)
    by_python(monkeypatch)
    same = losscli.compute("mse", **files, on="id", per_sample=True)
    assert found.per_sample.tolist() == same.per_sample.tolist()
    n = len(RAW[kind])
    assert found.per_sample.tolist() == [(2 * i - n + 1) ** 2 for i in range(n)]


@pytest.mark.parametrize("kind", ["words", "whole", "numbers", "some whole", "booleans"])
def test_keys_and_values_as_they_are_are_readby_arrow(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("Arrow can read this")

    monkeypatch.setattr(JsonSource, "_by_python", never)
    text = "".join(json.dumps({"x": value}) + "\n" for value in [*RAW[kind], None])
    source = JsonSource(io.BytesIO(text.encode()), "f.jsonl")
    ((values,),) = source.pieces([Wanted("x", raw=True)])
    assert values.array.to_pylist() == [*RAW[kind], None]


def test_keys_that_are_not_utf_8_are_named() -> None:
    source = JsonSource(io.BytesIO(b'{"x": "a"}\n{"x": "\xe9"}\n'), "f.jsonl")
    with pytest.raises(FileError, match=r"^f\.jsonl, line 2: not UTF-8 text$"):
        list(source.pieces([Wanted("x", raw=True)]))


def test_half_a_character_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(
        '{"pred": 1, "target": "a"}\n{"pred": 1, "target": "\\ud800"}\n'
    )
    with pytest.raises(DataError, match="column 'target'"):
        losscli.compute("hinge", data=tmp_path / "f.jsonl", labels="a,b")


def test_a_stretch_of_nulls_has_the_shape_of_the_lists(run: Run, tmp_path: Path) -> None:
    """A piece of the file may hold nothing but nulls, which do not say what they stand for."""
    list_, null = '{"x": [1.5, 2], "y": [1.5, 1]}\n', '{"x": null, "y": null}\n'
    for lines in (list_ + null * 120_000 + list_, null * 120_000 + list_ * 2):
        (tmp_path / "b.jsonl").write_text(lines)
        done = run("compute", "mse", "--pred", "b.jsonl#x", "--target", "b.jsonl#y",
                   "--nonfinite", "skip", "-f", "value")  # fmt: skip
        assert (done.stdout, done.stderr) == ("0.5\n", "")  # (0 + 1) / 2 a row


def test_lists_without_values_are_named(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"pred": [], "target": 1}\n{"pred": [], "target": 2}\n')
    said = r"p\.jsonl, column 'pred', row 1: a list without values, expected one or more"
    with pytest.raises(DataError, match=said):
        losscli.compute("mse", data=path)
    with pytest.raises(DataError, match=r"^pred, row 1: a list without values"):
        losscli.compute("mse", pred=[[], []], target=[1.0, 2.0])


@pytest.mark.parametrize("rows", [1, 2000])
def test_files_of_a_data_set_hold_one_kind_of_value(rows: int, tmp_path: Path) -> None:
    """`true` counts as 1 where a column holds nothing else, and not after a file of numbers."""
    for name, value in [("1", "null"), ("2", "0.5"), ("3", "null"), ("4", "true")]:
        text = f'{{"p": {value}, "t": 1}}\n' * rows
        (tmp_path / f"{name}.jsonl").write_text(text)
    with pytest.raises(DataError, match=r"4\.jsonl, column 'p', row 1: got true, expected a num"):
        losscli.compute("mse", data=tmp_path, pred="p", target="t", missing="skip")
    (tmp_path / "2.jsonl").write_text('{"p": false, "t": 1}\n')
    found = losscli.compute("mse", data=tmp_path, pred="p", target="t", missing="skip")
    assert found.value == 1 / (1 + rows)


@pytest.mark.parametrize("late", ["2.5", "[1, 2.5]"])
def test_a_kind_that_shows_late_holds_from_there_on(
    late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first thousand records, which tell the kinds, may be null in a column."""
    records = [b'{"a": null}\n' * 1001, b'{"a": %s}\n' % late.encode(), b'{"a": true}\n']
    monkeypatch.setattr(jsonl, "lines", lambda *_: iter(records))
    with pytest.raises(DataError, match="column 'a', row 1003: got true, expected a"):
        read("")
