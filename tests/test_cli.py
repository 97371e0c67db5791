"""The command line through real processes: what is printed where, and the exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT, SAMPLES, Run

PRED, TARGET = SAMPLES / "mindspore_pred.csv", SAMPLES / "mindspore_target.csv"
#: MindSpore's documented example; 0.16666667 in its float32
SIXTH = "0.16666666666666666\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--pred", PRED, "--target", TARGET),
        ("--pred", SAMPLES / "mindspore.csv#pred", "--target", SAMPLES / "mindspore.csv#target"),
        ("--data", SAMPLES / "mindspore.parquet"),
        ("--data", SAMPLES / "mindspore.csv", "--pred", "pred", "--target", "target"),
        ("--pred", SAMPLES / "mindspore.parquet#pred", "--target", TARGET),
    ],
)
def test_documented_example(run: Run, arguments: tuple[str | Path, ...]) -> None:
    done = run("compute", "hinge-embedding", *arguments, "--format", "value")
    assert (done.returncode, done.stdout, done.stderr) == (0, SIXTH, "")


@pytest.mark.parametrize("name", ["mindspore.csv", "mindspore.parquet"])
@pytest.mark.parametrize("how", [("--data", "-"), ("--pred", "-#pred", "--target", "-#target")])
def test_standard_input(run: Run, name: str, how: tuple[str, ...]) -> None:
    data = (SAMPLES / name).read_bytes()
    done = run("compute", "hinge-embedding", *how, "-f", "value", input=data)
    assert (done.returncode, done.stdout) == (0, SIXTH)


def test_a_pipe_gets_tsv(run: Run) -> None:
    done = run("compute", "hinge-embedding", "--data", SAMPLES / "mindspore.csv")
    header, row = (line.split("\t") for line in done.stdout.splitlines())
    assert dict(zip(header, row, strict=True)) == {
        "loss": "hinge-embedding",
        "reduction": "mean",
        "value": "0.16666666666666666",
        "n": "9",
        "denominator": "9",
        "skipped": "0",
        "signature": "hinge-embedding|margin:1|off_labels:error|row:mean|reduction:mean|n:9"
        "|skipped:0|dtype:float64|losscli:0.1.0",
    }


def test_json_has_everything(run: Run) -> None:
    done = run("compute", "huber", "--data", "-", "--delta", "2", "-f", "json",
               "--reduction", "mean,sum", input="pred,target\n3,0\n1,0\n")  # fmt: skip
    document = json.loads(done.stdout)
    # ½·1² = 0.5 and 2·(3 − 1) = 4, by hand
    assert document["value"] == 2.25
    assert [v["value"] for v in document["values"]] == [2.25, 4.5]
    assert document["parameters"] == {"delta": 2.0}
    assert document["inputs"] == {"pred": "standard input#pred", "target": "standard input#target"}
    assert document["denominator"] == document["n"] == 2
    assert {"loss", "reduction", "skipped", "signature", "version"} <= set(document)


@pytest.mark.parametrize("kind", ["table", "tsv", "csv", "json", "jsonl", "markdown", "latex"])
def test_every_format_has_the_value(run: Run, kind: str) -> None:
    done = run("compute", "mae", "--data", "-", "-f", kind, input="pred,target\n1.5,1\n0,1\n")
    assert done.returncode == 0
    assert "0.75" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    "suffix", ["tsv", "csv", "json", "jsonl", "md", "tex", "txt", "parquet", "arrow"]
)
def test_every_suffix(run: Run, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    data = "pred,target\n1.5,1\n0,1\n"
    for arguments in ([], ["--reduction", "none", "--force"]):
        done = run("compute", "mae", "--data", "-", "-o", path, *arguments, input=data)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        raw = path.read_bytes()
        expected = b"0.5" if arguments else b"0.75"
        if suffix == "parquet":
            column = pq.read_table(path).column("loss" if arguments else "value").to_pylist()
            assert column == ([0.5, 1.0] if arguments else [0.75])
        elif suffix == "arrow":
            table = pa.ipc.open_file(path).read_all()
            column = table.column("loss" if arguments else "value").to_pylist()
            assert column == ([0.5, 1.0] if arguments else [0.75])
        else:
            assert expected in raw
    assert list(tmp_path.iterdir()) == [path]


def test_rows_beside_the_value(run: Run, tmp_path: Path) -> None:
    done = run("compute", "mae", "--data", "-", "--per-sample", "rows.csv", "-f", "value",
               input="pred,target\n1.5,1\n0,1\n")  # fmt: skip
    assert done.stdout == "0.75\n"
    assert (tmp_path / "rows.csv").read_text() == '"row","loss"\n1,0.5\n2,1\n'.replace('"', "")


def test_rows_on_stdout_and_the_value_beside(run: Run) -> None:
    done = run("compute", "mae", "--data", "-", "--per-sample", "-",
               input="pred,target\n1.5,1\n0,1\n")  # fmt: skip
    assert done.stdout == "row\tloss\n1\t0.5\n2\t1\n"
    assert done.stderr.splitlines()[1].startswith("mae\tmean\t0.75\t2\t2\t0\t")


def test_weights_come_with_the_rows(run: Run) -> None:
    done = run("compute", "mae", "--data", "-", "--weight", "w", "--reduction", "none",
               input="pred,target,w\n1.5,1,2\n0,1,0.5\n")  # fmt: skip
    assert done.stdout == "row\tloss\tweight\n1\t1\t2\n2\t0.5\t0.5\n"


def test_elements_of_a_row_keep_their_names(run: Run) -> None:
    done = run("compute", "mae", "--data", "-", "--pred", "a,b", "--target", "c,d", "--row",
               "none", "--reduction", "none", "-f", "csv", input="a,b,c,d\n1,2,0,0\n")  # fmt: skip
    assert done.stdout == "row,loss_a,loss_b\n1,1,2\n"


def test_files_are_not_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("precious")
    arguments = ("compute", "mae", "--data", "-", "-o", "out.csv")
    done = run(*arguments, input="pred,target\n1,1\n")
    assert (done.returncode, done.stderr) == (
        4,
        "error: out.csv: exists already\nhint: --force replaces it\n",
    )
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert run(*arguments, "--force", input="pred,target\n1,1\n").returncode == 0
    assert (tmp_path / "out.csv").read_text().startswith("loss,")


def test_a_failure_leaves_no_file(run: Run, tmp_path: Path) -> None:
    done = run("compute", "mae", "--data", "-", "--per-sample", "rows.parquet",
               input="pred,target\n1,1\n2,x\n")  # fmt: skip
    assert done.returncode == 3
    assert list(tmp_path.iterdir()) == []


def test_labels_are_mapped(run: Run) -> None:
    words = "pred,target\n0.25,no\n0.25,yes\n"
    done = run("compute", "hinge-embedding", "--data", "-", "--labels", "no,yes",
               "--reduction", "none", "-f", "value", input=words)  # fmt: skip
    assert done.stdout == "0.75\n0.25\n"
    numbers = words.replace("no", "0").replace("yes", "1")
    done = run("compute", "hinge-embedding", "--data", "-", "--labels", "0,1",
               "--reduction", "none", "-f", "value", input=numbers)  # fmt: skip
    assert done.stdout == "0.75\n0.25\n"


def test_one_vs_all_gives_a_value_a_class(run: Run) -> None:
    done = run("compute", "multiclass-hinge", "--data", "-", "--pred", "a,b", "--mode",
               "one-vs-all", "--row", "columns", "-f", "value",
               input="a,b,target\n0.5,-0.5,0\n2,0,1\n")  # fmt: skip
    # a: (0.5 + 3)/2, b: (0.5 + 1)/2, by hand
    assert done.stdout == "1.75\n0.75\n"


def test_names_and_typos(run: Run) -> None:
    done = run("compute", "hindge")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no loss is called 'hindge'\nhint: did you mean hinge?\n"
    data = "pred,target\n1,1\n"
    for name in ("L1Loss", "l1", "Mean_Absolute_Error"):
        assert run("compute", name, "--data", "-", input=data).stdout.splitlines()[1][:4] == "mae\t"


def test_the_reader_of_the_pipe_may_leave(tmp_path: Path) -> None:
    """`losscli … | head -1` ends quietly, and with SIGPIPE's code where there was more to say."""
    rows = 200_000
    np.savetxt(tmp_path / "p.csv", np.zeros(rows), fmt="%.1f", header="pred", comments="")
    program = f"{sys.executable} -m losscli"
    for arguments, code in (("", "0"), ("--reduction none", "141")):
        command = (
            f"{program} compute mse --pred p.csv --target p.csv {arguments} | head -1; "
            "echo ${PIPESTATUS[0]}"
        )
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=env,
            check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[1] == code
        assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    ["--help", "--version", "compute --help", "compute mse --help", "list", "list -f table",
     "info mse", "completion bash", "compute mse --data p.csv -f table",
     "check mse --data p.csv -f csv", "check --data p.csv -f table"],
)  # fmt: skip
def test_every_command_ends_quietly_where_its_reader_left(arguments: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("pred,target\n1,2.5\n")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "losscli", *arguments.split()]
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(write)
    said = [line for line in done.stderr.splitlines() if line.startswith(b"error")]
    assert (done.returncode, said) == (141, [])


