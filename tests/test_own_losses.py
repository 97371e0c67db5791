"""Losses that users write: files that are named, functions, and what is wrong with them."""

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import losscli
from losscli.cli.compute import build
from losscli.declare import Pooled, Positive, Rows, Scores, Sign, loss, numerics
from losscli.errors import DataError, FileError, UsageError
from losscli.losses import CATALOGUE
from losscli.losses.regression import huber
from losscli.signals import PATIENCE
from losscli.user_losses import RESERVED
from tests.conftest import ROOT, Run

MINE = """
import numpy as np
from losscli.declare import Example, Finite, Real, Sign, alias, loss


@loss("soft-margin-of-mine", aliases=("sm", alias("wide", margin=3.0)),
      example=Example("pred,target\\n1,-1\\n2,1"))
def mine(pred: Real, target: Sign, *, margin: Finite = 1.0):
    '''What a score lacks to the margin.

    Formula:
        max(0, Δ − y s)

    Roles:
        pred: the scores s.

    Parameters:
        margin: the margin Δ.
    '''
    return np.maximum(margin - pred * target, 0)


def helper(x):
    return x


def bare(pred, target, scale=2.0, *, square: bool = False):
    error = np.abs(pred - target)
    return scale * (error * error if square else error)
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a file of losses and a table."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "g.csv").write_text("pred,target,w\n0.5,1,1\n2,-1,3\n-1,1,0\n")
    return tmp_path


def written(folder: Path, body: str, name: str = "f.py") -> Path:
    path = folder / name
    path.write_text(body)
    return path


def function(body: str) -> str:
    return f"import numpy as np\ndef f(pred, target):\n    {body}\n"


# Naming one


@pytest.mark.parametrize("name", ["mine", "soft-margin-of-mine", "SoftMarginOfMine", "sm", ""])
def test_a_file_is_named_with_a_function_or_a_loss(here: Path, run: Run, name: str) -> None:
    reference = f"./mine.py:{name}" if name else "mine.py"
    done = run("compute", reference, "--data", "g.csv", "-f", "value")
    # max(0, 1 − 0.5), max(0, 1 + 2) and max(0, 1 + 1): (0.5 + 3 + 2) / 3
    assert (done.stdout, done.stderr) == ("1.8333333333333333\n", "")


def test_an_alias_of_a_file_may_imply_a_parameter(here: Path, run: Run) -> None:
    # max(0, 3 − 0.5), max(0, 3 + 2) and max(0, 3 + 1)
    assert run("compute", "mine.py:wide", "--data", "g.csv", "-f", "value").stdout == (
        "3.8333333333333335\n"
    )


def test_a_bare_function_is_a_loss(here: Path, run: Run) -> None:
    words = ["compute", "mine.py:bare", "--data", "g.csv", "-f", "value"]
    # |e| = 0.5, 3, 2
    assert float(run(*words).stdout) == pytest.approx(2 * 5.5 / 3, rel=1e-15)
    assert float(run(*words, "--scale", "1", "--square").stdout) == pytest.approx(13.25 / 3)
    assert float(run(*words, "--weight", "w", "--reduction", "sum").stdout) == 2 * 9.5


def test_the_only_function_of_a_file_needs_no_name(here: Path, run: Run) -> None:
    written(here, "import numpy as np\ndef _no(x): pass\ndef f(pred, target): return pred\n")
    assert run("compute", "f.py", "--data", "g.csv", "-f", "value").stdout == "0.5\n"


def test_what_other_options_do(here: Path, run: Run) -> None:
    done = run(
        "compute", "mine.py:bare", "--data", "g.csv", "--per-sample", "rows.csv",
        "-o", "values.json", "--threads", "2",
    )  # fmt: skip
    assert done.returncode == 0
    assert (here / "rows.csv").read_text() == "row,loss\n1,1\n2,6\n3,4\n"
    found = json.loads((here / "values.json").read_text())
    assert (found["value"], found["file"]) == (11 / 3, "mine.py")


def test_the_signature_names_the_text_of_the_file(here: Path, run: Run) -> None:
    import hashlib

    digest = hashlib.sha256(MINE.encode()).hexdigest()[:12]
    done = run("compute", "mine.py", "--data", "g.csv", "-f", "json")
    assert json.loads(done.stdout)["signature"].startswith(
        f"soft-margin-of-mine|margin:1|file:mine.py|sha256:{digest}|row:mean"
    )
    written(here, MINE + "\n", "mine.py")
    assert digest not in run("compute", "mine.py", "--data", "g.csv").stdout


def test_info_help_and_check(here: Path, run: Run) -> None:
    text = run("info", "./mine.py:mine").stdout
    assert text.startswith("soft-margin-of-mine (own)\n\n    What a score lacks to the margin.")
    assert "losscli compute ./mine.py:mine --data -\n    → 1.0\n" in text
    assert "file mine.py, sha256 " in text
    bare = run("info", "mine.py:bare").stdout
    assert "--scale NUMBER\n        Default: 2.\n" in bare
    assert json.loads(run("info", "mine.py:bare", "-f", "json").stdout)["family"] == "own"
    for reference in ("mine.py:mine", "mine.py:bare"):
        done = run("compute", reference, "--help")
        assert done.returncode == 0
        assert f"Usage: losscli compute {reference}" in done.stdout
        assert f"More: losscli info {reference}" in done.stdout
    done = run("check", "mine.py:mine", "--data", "g.csv", "--pred", "pred", "--target", "w")
    assert done.returncode == 3
    assert "expected -1 or 1" in done.stdout
    assert run("check", "mine.py:bare", "--data", "g.csv").returncode == 0


def test_values_are_checked_as_the_annotations_say(here: Path, run: Run) -> None:
    done = run("compute", "mine.py", "--data", "g.csv", "--target", "w")
    assert done.returncode == 3
    assert "row 2 (line 3): got 3, expected -1 or 1 (target of soft-margin-of-mine)" in done.stderr
    assert "hint: --labels 0,1" in done.stderr
    done = run("compute", "mine.py", "--data", "g.csv", "--margn", "2")
    assert (done.returncode, "--margin" in done.stderr) == (2, True)
    done = run("compute", "mine.py", "--data", "g.csv", "--margin", "x")
    assert done.stderr == "error: --margin: expected a number, got 'x'\n"


# When a file is run, and when it is not

TRAP = "open('ran', 'w')\ndef f(pred, target): return pred\n"


@pytest.mark.parametrize(
    "words",
    [
        ["compute", "mse", "--pred", "trap.py", "--target", "trap.py"],
        ["compute", "mse", "--data", "trap.py"],
        ["compute", "trap", "--data", "g.csv"],
        ["compute", "trap:f", "--data", "g.csv"],
        ["info", "trap"],
        ["list"],
        ["check", "--data", "trap.py"],
        ["check", "mse", "--pred", "trap.py", "--target", "g.csv"],
    ],
)
def test_a_file_runs_only_when_named_for_a_loss(here: Path, run: Run, words: list[str]) -> None:
    written(here, TRAP, "trap.py")
    assert run(*words).returncode in ((0,) if words == ["list"] else (0, 2, 3))
    assert not (here / "ran").exists()
    assert run("compute", "trap.py", "--data", "g.csv").returncode == 0
    assert (here / "ran").exists()


def test_nothing_is_left_beside_a_file_nor_its_folder_searched(here: Path, run: Run) -> None:
    folder = here / "sub"
    folder.mkdir()
    written(folder, "def g(x):\n    return x\n", "beside.py")
    written(folder, "from beside import g\ndef f(pred, target): return g(pred)\n")
    done = run("compute", "sub/f.py", "--data", "g.csv")
    assert (done.returncode, done.stderr) == (
        2,
        "error: sub/f.py, line 1: ModuleNotFoundError: No module named 'beside'\n"
        "hint: modules beside the file are found with PYTHONPATH=sub\n",
    )
    env = {"PYTHONPATH": f"{ROOT}:sub", "PYTHONDONTWRITEBYTECODE": ""}
    assert run("compute", "sub/f.py", "--data", "g.csv", env=env).returncode == 0
    assert not (here / "__pycache__").exists()
    before = set(folder.iterdir()) - {folder / "__pycache__"}  # beside.py is an ordinary module
    assert before == {folder / "beside.py", folder / "f.py"}
    assert not list(folder.glob("__pycache__/f.*"))


def test_the_tab_key_runs_no_file(here: Path, run: Run) -> None:
    written(here, TRAP, "trap.py")
    for words in ("losscli compute ./trap.py:f --", "losscli compute ./tr", "losscli info ./tr"):
        count = str(len(words.split(" ")) - 1)
        env = {"_LOSSCLI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
        done = run(env=env)
        assert (done.returncode, done.stderr) == (0, "")
    assert not (here / "ran").exists()


def test_what_a_file_prints_is_no_data(here: Path, run: Run) -> None:
    written(
        here,
        "import sys\nprint('loading')\n"
        "def f(pred, target):\n    print('called')\n    sys.stdout.write('x')\n    return pred\n",
    )
    done = run("compute", "f.py", "--data", "g.csv", "-f", "value")
    assert (done.stdout, done.stderr) == ("0.5\n", "loading\ncalled\nx")
    done = run("compute", "f.py", "--data", "g.csv", "--reduction", "none")
    assert done.stdout == "row\tloss\n1\t0.5\n2\t2\n3\t-1\n"
    assert run("info", "f.py", "-f", "json").stdout.startswith("{")


#: a loss that does not print by Python
WRITES = """\
import ctypes, os, subprocess
os.write(1, b"loaded ")
def f(pred, target):
    os.write(1, b"called ")
    ctypes.CDLL(None).dprintf(1, b"from C ")
    subprocess.run(["sh", "-c", "printf child"])
    return pred
