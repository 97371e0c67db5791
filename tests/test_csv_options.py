"""What a CSV may be: comments, decimal commas, words for missing values, encodings, wide tables."""

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import records
from losscli.data.text import Uncommented
from losscli.errors import DataError, FileError, LosscliError, UsageError
from tests.conftest import Run
from tests.test_data import read

doubles = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_comments_are_left_out_and_counted(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK", chunk)
    text = b'# made by "x\n#\nx,y\n1,2\n# 7,8\r\n"3",4\n#,"9\n5,6'
    x, y = read(text, comment="#")
    np.testing.assert_array_equal([x, y], [[1, 3, 5], [2, 4, 6]])
    np.testing.assert_array_equal(read(b"//\n1\n\n// no\n3\n", comment="//")[0], [1, np.nan, 3])
    with pytest.raises(DataError, match=r"^f\.csv, line 10: 1 fields, expected 2$"):
        read(text + b"\n#\n7\n", comment="#")
    with pytest.raises(DataError, match=r"^f\.csv, line 3: 2 fields, expected 1$"):
        read(b"x\n#\n1,2\n", comment="#")
    with pytest.raises(
        DataError, match=r"column 'y', row 2 \(line 3\): got '4 # no', expected a number"
    ):
        read(b"x,y\n1,2\n3,4 # no\n", comment="#")


@given(
    st.lists(
        st.one_of(st.text('#a"\n, ', max_size=6), st.just("#")).map(lambda t: (t, len(t))),
        min_size=1,
        max_size=30,
    ),
    st.integers(3, 64),  # no less than the mark of UTF-8
    st.booleans(),
)
def test_quoted_text_is_no_comment(rows: list[tuple[str, int]], chunk: int, crlf: bool) -> None:
    """A line that starts with # inside of quotes is text; any comment may stand between rows."""
    end = "\r\n" if crlf else "\n"
    text = f"note,x{end}"
    for i, (note, x) in enumerate(rows):
        text += f'# row {i}, "half{end}' * (i % 3)
        text += '"{}",{}{}'.format(note.replace('"', '""'), x, end)
    before, records.CHUNK = records.CHUNK, chunk
    try:
        values = read(b"\xef\xbb\xbf" + text.encode(), "x", comment="#")[0]
    finally:
        records.CHUNK = before
    np.testing.assert_array_equal(values, [x for _, x in rows])


def test_comments_of_any_length_are_read_in_bounded_time() -> None:
    """Records that are looked for again and again in a buffer would take hours."""
    start = time.process_time()
    text = b'x,y\n"1",2\n' + b"# comment\n" * 200_000 + b"3,4\n" * 200_000
    assert len(read(text, "x", comment="#")[0]) == 200_001
    assert time.process_time() - start < 10


@settings(max_examples=50)
@given(st.lists(st.tuples(doubles, doubles), min_size=1), st.sampled_from([";", "\t", "|"]))
def test_decimal_commas_round_trip(rows: list[tuple[float, float]], delimiter: str) -> None:
    text = f"a{delimiter}b\n" + "".join(
        f"{a!r}{delimiter}{b!r}\n".replace(".", ",") for a, b in rows
    )
    np.testing.assert_array_equal(np.column_stack(read(text.encode(), decimal=",")), np.array(rows))


def test_decimal_commas() -> None:
    np.testing.assert_array_equal(read(b"1,5\n2\n-0,5e1\n", decimal=",")[0], [1.5, 2, -5])
    np.testing.assert_array_equal(read(b'"x;1";y\n 1,5 ;"2,5"\n', decimal=",")[0], [1.5])
    for cell in (b"1.5", b"1.000,5", b"1,5,5", b"1,"[:2] + b",2"):
        with pytest.raises(DataError, match=r"row 1 \(line 2\): got .*, expected a number"):
            read(b"x;y\n" + cell + b";1\n", "x", decimal=",")
    with pytest.raises(DataError, match="got '1,5'") as error:
        read(b"x;y\n1,5;1\n", delimiter=";")
    assert error.value.hint == "--decimal , reads numbers with a decimal comma"


def test_words_for_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("pred,target\n-,1\n?,1\nNA,1\n-999,1\n2,1\n -,1\n")
    for null in ("-,?,-999", ["-", "?", -999]):
        found = losscli.compute("mse", data=path, null=null, nonfinite="skip")
        assert (found.value, found.skipped) == (1.0, 5)
    with pytest.raises(DataError, match=r"row 2 \(line 3\): got '\?', expected a number"):
        losscli.compute("mse", data=path, null="-", nonfinite="skip")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_encodings_that_name_themselves(encoding: str, ending: str, tmp_path: Path) -> None:
    rows = 5000
    mark = "" if encoding in ("utf-16", "utf-32", "utf-8-sig") else "\ufeff"
    lines = ["pred,цель", *(f"{i}.5,{i}" for i in range(rows))]
    path = tmp_path / "t.csv"
    path.write_bytes((mark + ending.join(lines)).encode(encoding))
    assert losscli.compute("mse", data=path, pred="pred", target="цель").value == 0.25
    path.write_bytes((mark + ending.join([*lines, "1"])).encode(encoding))
    with pytest.raises(DataError, match=f"line {rows + 2}: 1 fields, expected 2"):
        losscli.compute("mse", data=path, pred="pred", target="цель")
    json = tmp_path / "t.jsonl"
    json.write_bytes((mark + '{"pred": 1, "цель": 2}\n').encode(encoding))
    assert losscli.compute("mse", data=json, pred="pred", target="цель").value == 1


def test_encodings_that_do_not(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("pred,target\n1,2\n".encode("utf-16-le"))
    with pytest.raises(FileError, match="text with zero bytes") as error:
        losscli.compute("mse", data=path)
    assert "iconv -f UTF-16LE" in error.value.hint
    path.write_bytes("\ufeffpred,target\n1,2\n".encode("utf-16-le") + b"\0\xd8\0")
    with pytest.raises(FileError, match="not UTF-16 text after line 2"):
        losscli.compute("mse", data=path)


@pytest.mark.parametrize("gap", [b"", b"NA ", b"inf"])
def test_other_encodings_are_no_obstacle_where_they_are_not_read(
    gap: bytes, tmp_path: Path
) -> None:
    """Also where Arrow refuses a chunk, which is then read cell by cell."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"pr\xe9d,caf\xe9,target\n1,\xe9\xff,2\n" + gap + b",\xe9,2\n3,x,2\n")
    found = losscli.compute("mse", data=path, pred="pr?d", target="target", nonfinite="skip")
    assert (found.value, found.skipped) == (1.0, 1)
    with pytest.raises(FileError, match="line 2: not UTF-8 text"):
        losscli.compute("mse", data=path, pred="caf?", target="target")
    with pytest.raises(FileError, match="line 2: not UTF-8 text"):
        losscli.compute("dice", data=path, pred="target", target="target", by="caf?")


@pytest.mark.parametrize(
    "cell",
    ["1_000", "0x1F", "1,000", "1e", "e5", "--1", "1 2", "½",
     "１", "0b1", "1.2.3", "$1", "1%", "1f",
     "true", "infinit", "1d5", "+-1", "1e5.5", "١"],
)  # fmt: skip
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(DataError, match=r"row 2 \(line 3\): got .*, expected a number"):
        read(f'x,y\n1,2\n"{cell}",2\n'.encode())


@pytest.mark.parametrize(
    ("cell", "number"),
    [("+1", 1), ("1.", 1), (".5", 0.5), ("1E5", 1e5), ("1e+05", 1e5), ("-0", -0.0), ("00012", 12),
     ("Inf", np.inf), ("-INF", -np.inf), ("infinity", np.inf), ("+inf", np.inf), ("NaN", np.nan),
     ("-nan", np.nan), ("-nan(ind)", np.nan),
     ("1e400", np.inf), ("1e-400", 0), (" 7 ", 7), ("\t7", 7),
     ("0.1000000000000000055511151231257827", 0.1), ("9007199254740993", 9007199254740992),
     ("4.9406564584124654e-324", 5e-324), ("2.4703282292062328e-324", 5e-324)],
)  # fmt: skip
def test_spellings_of_numbers(cell: str, number: float) -> None:
    """Python's float of the same text, where it takes it."""
    found = read(f"x,y\n1,2\n{cell},2\n".encode(), "x")[0][1]
    np.testing.assert_array_equal(found, number)
    assert np.signbit(found) == np.signbit(number) or np.isnan(number)


digits = st.text("0123456789", min_size=1, max_size=30)


@settings(max_examples=200)
@given(digits, digits, st.integers(-330, 310), st.sampled_from(["", "-", "+"]))
def test_any_spelling_of_a_number_is_the_nearest_double(
    whole: str, part: str, exponent: int, sign: str
) -> None:
    text = f"{sign}{whole}.{part}e{exponent}"
    assert read(f"x,y\n{text},2\n".encode(), "x")[0].tolist() == [float(text)]


def test_thousands_of_columns(tmp_path: Path) -> None:
    width = 10_000
    path = tmp_path / "w.csv"
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(3, width))
    lines = [",".join([*(f"s_{i}" for i in range(width)), "y"])]
    lines += [",".join([*map(repr, row.tolist()), str(i)]) for i, row in enumerate(scores)]
    path.write_text("\n".join(lines))
    start = time.process_time()
    found = losscli.compute("cross-entropy", data=path, pred="s_*", target="y")
    assert time.process_time() - start < 5
    assert found.value == losscli.compute("cross-entropy", pred=scores, target=[0, 1, 2]).value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_format": "xls"}, "--input-format: expected one of csv, tsv, .*, got 'xls'"),
        ({"comment": ""}, "--comment: expected what"),
        ({"comment": '"'}, "--comment: expected what"),
        ({"decimal": "'"}, "--decimal: expected"),
        ({"decimal": ",", "delimiter": ","}, "one character, and cannot be told apart"),
        ({"delimiter": ",,"}, "--delimiter: expected one character"),
        ({"delimiter": "ü"}, "--delimiter: expected one character of ASCII, got 'ü'"),
        ({"delimiter": "\0"}, "--delimiter: expected one character of ASCII"),
    ],
)
def test_options_that_are_none(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        losscli.compute("mse", pred=[1.0], target=[1.0], **options)


def test_options_of_the_command_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("# by hand\npred;target\n1,5;-\n2,5;1,5\n")
    done = run(
        "compute", "mse", "--data", "t.csv", "--comment", "#", "--decimal", ",", "--null", "-",
        "--nonfinite", "skip", "-f", "value",
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1.0\n", "")
    done = run("compute", "mse", "--data", "t.csv", "--input-format", "parquet")
    assert done.stderr.startswith("error: t.csv: not a readable Parquet file")


def test_input_format(tmp_path: Path) -> None:
    odd = tmp_path / "t.parquet"
    odd.write_text('{"pred,target\n1,2\n')
    assert losscli.compute("mse", pred=f"{odd}#target", target=[2.0], input_format="csv").value == 0
    odd.write_text("pred\ttarget\n1\t2\n")
    assert losscli.compute("mse", data=odd, input_format="tsv").value == 1
    odd.write_text(' {"pred": 1, "target": 2}')
    assert losscli.compute("mse", data=odd, input_format="jsonl").value == 1
    for kind in ("parquet", "arrow", "npy", "npz", "safetensors"):
        with pytest.raises(LosscliError, match="not a readable"):
            losscli.compute("mse", data=odd, input_format=kind)
    np.save(tmp_path / "a.csv", np.arange(3.0))
    path = tmp_path / "a.csv.npy"
    assert losscli.compute("mse", pred=path, target=path, input_format="npy").value == 0
    with pytest.raises(FileError, match="in the format npy, not csv"):
        losscli.compute("mse", pred=path, target=path, input_format="csv")


@pytest.mark.parametrize("other", ["1", " NA "], ids=["arrow", "cells"])
@pytest.mark.parametrize("word", ["NA", " NA ", "NA ", '" NA "', " - ", ""])
def test_blanks_around_a_missing_label(word: str, other: str, run: Run, tmp_path: Path) -> None:
    """Also where all that follows is read by the parser of Arrow, which knows no blanks."""
    text = f"pred,target,c\n0.5, yes ,1\n1,{word},1\n0.5,no,{other}\n"
    (tmp_path / "l.csv").write_text(text)
    done = run(
        "compute", "hinge", "--data", "l.csv", "--weight", "c", "--labels", "no,yes",
        "--null", "-", "--nonfinite", "skip", "-f", "json",
    )  # fmt: skip
    result = json.loads(done.stdout)
    # max(0, 1 - 0.5) and max(0, 1 + 0.5); the weight NA skips the second of them
    assert result["value"] == (1.0 if other == "1" else 0.5)
    assert result["skipped"] == (1 if other == "1" else 2)


def test_blanks_around_missing_keys_and_groups(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\na,1\n NA ,2\n")
    (tmp_path / "t.csv").write_text("id,target\na,1\nb,2\n")
    done = run("compute", "mse", "--pred", "p.csv#pred", "--target", "t.csv#target", "--on", "id")
    assert "p.csv, column 'id', row 2 (line 3): a missing key" in done.stderr
    (tmp_path / "g.csv").write_text("pred,target,id\n1,1,a\n1,0,a\n1,1, NA \n")
    done = run("compute", "dice", "--data", "g.csv", "--by", "id")
    assert "g.csv, column 'id', row 3 (line 4): missing, expected the group" in done.stderr


@pytest.mark.parametrize("other", ["1", " NA "], ids=["arrow", "cells"])
@pytest.mark.parametrize("blank", [" ", "\t", "\u3000"])
def test_blanks_are_part_of_text_and_not_of_numbers(
    other: str, blank: str, run: Run, tmp_path: Path
) -> None:
    """As pandas, Polars, DuckDB and Arrow write and read text; whoever reads the cells."""
    keys = ["a", f"{blank}a", f"a{blank}", blank + "a b" + blank, "a b"]
    lines = [
        f'"{keys[0]}",0',
        f'"{keys[1]}",1',
        *(f"{key},{i}" for i, key in enumerate(keys[2:], 2)),
    ]
    numbers = [f"{blank}7,5", f'"8{blank}",6', f"-1e5{blank},{other}"]
    (tmp_path / "p.csv").write_text("\n".join(["id,pred", *lines, *numbers[:2], ""]))
    pq.write_table(
        pa.table(
            {"id": [*reversed(keys), f"{blank}7", f"8{blank}"], "target": [4.0, 3, 2, 1, 0, 5, 6]}
        ),
        tmp_path / "t.parquet",
    )
    ask = ("compute", "mae", "--pred", "p.csv#pred", "--target")
    done = run(*ask, "t.parquet#target", "--on", "id", "-f", "csv", "--reduction", "none")
    assert [line.split(",")[-1] for line in done.stdout.splitlines()[1:]] == ["0.0"] * 7
    (tmp_path / "n.csv").write_text("\n".join(["id,pred", *numbers[:2], ""]))
    pq.write_table(pa.table({"id": [8, 7], "target": [6.0, 5]}), tmp_path / "n.parquet")
    done = run("compute", "mae", "--pred", "n.csv#pred", "--target", "n.parquet#target",
               "--on", "id", "-f", "value")  # fmt: skip
    assert done.stdout == "0.0\n"
    (tmp_path / "t.csv").write_text("\n".join(["id,target", *lines[:3], f"{blank}a b,3", ""]))
    (tmp_path / "p.csv").write_text("\n".join(["id,pred", *lines[:4], ""]))
    done = run(*ask, "t.csv#target", "--on", "id")
    assert f"has a key that t.csv lacks: id {keys[3]!r} (row 4, line 5)" in done.stderr
    assert "hint: blanks around text are part of a key" in done.stderr
    ones = [line.rpartition(",")[0] + ",1" for line in [*lines, *numbers[:2]]]
    (tmp_path / "g.csv").write_text("\n".join(["by,pred", *ones, numbers[2], ""]))
    done = run("compute", "dice", "--data", "g.csv", "--target", "pred", "--by", "by",
               "--missing", "skip", "--reduction", "none", "-f", "json")  # fmt: skip
    groups = [row["group"] for row in json.loads(done.stdout)]
    assert groups == [*keys, "7", "8", "-1e5"][: 8 if other == "1" else 7], done.stderr


@pytest.mark.parametrize("other", ["1", " NA "], ids=["arrow", "cells"])
@pytest.mark.parametrize("text", ["nan(ind)", "-nan(ind)", "NaN(1)", " nan() "])
def test_the_nan_of_c(text: str, other: str, run: Run, tmp_path: Path) -> None:
    """Whoever reads the other cells of its chunk."""
    (tmp_path / "n.csv").write_text(f"pred,target\n{text},1\n2,{other}\n")
    done = run("compute", "mse", "--data", "n.csv", "--missing", "skip")
    assert "column 'pred', row 1 (line 2): got nan, expected a finite number" in done.stderr
    done = run("check", "mse", "--data", "n.csv", "--missing", "skip", "-f", "json")
    assert [p["reason"] for p in json.loads(done.stdout)["problems"]] == ["not-finite"]


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_row_in_no_group(missing: Any) -> None:
    with pytest.raises(DataError, match="by, row 2: missing, expected the group of every row"):
        losscli.compute("dice", pred=[1, 1], target=[1, 0], by=np.array(["a", missing], object))


def test_comments_in_a_row_take_no_memory_each() -> None:
    """Where lines are is kept by runs of comments."""
    stream = io.BytesIO(b"x\n" + b"#\n" * 100_000 + b"1\n#\n#\n2\n")
    plain = Uncommented(stream, "#", b",")
    while plain.read(1 << 10):
        pass
    assert [plain.line(number) for number in (1, 2, 3)] == [1, 100_002, 100_005]
    assert len(plain._dropped) == len(plain._before) == 2


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"delimiter": ";"}, "--delimiter"),
        ({"header": False}, "--no-header"),
        ({"header": True}, "--header"),
        ({"comment": "#"}, "--comment"),
        ({"decimal": ","}, "--decimal"),
        ({"null": "-999"}, "--null -999"),
    ],
)
def test_what_is_said_of_csv_is_of_no_account_elsewhere(
    options: dict[str, Any], name: str, tmp_path: Path
) -> None:
    """So it is refused, unless one of the files is CSV."""
    table = pa.table({"pred": [1.0, -999.0], "target": [1.0, 0.0]})
    pq.write_table(table, tmp_path / "p.parquet")
    (tmp_path / "p.jsonl").write_text('{"pred": -999, "target": 0}\n')
    for file in ("p.parquet", "p.jsonl"):
        with pytest.raises(UsageError, match=f"{name} is for text of CSV|{name} is for text"):
            losscli.compute("mse", data=tmp_path / file, **options)
    (tmp_path / "t.csv").write_text("target\n1\n0\n" if "header" not in options else "1\n0\n")
    beside = {**options, "header": False} if "header" in options else options
    result = losscli.compute(
        "mse", pred=f"{tmp_path}/p.parquet#pred", target=tmp_path / "t.csv", **beside
    )
    assert result.n == 2


def test_words_for_what_is_missing_are_of_account_in_json(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(
        '{"pred": "NA", "target": 0}\n{"pred": 1, "target": 0}\n{"pred": "gone", "target": 0}\n'
    )
    result = losscli.compute("mse", data=tmp_path / "p.jsonl", null="gone,NA", nonfinite="skip")
    assert (result.n, result.skipped) == (1, 2)
