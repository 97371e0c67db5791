"""Files as people have them: each gives its number, or an error with a hint that works."""

import os
from pathlib import Path

import pytest

import losscli
from losscli.errors import DataError, FileError
from tests.conftest import Run


def mse(path: Path, data: bytes, **options: str) -> float:
    path.write_bytes(data)
    return losscli.compute("mse", data=str(path), **options).value


@pytest.mark.parametrize(
    "data",
    [
        b"sep=;\r\npred;target\r\n1;2\r\n2;2\r\n",
        b"\xef\xbb\xbfSEP=,\npred,target\n1,2\n2,2\n",
        b"sep=\t\npred\ttarget\n1\t2\n2\t2\n",
        b"pred,target,\n1,2,\n2,2,\n",
        b",pred,target\n0,1,2\n1,2,2\n",
        b"pred,target\n1,2\n2,2\n\n\n",
    ],
)
def test_csv_that_gives_its_number(data: bytes, tmp_path: Path) -> None:
    assert mse(tmp_path / "f.csv", data) == 0.5


def test_a_line_that_says_the_delimiter_counts_as_a_line(tmp_path: Path) -> None:
    assert mse(tmp_path / "f.csv", b"sep=;\npred;target\n1,5;2\n", decimal=",") == 0.25
    with pytest.raises(DataError, match=r"row 2 \(line 4\): got 'x'"):
        mse(tmp_path / "f.csv", b"sep=;\npred;target\n1;2\nx;2\n")


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"pred,target\n1\0,2\n3,4\n", "text with zero bytes", r"tr -d '\0' < "),
        ("pred,target\n1,2\n".encode("utf-16-le"), "text with zero bytes", "iconv -f UTF-16LE"),
    ],
)
def test_files_that_are_refused(data: bytes, message: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message) as error:
        mse(tmp_path / "f.csv", data)
    assert hint in error.value.hint


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    os.symlink("gone.csv", tmp_path / "link.csv")
    with pytest.raises(FileError, match="No such file") as error:
        losscli.compute("mse", data=str(tmp_path / "link.csv"))
    assert error.value.hint == "it is a symbolic link to gone.csv, which is not there"


def test_a_file_that_is_called_as_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "-").write_text("pred,target\n1,2\n")
    assert run("compute", "mse", "--data", "./-", "-f", "value").stdout == "1.0\n"
    other = "pred,target\n1,3\n"
    assert run("compute", "mse", "--data", "-", "-f", "value", input=other).stdout == "4.0\n"
    done = run("compute", "mse", "--data", "./-", "-o", "./-", "--force", "-f", "csv")
    assert (done.returncode, "read and written" in done.stderr) == (2, True)