def test_interrupt_says_one_line(tmp_path: Path) -> None:
    """Ctrl-C while waiting for standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "losscli", "compute", "mse", "--data", "-", "-o", "out.csv"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert stderr.strip() == "interrupted"
    assert list(tmp_path.iterdir()) == []


def test_list_is_json(run: Run) -> None:
    records = json.loads(run("list", "--format", "json").stdout)
    columns = {"name", "family", "kind", "dialects", "inputs", "parameters", "summary"}
    assert columns <= set(records[0])
    assert run("list", "--family", "margin", "-f", "value").stdout.split()[0] == "hinge-embedding"
    assert run("list", "--family", "margn").stderr == (
        "error: no family 'margn'\nhint: did you mean margin?\n"
    )


def test_info(run: Run) -> None:
    assert "max(0, Δ − y s)" in run("info", "hinge").stdout
    assert json.loads(run("info", "hinge", "-f", "json").stdout)["family"] == "margin"
    assert run("info", "hindge").returncode == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    assert "_LOSSCLI_COMPLETE" in run("completion", shell).stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("losscli co", {"compute", "completion"}),
        ("losscli compute hinge", {"hinge", "hinge-embedding"}),
        ("losscli compute hinge --act", {"--activation"}),
        ("losscli compute hinge --activation ", {"none", "sigmoid"}),
        ("losscli compute mse --reduction w", {"weighted-mean"}),
        ("losscli info multi", {"multi-margin", "multiclass-hinge"}),
    ],
)
def test_completion(run: Run, words: str, expected: set[str]) -> None:
    env = {
        "_LOSSCLI_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = run(env=env)
    found = {line.partition(",")[2] for line in done.stdout.splitlines()}
    assert expected <= found
    assert done.stderr == ""


def test_modules_that_must_not_be_loaded(tmp_path: Path) -> None:
    """Start-up is a feature: a module that is not needed is not imported."""
    heavy = {"pandas", "pyarrow", "torch", "matplotlib", "rich", "numpy", "ssl", "duckdb"}
    heavy |= {f"pyarrow.{part}" for part in ("dataset", "compute", "parquet", "fs")}
    data = str(SAMPLES / "mindspore.csv")
    packed = str(SAMPLES / "mindspore.parquet")
    rows = str(tmp_path / "rows.parquet")
    for arguments, allowed in (
        (["--help"], set()),
        (["list"], {"numpy"}),
        (["compute", "--help"], {"numpy"}),
        (["compute", "hinge", "--help"], {"numpy"}),
        (["compute", "hinge-embedding", "--data", data], {"numpy", "pyarrow"}),
        (["compute", "mse", "--data", packed, "--per-sample", rows], {"numpy", "pyarrow"}),
    ):
        code = (
            "import sys; from losscli.cli import main; code = main(sys.argv[1:]); "
            f"print(code, *sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert set(done.stderr.split()) <= {"0", *allowed}, arguments


def test_help_everywhere(run: Run) -> None:
    for arguments in ([], ["compute"], ["list"], ["info"], ["completion"], ["compute", "mse"]):
        for flag in ("-h", "--help"):
            done = run(*arguments, flag)
            assert done.returncode == 0, arguments
            assert done.stdout.startswith("Usage: losscli")
    assert run("--version").stdout == "losscli, version 0.1.0\n"


def shell(command: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell command in which `losscli` is the program."""
    script = f'losscli() {{ {sys.executable} -m losscli "$@"; }}\n{command}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        check=False,
        timeout=60,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "g.csv").write_text("pred,target,w\n1,2,1\n3,5,9\n")
    return tmp_path