"""


@pytest.mark.parametrize("more", ["", "-o /dev/stdout", "-o /dev/fd/1", "-o /proc/self/fd/1"])
def test_what_a_file_writes_to_number_1_is_no_data(more: str, here: Path, run: Run) -> None:
    written(here, WRITES)
    own = "loaded called from C child"
    done = run("compute", "f.py", "--data", "g.csv", "-f", "value", *more.split())
    assert (done.stdout, done.stderr) == ("0.5\n", own)
    done = run(
        "compute", "f.py", "--data", "g.csv", "--reduction", "none", "-f", "tsv", *more.split()
    )
    assert done.stdout == "row\tloss\n1\t0.5\n2\t2\n3\t-1\n"
    assert own in done.stderr


@pytest.mark.parametrize(
    ("redirection", "code", "out", "err"),
    [
        ("2>&-", 0, "0.5\n", ""),
        (">&-", 4, "", "from C childerror: standard output: Bad file descriptor\n"),
        (">&- 2>&-", 4, "", ""),
        (">> log; r=$?; cat log; (exit $r)", 0, "before\n0.5\n", "loaded called from C child"),
        ("> /dev/full", 4, "", "error: standard output: No space left on device\n"),
    ],
)
def test_wherever_standard_output_goes(
    redirection: str, code: int, out: str, err: str, here: Path
) -> None:
    written(here, WRITES)
    (here / "log").write_text("before\n")
    command = f"{sys.executable} -m losscli compute f.py --data g.csv -f value {redirection}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, shell=True, cwd=here, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, out)
    assert done.stderr.endswith(err)


def test_the_file_of_a_loss_is_not_written_over(here: Path, run: Run) -> None:
    done = run("compute", "mine.py", "--data", "g.csv", "-o", "mine.py", "-f", "csv", "--force")
    assert (done.returncode, "write another file" in done.stderr) == (2, True)
    assert (here / "mine.py").read_text() == MINE


def test_a_loss_of_a_file_stays_out_of_the_catalogue(here: Path) -> None:
    before = list(CATALOGUE)
    first, second = (losscli.get_loss(here / "mine.py") for _ in range(2))
    assert first is not second
    assert list(CATALOGUE) == before == losscli.list_losses()
    with pytest.raises(UsageError, match="no loss is called"):
        losscli.compute("soft-margin-of-mine", pred=[1.0], target=[1])


def test_a_loss_may_have_the_name_of_a_built_in(here: Path) -> None:
    path = written(here, "def mse(pred, target): return abs(pred - target)\n")
    arrays = {"pred": [1.0, 5.0], "target": [2.0, 2.0]}
    assert losscli.compute(path, **arrays).value == 2.0
    assert losscli.compute("mse", **arrays).value == 5.0
    assert "|file:f.py|" in losscli.compute(path, **arrays).signature


# What is wrong with a file


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("nope.py:f", 4, "error: nope.py: No such file or directory\n"),
        ("folder.py", 4, "error: folder.py: Is a directory\n"),
        ("./mine.txt:f", 2, "error: no loss is called './mine.txt:f'\nhint: a loss of your own is "
         "named by its file: ./mine.py:my_loss\n"),
        ("https://x.org/f.py", 2, "error: https://x.org/f.py: a loss comes from a file of this "
         "computer\n"),
        ("mine.py:bear", 2, "error: mine.py: it has no loss called 'bear'\n"
         "hint: did you mean bare?\n"),
        ("mine.py:np", 2, "error: mine.py: 'np' is a module, expected a function\n"),
        ("mine.py:zzz", 2, "error: mine.py: it has no loss called 'zzz'\n"
         "hint: it has soft-margin-of-mine, mine, helper, bare\n"),
    ],
)  # fmt: skip
def test_names_that_are_none(here: Path, run: Run, name: str, code: int, message: str) -> None:
    (here / "folder.py").mkdir()
    done = run("compute", name, "--data", "g.csv")
    assert (done.returncode, done.stderr, done.stdout) == (code, message, "")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def f(pred:\n", "f.py, line 1: '(' was never closed"),
        ("x = 1\ny = x / 0\n", "f.py, line 2: ZeroDivisionError: division by zero"),
        ("import nonesuch_\n", "f.py, line 1: ModuleNotFoundError: No module named 'nonesuch_'"),
        ("raise SystemExit(0)\n", "f.py, line 1: SystemExit: 0"),
        ("raise ValueError('a\\nb')\n", "f.py, line 1: ValueError: a b"),
        ("from losscli.declare import loss\n@loss\ndef f(pred): return pred\n",
         'f.py, line 2: TypeError: @loss takes the name of the loss: @loss("my-loss")'),
        ("from losscli.declare import loss\n@loss('a')\n@loss('b')\ndef f(pred): return pred\n",
         "f.py, line 2: TypeError: f is declared to be a loss twice"),
        ("", "f.py: it has no loss"),
        ("def f(a): pass\ndef g(a): pass\n", "f.py: it has 2 losses: f, g"),
        ("def f(): return 1\n", "f.py: f: it has no inputs, which are its positional parameters"),
        ("def f(pred, *, d): return pred\n", "f.py: f: 'd' has no default: expected d=…"),
        ("def f(pred, *, d='x'): return pred\n", "f.py: f: 'd' cannot be an option: expected "),
        ("def f(pred, *, d=None): return pred\n", "f.py: f: 'd' cannot be an option: expected "),
        ("def f(pred, /): return pred\n", "f.py: f: 'pred' has no name for who calls it"),
        ("def f(pred, weight): return pred\n", "f.py: f: 'weight' is an option of every loss"),
        ("def f(pred, *, threads=1): return pred\n", "f.py: f: 'threads' is an option of every"),
        ("def f(pred: 'Sgn'): return pred\n", "f.py: f: name 'Sgn' is not defined"),
        ("from losscli.declare import *\ndef f(pred, *, d: Positive = -1.0): return pred\n",
         "f.py: f: --d: expected a positive number, got -1.0"),
        ("from losscli.declare import *\ndef f(pred: ClassPrediction): return pred\n",
         "f.py: f: what 'pred' holds is said by a parameter that it has not: input: Literal["),
        ("from losscli.declare import *\ndef f(pred, target: ClassTarget): return pred\n",
         "f.py: f: 'target' has classes, but no input has scores of them (Scores)"),
        ("from losscli.declare import *\n@loss('a', one_of=(('pred', 'probs'),))\n"
         "def f(pred=None): return pred\n",
         "f.py: f: it speaks of 'probs', which it does not have"),
        ("from losscli.declare import loss\n@loss('a b')\ndef f(pred): return pred\n",
         "f.py: f: 'a b' is no name: expected letters, digits and hyphens"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(here: Path, run: Run, body: str, message: str) -> None:
    written(here, body)
    done = run("compute", "f.py", "--data", "g.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert "Traceback" not in done.stderr


def test_annotations_that_are_text(here: Path, run: Run) -> None:
    written(
        here,
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from typing import Literal\n"
        "from losscli.declare import Sign\n"
        "@dataclass\n"
        "class Scale:\n    by: list[int]\n"
        "def f(pred, target: Sign, *rest, way: Literal['a', 'b'] = 'a',\n"
        "      q: float | None = None, **more):\n"
        "    return Scale([3]).by[0] * pred * target + (q or 0)\n",
        "two words.py",
    )  # fmt: skip
    words = ["compute", "two words.py:f", "--data", "g.csv", "-f", "value"]
    assert float(run(*words, "--q", "1").stdout) == 3 * (0.5 - 2 - 1) / 3 + 1
    assert run(*words, "--way", "c").stderr == "error: --way: expected a or b, got 'c'\n"
    assert "expected -1 or 1" in run(*words, "--target", "w").stderr
    assert "losscli info 'two words.py:f'" in run(*words, "--help").stdout


def test_two_losses_of_one_name(here: Path, run: Run) -> None:
    one = "from losscli.declare import loss\n@loss('a')\ndef f(pred): return pred\n"
    written(here, one + "@loss('A')\ndef g(pred): return pred\n")
    assert run("compute", "f.py:A", "--data", "g.csv").stderr == (
        "error: f.py: A claims 'A', a name of a\n"
    )


def test_a_traceback_shows_the_line(here: Path, run: Run) -> None:
    written(here, function("return 1 / 0"))
    done = run("compute", "f.py", "--data", "g.csv", "--traceback")
    assert "    return 1 / 0" in done.stderr
    assert "a bug in losscli" not in done.stderr


def test_a_file_may_be_interrupted(here: Path) -> None:
    written(here, "import time\nprint('on', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "losscli", "compute", "f.py", "--data", "g.csv"],
        stderr=subprocess.PIPE, text=True, cwd=here, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "on\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "interrupted\n"
    assert process.returncode == 130


# What a loss does when it is called


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return pred[7]", "f.py, line 3: IndexError: index 7 is out of bounds for axis 0 with "
         "size 3 (with rows 1 to 3)"),
        ("return missing", "f.py, line 3: NameError: name 'missing' is not defined (with rows"),
        ("raise SystemExit", "f.py, line 3: SystemExit (with rows 1 to 3)"),
        ("raise RuntimeError('x' * 5000)", "f.py, line 3: RuntimeError: " + "x" * 400 + "… (with"),
        ("raise type('E', (Exception,), {'__str__': lambda s: 1 / 0})", "f.py, line 3: E (with"),
        ("return np.mean(pred)", "f.py: f gave one number, expected a loss for each of 3 rows"),
        ("return 0.0", "f.py: f gave one number, expected a loss for each of 3 rows"),
        ("return pred[:2]", "f.py: f gave shape (2,), expected a loss for each of 3 rows"),
        ("return pred[None]", "f.py: f gave shape (1, 3), expected a loss for each of 3 rows"),
        ("pass", "f.py: f gave None, expected an array of numbers"),
        ("return pred * 1j", "f.py: f gave complex numbers, expected an array of numbers"),
        ("return ['a'] * len(pred)", "f.py: f gave text, expected an array of numbers"),
        ("return [object()] * 3", "f.py: f gave a list, expected an array of numbers"),
        ("return {'loss': pred}", "f.py: f gave a dict, expected an array of numbers"),
        ("return pred, target", "f.py: f gave a tuple, expected an array of numbers"),
        ("return np.ma.masked_less(pred, 0)", "f.py: f gave a MaskedArray, expected an array"),
        ("return [[1.0], [1.0, 2.0], 3.0]", "f.py: ValueError: setting an array element with a"),
        ("from losscli.declare import Rows; return Rows(pred, pred[:1])",
         "f.py: f gave shape (1,) for the weights, expected shape (3,)"),
        ("from losscli.declare import Pooled; return Pooled({'a': pred}, lambda a: a)",
         "f.py: f gave a Pooled, expected the losses of rows"),
    ],
)  # fmt: skip
def test_what_a_loss_does_wrong(here: Path, run: Run, body: str, message: str) -> None:
    written(here, function(body))
    done = run("compute", "f.py", "--data", "g.csv")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: {message}")
    assert "Traceback" not in done.stderr


def test_a_failure_names_the_rows_in_hand(here: Path) -> None:
    """The blocks of columns of single numbers have 131,072 rows."""
    path = written(
        here, "def f(pred, target):\n    assert pred.max() < 1, 'too large'\n    return pred\n"
    )
    pred = np.zeros(300_000)
    pred[200_000] = 2.0
    for threads in (1, 2):
        with pytest.raises(DataError) as error:
            losscli.compute(path, pred=pred, target=pred, threads=threads)
        assert error.value.message == (
            f"{path}, line 2: AssertionError: too large (with rows 131073 to 262144)"
        )


IN_PLACE = ["pred -= target; return pred", "target[:] = pred - target; return target"]
OF_OTHER_TYPES = [
    "return (pred - target).tolist()",
    "return (pred - target).astype(int)",
    "return (pred - target).astype('float32')",
    "import pandas as pd; return pd.Series(pred - target)",
]


@pytest.mark.parametrize(
    ("body", "backend"),
    [
        *((body, "numpy") for body in [*IN_PLACE, *OF_OTHER_TYPES]),
        *((body, "torch") for body in IN_PLACE),
    ],
)
def test_what_a_loss_may_do(here: Path, body: str, backend: str) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    path = written(here, function(body))
    pred, target = np.array([1.0, 2.0, 4.0]), np.array([3.0, 2.0, 1.0])
    result = losscli.compute(path, pred=pred, target=target, per_sample=True, backend=backend)
    assert result.per_sample.tolist() == [-2.0, 0.0, 3.0]
    assert (pred.tolist(), target.tolist()) == ([1.0, 2.0, 4.0], [3.0, 2.0, 1.0])


def test_every_block_has_losses_of_one_shape(here: Path) -> None:
    path = written(here, function("return np.ones((len(pred), 1 + int(pred[0])))"))
    pred = np.zeros(300_000)
    pred[200_000:] = 1
    message = r"gave rows of shape \(2,\) after \(1,\) \(with rows 262145 to 300000\)"
    with pytest.raises(DataError, match=message):
        losscli.compute(path, pred=pred, target=pred, threads=1)


def test_a_table_that_all_blocks_share_cannot_be_changed(here: Path) -> None:
    path = written(
        here,
        "from losscli.declare import *\n"
        "def f(pred: Embedding, bank: EmbeddingBank):\n"
        "    bank += 1\n    return pred[:, 0] + bank.sum()\n",
    )
    pred, bank = np.zeros((300_000, 1)), np.zeros((2, 1))
    assert losscli.compute(path, pred=pred, bank=bank).value == 2.0
    assert not bank.any()


def test_what_torch_has_not_got_is_said(here: Path) -> None:
    pytest.importorskip("torch")
    arrays = {"pred": [1.0, 3.0], "target": [0.0, 1.0], "backend": "torch"}
    path = written(here, function("return pred - target.max()"))
    with pytest.raises(DataError, match="'TorchArray' object has no attribute 'max'") as error:
        losscli.compute(path, **arrays)
    assert "--backend numpy" in error.value.hint
    path = written(here, function("return pred - np.max(target)"))
    assert losscli.compute(path, **arrays).value == 1.0


def test_a_loss_that_is_nan_is_told(here: Path, run: Run) -> None:
    written(here, function("return np.log(pred)"))
    done = run("compute", "f.py", "--data", "g.csv", "-f", "value")
    assert (done.returncode, done.stdout) == (0, "nan\n")
    assert done.stderr == "warning: the loss of row 3 is nan\n"


def test_weights_of_elements_need_losses_of_elements(here: Path) -> None:
    path = written(here, function("return (pred - target).sum(axis=1)"))
    square = np.ones((2, 2))
    with pytest.raises(DataError, match="weight has 2 columns, but a row has one loss"):
        losscli.compute(path, pred=square, target=square, weight=square)
    assert losscli.compute(path, pred=square, target=0 * square, weight=[1.0, 3.0]).value == 2.0


# Functions, and all that they may declare


def plain(pred: Any, target: Any, *, p: int = 2, way: Literal["up", "down"] = "up") -> Any:
    error = pred - target if way == "up" else target - pred
    return error**p


def test_a_function_is_a_loss_in_python() -> None:
    arrays = {"pred": [3.0, 1.0], "target": [1.0, 2.0]}
    result = losscli.compute(plain, **arrays, p=3, way="down")
    assert result.value == (-8 + 1) / 2
    assert result.signature.startswith(
        "plain|p:3|way:down|function:tests.test_own_losses.plain|sha"
    )
    assert losscli.compute(partial(plain, p=1), **arrays).value == 0.5
    assert losscli.compute(lambda pred, target: pred, **arrays).value == 2.0
    assert losscli.compute(losscli.get_loss(plain), **arrays).value == 2.5
    with pytest.raises(UsageError, match="--p: expected a whole number"):
        losscli.compute(plain, **arrays, p=1.5)
    with pytest.raises(UsageError, match="plain has no parameter 'q'"):
        losscli.compute(plain, **arrays, q=1)
    for nothing in (5, None, int):
        with pytest.raises(UsageError, match="expected"):
            losscli.compute(nothing, **arrays)  # type: ignore[arg-type]


def test_a_built_in_may_be_given_as_its_function() -> None:
    arrays = {"pred": [3.0, 1.0], "target": [1.0, 2.0]}
    assert losscli.compute(huber, **arrays, delta=0.5) == losscli.compute(
        "huber", **arrays, delta=0.5
    )


def test_a_decorator_above_a_declaration_counts() -> None:
    def twice(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def doubled(**given: Any) -> Any:
            return 2 * function(**given)

        return doubled

    @twice
    @loss("own-error")
    def error(pred: Any, target: Sign, *, scale: Positive = 1.0) -> Any:
        return scale * pred

    result = losscli.compute(error, pred=[1.0], target=[1], scale=3.0)
    assert (result.loss, result.value) == ("own-error", 6.0)


def test_rows_pools_and_batches() -> None:
    @loss("kept")
    def kept(pred: Any, target: Any) -> Rows:
        return Rows(pred * target, weight=target, keep=pred > 0)

    arrays = {"pred": [1.0, -1.0, 5.0], "target": [2.0, 2.0, 4.0]}
    result = losscli.compute(kept, **arrays, reduction="weighted-mean")
    assert (result.value, result.ignored) == ((2 + 20) / 6, 1)

    @loss("share", kind="pooled")
    def share(pred: Any, target: Any) -> Pooled:
        return Pooled({"a": pred, "b": target}, lambda a, b: a / b)

    assert losscli.compute(share, **arrays).value == 5 / 8
    assert losscli.compute(share, **arrays, by=[1, 1, 2]).value == (0 + 5 / 4) / 2

    @loss("broken", kind="pooled")
    def broken(pred: Any) -> Pooled:
        return Pooled({"a": pred}, lambda a: a[7])

    with pytest.raises(DataError, match=r"test_own_losses.py, line \d+: IndexError"):
        losscli.compute(broken, pred=[1.0])

    @loss("spread", kind="batch")
    def spread(pred: Any) -> Any:
        return pred - pred.mean()

    assert losscli.compute(
        spread, pred=[1.0, 3.0, 5.0], batch_size=2, reduction="none"
    ).per_sample.tolist() == [-1, 1, 0]


def test_classes_and_their_options() -> None:
    from losscli.declare import ClassTarget, ClassWeights

    @loss("picked")
    def picked(
        pred: Scores, target: ClassTarget, *, class_weight: ClassWeights | None = None
    ) -> Rows:
        index = numerics.class_index(target)
        weight = np.ones(len(pred)) if class_weight is None else class_weight[index]
        return Rows(-weight * numerics.pick(pred, index), weight)

    pred = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    result = losscli.compute(
        picked,
        pred=pred,
        target=["b", "a", "b"],
        classes="a,b",
        class_weight="3,1",
        reduction="weighted-mean",
    )
    assert result.value == -(2 + 9 + 7) / 5
    with pytest.raises(DataError, match="expected a class index, 0 to 1"):
        losscli.compute(picked, pred=pred, target=[0, 1, 2])


def test_reserved_names_are_the_options_of_every_loss() -> None:
    commands = [build(CATALOGUE.losses[name], {}) for name in ("mse", "dice", "info-nce", "brier")]
    words = {
        word.removeprefix("--").replace("-", "_")
        for command in commands
        for option in command.params
        if option.name in ("role_by", "role_weight")
        or not str(option.name).startswith(("param_", "role_"))
        for word in (*option.opts, *option.secondary_opts)
        if word.startswith("--")
    }
    keywords = inspect.signature(losscli.compute).parameters.values()
    words |= {p.name for p in keywords if p.kind == p.KEYWORD_ONLY}
    assert len(words) > 30
    # A loss may take numbers of samples as its input, as class-balanced-weights does.
    assert words - {"class_counts"} <= RESERVED


# A copy of a built-in is the built-in


def copy_of(name: str) -> str:
    """The module of a loss, as somebody might begin one of their own."""
    module = inspect.getmodule(CATALOGUE.losses[name].function)
    assert module is not None
    return inspect.getsource(module)


COPIES = [
    ("huber", "regression", False),
    ("log-cosh", "regression", False),
    ("binary-cross-entropy", "classification", True),
    ("multiclass-hinge", "multiclass_margin", True),
    ("cosine-distance", "metric_learning", False),
]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", [name for name, _, _ in COPIES])
def test_a_copy_of_a_built_in_has_its_bits(
    name: str, suffix: str, backend: str, tmp_path: Path
) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    rng = np.random.default_rng(11)
    n = 140_000 if suffix == "parquet" else 40_000
    own = written(tmp_path, copy_of(name))
    table = pd.DataFrame(rng.normal(size=(n, 6)), columns=[f"c{i}" for i in range(6)])
    table["label"] = rng.integers(0, 2 if name == "binary-cross-entropy" else 3, n)
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, row_group_size=20_000)
    references = {
        "huber": {"pred": "c0,c1", "target": "c2,c3"},
        "log-cosh": {"pred": "c0", "target": "c1"},
        "binary-cross-entropy": {"pred": "c0", "target": "label", "input": "logits"},
        "multiclass-hinge": {"pred": "c0,c1,c2", "target": "label"},
        "cosine-distance": {"x1": "c0,c1,c2", "x2": "c3,c4,c5"},
    }[name]
    expected = losscli.compute(
        name, data=str(path), **references, per_sample=True, threads=1, backend=backend
    )
    for threads in (1, 2):
        found = losscli.compute(
            f"{own}:{name}",
            data=str(path),
            **references,
            per_sample=True,
            threads=threads,
            backend=backend,
        )
        assert found.value == expected.value
        assert found.per_sample.tobytes() == expected.per_sample.tobytes()


def test_a_function_in_numpy_has_one_result_for_every_format(tmp_path: Path) -> None:
    """NumPy's sums over columns depend on how the columns lie in memory; here they lie one way."""
    own = written(tmp_path, function("return np.mean(np.sin(pred - target), axis=1)"))
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.normal(size=(20_000, 40)), columns=[f"c{i}" for i in range(40)])
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet", row_group_size=3000)
    half = {
        "pred": ",".join(f"c{i}" for i in range(20)),
        "target": ",".join(f"c{i}" for i in range(20, 40)),
    }
    arrays = table.to_numpy()
    expected = losscli.compute(own, pred=arrays[:, :20], target=arrays[:, 20:]).value
    fortran = np.asfortranarray(arrays)
    assert losscli.compute(own, pred=fortran[:, :20], target=fortran[:, 20:]).value == expected
    for suffix in ("csv", "parquet"):
        for threads in (1, 2):
            path = str(tmp_path / f"t.{suffix}")
            assert losscli.compute(own, data=path, **half, threads=threads).value == expected


