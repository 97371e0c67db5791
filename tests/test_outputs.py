"""Outputs appear whole or not at all, whatever happens meanwhile; real processes."""

import contextlib
import gc
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import losscli
from losscli.errors import FileError
from losscli.report.files import AtomicFile
from losscli.report.rows import GROUP_ROWS, writer
from tests.conftest import ROOT, Run
from tests.test_cli import shell

ROWS = "pred,target\n1,2\n3,5\n"
#: (1 − 2)² and (3 − 5)², by hand
LOSSES = "row,loss\n1,1\n2,4\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "g.csv").write_text(ROWS)
    return tmp_path


def waiting(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A run that has opened its output and waits for its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "losscli", "compute", "mse", "--data", "-", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    stop = time.monotonic() + 20
    while not any(_is_output(process.pid, name) for name in _open_files(process.pid)):
        assert process.poll() is None
        assert time.monotonic() < stop
        time.sleep(0.02)
    return process


def _open_files(pid: int) -> list[str]:
    folder, found = f"/proc/{pid}/fd", []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(f"{folder}/{name}"))
    return found


def _is_output(pid: int, name: str) -> bool:
    """A file without a name is called `#inode (deleted)`."""
    return os.readlink(f"/proc/{pid}/cwd") in name


def test_killed_at_once_nothing_is_left(tmp_path: Path) -> None:
    process = waiting(tmp_path, "--per-sample", "r.csv", "-o", "v.csv")
    process.kill()
    process.communicate()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_leave_nothing(name: str, tmp_path: Path) -> None:
    number = getattr(signal, name)
    process = waiting(tmp_path, "--per-sample", "r.csv")
    process.send_signal(number)
    process.send_signal(number)  # the second must not cut the first short
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert stderr == ("interrupted\n" if number == signal.SIGINT else "")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = waiting(tmp_path, "--per-sample", "r.csv", "-f", "value")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    stdout, stderr = process.communicate(ROWS, timeout=20)
    assert (process.returncode, stdout, stderr) == (0, "2.5\n", "")
    assert (tmp_path / "r.csv").read_text() == LOSSES


def test_of_two_writers_the_first_is_kept(tmp_path: Path) -> None:
    process = waiting(tmp_path, "--per-sample", "r.csv")
    (tmp_path / "r.csv").write_text("theirs")
    _, stderr = process.communicate(ROWS, timeout=20)
    assert process.returncode == 4
    assert stderr.splitlines()[0] == (
        "error: r.csv: exists already: something else wrote it meanwhile"
    )
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_of_two_outputs_both_appear_or_neither(run: Run, data: Path) -> None:
    """The file of rows fits; that of values is over the limit, which is 64 bytes."""
    done = shell("ulimit -f 0; losscli compute mse --data g.csv --per-sample r.csv -o v.json", data)
    assert (done.returncode, done.stderr) == (4, "error: v.json: File too large\n")
    assert [path.name for path in data.iterdir()] == ["g.csv"]