@pytest.mark.parametrize("options", ["-f value", "-f json", "--reduction none", "-f table"])
def test_a_full_disk(data: Path, options: str) -> None:
    done = shell(f"losscli compute mse --data g.csv {options} > /dev/full", data)
    assert done.returncode == 4
    assert done.stderr == "error: standard output: No space left on device\n"
    done = shell("losscli compute mse --data g.csv -o /dev/full -f csv", data)
    assert (done.returncode, "No space left" in done.stderr) == (4, True)


def test_closed_streams(data: Path) -> None:
    for closed in (">&-", "<&- >&-"):
        for command in (
            "compute mse --data g.csv",
            "list",
            "--help",
            "check mse --data g.csv -f json",
        ):
            done = shell(f"losscli {command} {closed}", data)
            lost = "error: standard output: Bad file descriptor\n"
            assert (done.returncode, done.stderr) == (4, lost)
    assert shell("losscli compute mse --data g.csv -o v.csv <&- >&- 2>&-", data).returncode == 0
    assert (data / "v.csv").read_text().startswith("loss,reduction,value")
    assert shell("losscli compute mse --data nope.csv 2>&-", data).returncode == 4
    done = shell("losscli compute mse --data - <&-", data)
    assert (done.returncode, done.stderr) == (4, "error: standard input is closed\n")