def test_a_missing_file_in_python(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        losscli.compute(tmp_path / "none.py", pred=[1.0])


def test_a_catalogue_loss_needs_none_of_it() -> None:
    """Start-up: what only losses of one's own need is not imported for others."""
    code = (
        "import sys; from losscli.cli import main; code = main(sys.argv[1:]); "
        "print(code, *{'importlib.metadata', 'hashlib', 'shlex'} & set(sys.modules), "
        "file=sys.stderr)"
    )
    words = ["compute", "mse", "--data", str(ROOT / "sample_data/diabetes.csv"), "--pred", "ridge"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr == "0\n"


# Losses of packages that are installed

ACME = """
import numpy as np
from losscli.declare import loss

print("importing")


@loss("acme-loss", family="acme")
def acme(pred, target, *, scale: float = 1.0):
    '''The loss of Acme.'''
    return scale * np.abs(pred - target)


def plain(pred, target):
    return 1 / 0


def takes_nothing():
    return 1
"""
ENTRIES = """[losscli.losses]
acme-loss = acme_losses
acme_plain = acme_losses:plain
mse = acme_losses:plain
acme-gone = acme_losses:gone
acme-absent = acme_absent:f
acme-broken = acme_broken:f
acme-nothing = acme_losses:takes_nothing
acme-twice = acme_losses:plain
"""


@pytest.fixture
def installed(here: Path) -> dict[str, str]:
    """The environment in which two packages offer losses."""
    site = here / "site"
    for name, version, entries in (
        ("acme-losses", "1.2", ENTRIES),
        ("other", "3.0", "[losscli.losses]\nAcmeTwice = acme_losses:plain\n"),
    ):
        about = site / f"{name.replace('-', '_')}-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        (about / "entry_points.txt").write_text(entries)
    (site / "acme_losses.py").write_text(ACME)
    (site / "acme_broken.py").write_text("import os\nraise SystemExit('no licence')\n")
    return {"PYTHONPATH": f"{ROOT}:{site}"}


def test_a_loss_of_a_package(here: Path, run: Run, installed: dict[str, str]) -> None:
    words = ["--data", "g.csv", "--scale", "2"]
    done = run("compute", "AcmeLoss", *words, env=installed)
    assert done.stdout.splitlines()[1] == (
        "acme-loss\tmean\t3.6666666666666665\t3\t3\t0\tacme-loss|scale:2|package:acme-losses==1.2|"
        "row:mean|reduction:mean|n:3|skipped:0|dtype:float64|losscli:0.1.0"
    )
    assert done.stderr == "importing\n"
    assert "package acme-losses==1.2" in run("info", "acme-loss", env=installed).stdout
    assert "--scale" in run("compute", "acme-loss", "--help", env=installed).stdout
    assert run("check", "acme-loss", "--data", "g.csv", env=installed).returncode == 0
    done = run("compute", "acme-lss", "--data", "g.csv", env=installed)
    assert done.stderr == "error: no loss is called 'acme-lss'\nhint: did you mean acme-loss?\n"


def test_a_package_cannot_replace_a_loss(here: Path, run: Run, installed: dict[str, str]) -> None:
    done = run("compute", "mse", "--data", "g.csv", "-f", "value", env=installed)
    # (0.5² + 3² + 2²) / 3
    assert (done.stdout, done.stderr) == ("4.416666666666667\n", "")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("acme-plain", 3, "error: {site}/acme_losses.py, line 15: ZeroDivisionError: division by "
         "zero (with rows 1 to 3)\n"),
        ("acme-gone", 2, "error: the loss 'acme-gone' of acme-losses==1.2 cannot be had: "
         "AttributeError: module 'acme_losses' has no attribute 'gone'\n"),
        ("acme-absent", 2, "error: the loss 'acme-absent' of acme-losses==1.2 cannot be had: "
         "ModuleNotFoundError: No module named 'acme_absent'\n"),
        ("acme-broken", 2, "error: the loss 'acme-broken' of acme-losses==1.2 cannot be had: "
         "{site}/acme_broken.py, line 2: SystemExit: no licence\n"),
        ("acme-nothing", 2, "error: the loss 'acme-nothing' of acme-losses==1.2 cannot be had: "
         "{site}/acme_losses.py: takes_nothing: it has no inputs, which are its positional "
         "parameters\n"),
        ("acme-twice", 2, "error: 'acme-twice' is a loss of acme-losses==1.2 and other==3.0\n"
         "hint: only one of them can stay installed\n"),
    ],
)  # fmt: skip
def test_packages_that_are_broken(
    here: Path, run: Run, installed: dict[str, str], name: str, code: int, message: str
) -> None:
    done = run("compute", name, "--data", "g.csv", env=installed)
    said = done.stderr.removeprefix("importing\n")
    assert (done.returncode, done.stdout) == (code, "")
    assert said == message.format(site=here / "site")