@pytest.mark.parametrize("named", [False, True])
class TestAtomicFile:
    """Both ways to write one: without a name, and beside its place where a disk has no such."""

    @pytest.fixture(autouse=True)
    def _way(self, named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        if named:
            monkeypatch.delattr(os, "O_TMPFILE")

    def test_nobody_sees_it_before_it_is_whole(self, tmp_path: Path, named: bool) -> None:
        with AtomicFile(str(tmp_path / "a.csv")) as out:
            out.write(b"whole")
            out.flush()
            assert [p.suffix for p in tmp_path.iterdir()] == ([".part"] if named else [])
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"whole"]

    def test_a_failure_leaves_the_old_one(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("old")
        with contextlib.suppress(ZeroDivisionError), AtomicFile(str(tmp_path / "a.csv"), True) as f:
            f.write(b"new")
            raise ZeroDivisionError
        assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]

    def test_what_appears_meanwhile_is_kept(self, tmp_path: Path) -> None:
        atomic = AtomicFile(str(tmp_path / "a.csv"))
        atomic.__enter__().write(b"ours")
        (tmp_path / "a.csv").write_text("theirs")
        with pytest.raises(FileError, match="something else wrote it meanwhile"):
            atomic.__exit__(None, None, None)
        assert [p.read_text() for p in tmp_path.iterdir()] == ["theirs"]

    def test_permissions(self, tmp_path: Path) -> None:
        """A new file has those of any new file, one that is replaced keeps its own."""
        path, other = tmp_path / "a.csv", tmp_path / "b.csv"
        other.write_text("")
        for force in (False, True):
            with AtomicFile(str(path), force) as out:
                out.write(b"x")
            assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
            other.chmod(0o600)
            path.chmod(0o600)

    def test_a_disk_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_link(*arguments: object, **options: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", no_link)
        for force in (False, True):
            with AtomicFile(str(tmp_path / "a.csv"), force) as out:
                out.write(b"whole")
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"whole"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_stream_is_written_where_it_stands(data: Path, name: str) -> None:
    """Opened by its name, the file behind it would be cut or replaced."""
    done = shell(f"losscli compute mse --data g.csv -o {name} -f value >> log", data)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell(f"losscli compute mse --data g.csv -o {name} -f value >> log", data)
    assert (data / "log").read_text() == "2.5\n2.5\n"


def test_errors_name_the_file(data: Path) -> None:
    for suffix in ("csv", "parquet", "arrow", "jsonl"):
        done = shell(f"ulimit -f 0; losscli compute mse --data g.csv --per-sample r.{suffix}", data)
        assert (done.returncode, done.stderr) == (4, f"error: r.{suffix}: File too large\n")
    assert [path.name for path in data.iterdir()] == ["g.csv"]


def test_links_in_a_circle(run: Run, data: Path) -> None:
    (data / "a.csv").symlink_to("b.csv")
    (data / "b.csv").symlink_to("a.csv")
    done = run("compute", "mse", "--data", "g.csv", "-o", "a.csv", "--force")
    assert (done.returncode, done.stderr) == (
        4,
        "error: a.csv: a symbolic link that leads to itself\n",
    )
    assert (data / "a.csv").is_symlink()


def test_what_is_read_is_not_replaced(run: Run, data: Path) -> None:
    (data / "link.csv").symlink_to("g.csv")
    for inputs in (["--data", "g.csv"], ["--pred", "g.csv#pred", "--target", "g.csv#target"]):
        for output in (["-o", "link.csv"], ["--per-sample", "./g.csv"]):
            done = run("compute", "mse", *inputs, *output, "--force")
            assert done.returncode == 2
            assert done.stderr.startswith(f"error: {output[1]}: read and written by one command\n")
        check = ["check", "mse", *inputs, "-o", "link.csv", "--force"]
        assert "read and written by one command" in run(*check).stderr
    done = run("check", "--data", "g.csv", "-o", "g.csv", "--force")
    assert (done.returncode, "read and written" in done.stderr) == (2, True)
    assert (data / "g.csv").read_text() == ROWS


@pytest.mark.parametrize(
    "weights", ["--class-weight w.csv", "--class-weight w.csv#w", "--class-weight balanced "
                "--class-counts w.csv"]
)  # fmt: skip
def test_weights_that_are_read_are_not_replaced(weights: str, run: Run, data: Path) -> None:
    (data / "w.csv").write_text("w\n1\n2\n")
    (data / "c.csv").write_text("a,b,target\n1,2,0\n2,1,1\n")
    inputs = ["cross-entropy", "--data", "c.csv", "--pred", "a,b", *weights.split()]
    for command in ["compute", "check"] if "counts" not in weights else ["compute"]:
        done = run(command, *inputs, "-o", "w.csv", "--force")
        assert (done.returncode, "read and written" in done.stderr) == (2, True)
    assert (data / "w.csv").read_text() == "w\n1\n2\n"


def test_a_report_does_not_replace_what_is_there(run: Run, data: Path) -> None:
    (data / "report.csv").write_text("mine")
    done = run("check", "mse", "--data", "nope.csv", "-o", "report.csv")
    assert done.stderr.startswith("error: report.csv: exists already\n")
    assert (data / "report.csv").read_text() == "mine"


def test_the_code_does_not_depend_on_whether_it_could_be_said(data: Path) -> None:
    for stderr in ("2> /dev/full", "2>&-"):
        assert shell(f"losscli compute msse --data g.csv {stderr}", data).returncode == 2
        assert shell(f"losscli compute mse --data nope.csv {stderr}", data).returncode == 4


def test_names_that_are_no_text(data: Path) -> None:
    name = os.fsdecode(b"g\xe9.csv")
    (data / name).write_text(ROWS)
    done = shell("losscli compute mse --data $'g\\xe9.csv' -f json -o v.json", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((data / "v.json").read_text())["inputs"]["pred"] == f"{name}#pred"


def test_data_is_the_same_in_every_locale(data: Path) -> None:
    (data / "g.csv").write_text("π,target\n1,2\n")
    command = "losscli compute mse --data g.csv --pred π -f json"
    utf8 = shell(command, data, PYTHONIOENCODING="utf-8")
    assert json.loads(utf8.stdout)["inputs"]["pred"] == "g.csv#π"
    assert shell(command, data, PYTHONIOENCODING="latin-1").stdout == utf8.stdout


def test_a_pipe_with_no_room_to_wait(data: Path) -> None:
    (data / "zeros.py").write_text(
        "import numpy, sys; numpy.save(sys.stdout.buffer, numpy.zeros((20000, 2)))"
    )
    command = f"{sys.executable} zeros.py | losscli compute mse --data -"
    for limit, why in ((0, "No usable temporary directory"), (64, "File too large")):
        done = shell(f"ulimit -f {limit}; {command}", data)
        assert done.returncode == 4
        assert f"for what has to be unpacked or comes through a pipe: {why}" in done.stderr


def test_a_parquet_file_is_given_up_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error or Ctrl-C closes the file; pyarrow's writer would say that it cannot end it."""
    gc.collect()
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    out = io.BytesIO()
    rows = writer("parquet", out)
    rows.write({"loss": np.zeros(GROUP_ROWS)})
    out.close()
    del rows
    gc.collect()
    assert said == []


def test_a_mapped_file_that_is_cut_short(tmp_path: Path) -> None:
    """Its pages are gone, which ends a process with SIGBUS unless it knows better."""
    rows = 2_000_000
    table = pa.table({"target": np.zeros(rows)})
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as file:
        file.write_table(table, max_chunksize=100_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "losscli", "compute", "mse", "--pred", "-", "--target", "t.arrow"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None
    # Of 32 MB, what is held ahead is little: the other file is open and being read by now.
    one = b"1." + b"0" * 29 + b"\n"
    process.stdin.write(one * (rows // 2))
    process.stdin.flush()
    os.truncate(tmp_path / "t.arrow", 4096)
    _, stderr = process.communicate(one * (rows // 2), timeout=30)
    assert process.returncode == 4
    assert stderr == b"error: a file was cut short by another program while it was read\n"


def test_a_flipped_bit_of_a_written_parquet_file_is_noticed(tmp_path: Path) -> None:
    """Pages carry checksums, which reading compares."""
    losses = np.random.default_rng(0).random(1000)
    path = tmp_path / "r.parquet"
    with path.open("wb") as out:
        rows = writer("parquet", out)
        rows.write({"loss": losses})
        rows.close({})
    assert losscli.compute("mse", pred=f"{path}#loss", target=losses).value == 0
    whole = path.read_bytes()
    at = whole.index(losses[500].tobytes())  # random numbers are not packed
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(FileError, match="damaged after row 0"):
        losscli.compute("mse", pred=f"{path}#loss", target=losses)