def test_slow_pipes_and_substitutions(data: Path) -> None:
    path = SAMPLES / "mindspore.parquet"
    slow = f"(head -c 3 {path}; sleep 0.3; tail -c +4 {path})"
    command = "losscli compute hinge-embedding -f value --data"
    assert shell(f"{slow} | {command} -", data).stdout == SIXTH
    assert shell(f"{command} <(cat {path})", data).stdout == SIXTH
    csv = SAMPLES / "mindspore.csv"
    assert shell(f"{command} <(cat {csv})", data).stdout == SIXTH


def test_an_empty_option_is_not_left_out(run: Run, data: Path) -> None:
    done = run("compute", "mse", "--data", "g.csv", "--weight", "", cwd=data)
    assert (done.returncode, done.stdout) == (2, "")


def test_outputs_are_looked_at_before_the_work(run: Run, data: Path) -> None:
    (data / "old.csv").write_text("precious")
    done = run("compute", "mse", "--data", "g.csv", "--per-sample", "r.csv", "-o", "old.csv",
               cwd=data)  # fmt: skip
    assert (done.returncode, (data / "r.csv").exists()) == (4, False)
    done = run("compute", "mse", "--data", "g.csv", "--per-sample", "r.csv", "-o", "./r.csv",
               cwd=data)  # fmt: skip
    assert done.stderr == "error: --per-sample and --output name one file, ./r.csv\n"
    done = run("compute", "mse", "--data", "g.csv", "--per-sample", "/dev/stdout", "-f", "csv",
               "-o", "v.txt", "--force", cwd=data)  # fmt: skip
    assert done.stdout == "row,loss\n1,1\n2,4\n"


def test_skipping_every_row(run: Run, data: Path) -> None:
    (data / "s.csv").write_text("pred,target\nnan,1\n")
    for suffix in ("csv", "parquet", "arrow", "json", "jsonl"):
        done = run("compute", "mse", "--data", "s.csv", "--nonfinite", "skip", "--per-sample",
                   f"o.{suffix}", cwd=data)  # fmt: skip
        assert done.returncode == 0
        assert done.stderr == "warning: every row was skipped: there is no loss to reduce\n"
    assert (data / "o.csv").read_text() == "row,loss\n"
    assert pq.read_table(data / "o.parquet").column_names == ["row", "loss"]
    assert pa.ipc.open_file(data / "o.arrow").read_all().num_rows == 0
    assert json.loads((data / "o.json").read_text()) == []