def test_list_has_losses_of_packages(here: Path, run: Run, installed: dict[str, str]) -> None:
    done = run("list", "-f", "json", env=installed)
    found = {record["name"]: record for record in json.loads(done.stdout)}
    assert found["acme-loss"]["summary"] == "The loss of Acme."
    assert set(found) - {loss.name for loss in CATALOGUE} == {
        "acme-loss",
        "acme_plain",
        "acme-twice",
        "AcmeTwice",
    }
    assert "warning: 'mse' of acme-losses==1.2 has the name of another loss\n" in done.stderr
    assert "warning: the loss 'acme-broken' of acme-losses==1.2 cannot be had" in done.stderr
    assert run("list", "--family", "acme", "-f", "value", env=installed).stdout.startswith(
        "acme-loss"
    )


SWALLOWS = """
import time
def f(pred, target):
    try:
        print("begun", flush=True)
        time.sleep(60)
    except BaseException:
        pass
    return abs(pred - target)
"""


def begun(here: Path) -> "subprocess.Popen[str]":
    """A process in the middle of the loss of f.py."""
    command = [sys.executable, "-m", "losscli", "compute", "f.py", "--data", "g.csv", "-o", "o.csv"]
    process = subprocess.Popen(
        command, cwd=here, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    return process


def test_a_loss_that_catches_everything_is_ended_all_the_same(here: Path) -> None:
    written(here, SWALLOWS)
    with begun(here) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    assert not (here / "o.csv").exists()


@pytest.mark.parametrize(
    "wait", ["time.sleep(60)", "lock = threading.Lock(); lock.acquire(); lock.acquire()"]
)
def test_unwinding_does_not_wait_for_ever(wait: str, here: Path) -> None:
    """As for a lock that is never given back, since the signal came as it had been taken."""
    written(here, SWALLOWS.replace("        pass", f"        import threading; {wait}"))
    with begun(here) as process:
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        assert process.wait(20) == 128 + signal.SIGTERM
        assert time.monotonic() - start < PATIENCE + 5
    assert not (here / "o.csv").exists()


def test_an_async_function_is_no_loss(here: Path, run: Run) -> None:
    written(here, "async def f(pred, target):\n    return pred\n")
    done = run("compute", "f.py", "--data", "g.csv")
    assert (done.returncode, done.stderr) == (
        2,
        "error: f.py: f is an async function, expected one that returns losses\n",
    )


def test_an_import_without_end_is_not_waited_for(here: Path) -> None:
    """A signal waits for an import, which an exception would leave half done."""
    written(here, 'import time\nprint("begun", flush=True)\ntime.sleep(60)\n')
    with begun(here) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 128 + signal.SIGINT
        assert process.stderr is not None
        assert process.stderr.read() == "interrupted\n"


FORGETS = """
import time
class Held:
    def __del__(self):
        print("begun", flush=True)
        time.sleep(0.5)
def f(pred, target):
    Held()
    time.sleep(60)
    return abs(pred - target)
"""


def test_a_signal_is_not_swallowed_where_python_swallows_exceptions(here: Path) -> None:
    written(here, FORGETS)
    with begun(here) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
        assert process.stderr is not None
        assert process.stderr.read() == ""