def test_terminated_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "losscli", "compute", "mse", "--data", "-", "--per-sample", "o.csv"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    time.sleep(1.5)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_letters_that_a_terminal_has_not(data: Path) -> None:
    done = shell("losscli info hinge", data, PYTHONIOENCODING="latin1")
    assert (done.returncode, done.stderr) == (0, "")


def test_force_keeps_a_link(run: Run, data: Path) -> None:
    (data / "real.csv").write_text("old")
    (data / "link.csv").symlink_to("real.csv")
    assert run("compute", "mse", "--data", "g.csv", "-o", "link.csv", cwd=data).returncode == 4
    run("compute", "mse", "--data", "g.csv", "-o", "link.csv", "--force", cwd=data)
    assert (data / "link.csv").is_symlink()
    assert (data / "real.csv").read_text().startswith("loss,")


def test_labels_where_there_are_none(run: Run, data: Path) -> None:
    done = run("compute", "mse", "--data", "g.csv", "--labels", "0,1", cwd=data)
    assert (done.returncode, done.stderr) == (
        2,
        "error: --labels: this loss has no input of two labels\n",
    )
    done = run("compute", "hinge", "--data", "g.csv", "--labels", "0,0.0", cwd=data)
    assert done.returncode == 2


def on_terminal(arguments: list[str], columns: int, **env: str) -> str:
    """What a person sees: standard output and error on a terminal of so many columns."""
    import fcntl
    import pty
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "losscli", *arguments],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=ROOT,
        env={**environment, "TERM": "xterm-256color", **env},
    )
    os.close(child)
    seen = b""
    while True:
        try:
            data = os.read(parent, 65536)
        except OSError:  # the last writer has closed it
            break
        if not data:
            break
        seen += data
    process.wait(timeout=20)
    os.close(parent)
    return seen.decode()


MAE = ["compute", "mae", "--data", "sample_data/diabetes.csv", "--pred", "ridge"]


def test_on_a_terminal() -> None:
    wide = on_terminal(MAE, 100)
    assert "44.7769" in wide  # rounded on the screen; sklearn's mean_absolute_error is 44.77688641…
    assert "──" in wide
    assert "\x1b[1m" in wide
    assert "mae|row:mean" in wide
    narrow = on_terminal(MAE, 30)
    assert "value: 44.7769" in narrow
    half = on_terminal(MAE, 70).splitlines()  # a line for each that is printed, not of the screen
    assert any("mae|row:mean" in line and "losscli:" in line for line in half)


def test_no_colour() -> None:
    assert "\x1b[3" not in on_terminal(MAE, 100, NO_COLOR="1")
    assert "\x1b" not in on_terminal(MAE, 100, TERM="dumb")


def test_reading_from_the_terminal_is_refused() -> None:
    seen = on_terminal(["compute", "mae", "--data", "-"], 100)
    assert "error: '-' reads standard input, which is the terminal" in seen


def test_a_bar_for_long_work_on_a_terminal(tmp_path: Path) -> None:
    """A bar with rows comes after a second, leaves no trace in the output, and not in pipes."""
    from losscli.report import progress

    rows = 3_000_000
    table = pa.table({"pred": np.zeros(rows), "target": np.ones(rows)})
    pq.write_table(table, tmp_path / "t.parquet")
    arguments = ["compute", "mse", "--data", str(tmp_path / "t.parquet"), "-f", "value"]
    site = tmp_path / "sitecustomize.py"
    site.write_text("import losscli.report.progress as p\np.PATIENCE = 0.0\n")
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    seen = on_terminal(arguments, 100, **env)
    assert "3,000,000 rows" in seen
    assert "1.0" in seen
    assert "rows" not in on_terminal([*arguments, "--no-progress"], 100, **env)
    assert progress.PATIENCE == 1.0


@pytest.mark.parametrize("option", ["--pred", "--data", "--output", "--per-sample"])
def test_an_empty_name_is_none(option: str, run: Run, tmp_path: Path) -> None:
    """As of a variable of the shell that is not set."""
    (tmp_path / "g.csv").write_text("pred,target\n1,2\n")
    data = [] if option == "--data" else ["--data", "g.csv"]
    done = run("compute", "mse", *data, option, "")
    assert (done.returncode, done.stdout) == (2, "")
    assert option in done.stderr
    assert "the name is empty" in done.stderr
