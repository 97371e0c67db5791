"""Dialects: a library's name alone gives the library's numbers."""

import json
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import losscli
from losscli.cli import info_dialects
from losscli.cli.compute import build
from losscli.errors import LosscliError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.dialects import LIBRARIES, Survey
from tests.conftest import ROOT, Run
from tests.reference import Case, cases

GOLDEN = [c for c in cases("golden") if c.peer in CATALOGUE.get(c.loss)[0].dialects]
BY_DIALECT = [
    pytest.param(loss, library, id=f"{loss.name}-{library}")
    for loss in CATALOGUE
    for library in loss.dialects
]
OTHER_SCALE = [
    (loss, library) for loss in CATALOGUE for library, form in loss.dialects.items() if form.rows
]
#: what a call that says nothing of its reduction, or says the default, reduces by
DEFAULT_REDUCTION = re.compile(r"reduction='(mean|sum_over_batch_size)'")
OTHER_REDUCTION = re.compile(r"reduction=|normalize=False|\.sum\(\)")


def differing(case: Case) -> dict[str, Any]:
    """What a case must say beside its dialect: inputs, and what is not the dialect's default."""
    loss = CATALOGUE.get(case.loss)[0]
    form = loss.dialects[case.peer]
    default = {name: p.default for name, p in loss.parameters.items()} | form.of(case.peer)
    decided = {"labels", "activation"} if form.decide is not None else set()
    call = DEFAULT_REDUCTION.sub("", case.peer_call)
    if not OTHER_REDUCTION.search(call):
        decided |= {"reduction", "row"}
    said = case.arguments
    if said.get("distance", "euclidean") != "euclidean":
        said = {"distance_eps": 0.0, **said}  # a distance of one's own, without torch's ε
    return {
        name: value
        for name, value in said.items()
        if name not in decided and (name not in default or not np.array_equal(value, default[name]))
    }


@pytest.mark.parametrize("case", GOLDEN, ids=repr)
def test_golden(case: Case) -> None:
    """Every value that a library printed, with only what its call said beside the dialect."""
    arguments = differing(case)
    result = losscli.compute(case.loss, dialect=case.peer, per_sample=True, **arguments)
    value = result.per_sample if result.value is None else result.value
    np.testing.assert_allclose(value, case.expected, rtol=case.rtol, atol=case.atol)


def test_golden_cases_are_many() -> None:
    assert len(GOLDEN) > 700
    bare = [case for case in GOLDEN if not {"reduction", "row"} & set(differing(case))]
    assert len(bare) > 300


def bare(case: Case) -> bool:
    """Whether a case's call has no arguments but inputs, weights and a default reduction."""
    call = DEFAULT_REDUCTION.sub("", case.peer_call)
    call = re.sub(r"(sample_)?weight=(weight|class_weight)|labels=\[[\d, ]+\]", "", call)
    name = CATALOGUE.get(case.loss)[0].dialects[case.peer].call.rpartition(".")[2]
    return f"{name}(" in call and not re.search(r"=|\.log\(\)|, [\d.]+\)$", call)


BARE = {(c.loss, c.peer): c for c in GOLDEN if bare(c)}


@pytest.mark.parametrize("case", BARE.values(), ids=repr)
def test_defaults_are_those_of_a_bare_call(case: Case) -> None:
    loss = CATALOGUE.get(case.loss)[0]
    form = loss.dialects[case.peer]
    default = {name: p.default for name, p in loss.parameters.items()} | form.of(case.peer)
    decided = {"labels", "activation"} if form.decide is not None else set()
    stated = {n: v for n, v in case.arguments.items() if n in loss.parameters}
    for name in stated.keys() - decided - {"class_weight", "off_labels"}:
        assert default[name] == stated[name], name


def test_bare_calls_are_found() -> None:
    assert len(BARE) > 30


@pytest.mark.parametrize(("loss", "library"), BY_DIALECT)
def test_declaration(loss: Loss, library: str) -> None:
    """A dialect sets only what the loss has, to values that the loss takes."""
    assert library in LIBRARIES
    form = loss.dialects[library]
    general = {"row", "reduction", "labels", "per"}
    assert form.options.keys() <= loss.parameters.keys() | general
    loss.resolve({n: v for n, v in form.options.items() if n in loss.parameters})
    assert ("per" in form.options) == (loss.kind == "pooled")


def typed_options(line: str) -> dict[str, Any]:
    """The options of a command line."""
    words = shlex.split(line)
    typed: dict[str, Any] = {}
    for word in words:
        if word.startswith("--no-"):
            typed[name := word[5:]] = False
        elif word.startswith("--"):
            typed[name := word[2:].replace("-", "_")] = True
        else:
            typed[name] = word
    return typed


@pytest.mark.parametrize(("loss", "library"), BY_DIALECT)
def test_options_that_info_shows_are_the_dialect(loss: Loss, library: str) -> None:
    """Every dialect has a value, and typing its options out instead of its name gives it too."""
    found = info_dialects.documents(loss)[library]
    assert found["error"] is None
    assert math.isfinite(found["value"])
    if loss.dialects[library].decide is None:
        example = info_dialects.example_of(loss, library)
        typed = typed_options(found["command_line"])
        assert (
            info_dialects.value_of(loss, example, **example.inputs(), **typed)[0]
            == (found["value"])
        )


@pytest.mark.parametrize(("loss", "library"), BY_DIALECT)
def test_the_command_line_gives_the_same(
    loss: Loss, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that `info` names: nothing that it does not say counts as said."""
    monkeypatch.chdir(tmp_path)
    found = info_dialects.documents(loss)[library]
    lines = re.split(r" ?[|;] (?=losscli|printf)", found["example"])
    for line in lines:
        words = shlex.split(line)
        text = words[1].replace("\\n", "\n")
        if ">" in words:
            Path(words[-1]).write_text(text)
        elif words[0] == "printf":
            Path("piped").write_text(text)
    arguments = ["piped" if word == "-" else word for word in words[3:]]
    done = CliRunner().invoke(build(loss, {}), [*arguments, "-f", "value"])
    assert done.exit_code == 0, done.exception
    assert float(done.stdout) == pytest.approx(found["value"], rel=1e-15)


@pytest.mark.parametrize(
    ("name", "library"), [("kl-divergence", "torch"), ("hinge", "torchmetrics"),
                          ("linear-cross-entropy", "torch"), ("ctc", "torch")]
)  # fmt: skip
def test_the_command_runs_in_a_shell(name: str, library: str, tmp_path: Path) -> None:
    found = info_dialects.documents(CATALOGUE.get(name)[0])[library]
    losscli_here = shlex.join([sys.executable, "-m", "losscli"])
    script = found["example"].replace("losscli compute", f"{losscli_here} compute")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", f"{script} -f value"], capture_output=True, text=True, cwd=tmp_path,
        env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(found["value"], rel=1e-15)


@pytest.mark.parametrize(("loss", "library"), OTHER_SCALE)
def test_the_rows_of_another_scale_are_those_of_the_example(loss: Loss, library: str) -> None:
    """Under a dialect's other options, the textbook's rows have the value of the dialect's.

    Where it clips probabilities, which not every loss does to logits, the rows are their softmax.
    """
    form, example = loss.dialects[library], info_dialects.example_of(loss)
    if "clip" in form.options:
        theirs = np.array([*info_dialects.example_of(loss, library).columns().values()])
        *scores, target = np.array([*example.columns().values()])
        shares = np.exp(scores - np.max(scores, axis=0))
        np.testing.assert_allclose(
            theirs[:-1], shares / shares.sum(axis=0), rtol=1e-14, atol=1e-300
        )
        np.testing.assert_array_equal(theirs[-1], target)
        return
    scale = {"input", "labels", "renormalize"}
    options = {k: v for k, v in form.of(library).items() if k not in scale}
    if form.decide is not None:
        one = example.columns()["pred"]
        seen = Survey({"pred": min(one)}, {"pred": max(one)}, {"target": False})
        options |= form.decide(seen)
    value, _ = info_dialects.value_of(loss, example, **example.inputs(), **options)
    assert value == pytest.approx(info_dialects.example_value(loss, library)[0], rel=1e-12)


@pytest.mark.parametrize(
    "loss", [loss for loss in CATALOGUE if loss.differing], ids=lambda loss: loss.name
)
def test_what_dialects_are_said_to_differ_on(loss: Loss) -> None:
    """The example is not enough; the rows beside it have several values, and the page shows them.

    The textbook may refuse them, and says why.
    """
    example = loss.example
    assert example is not None
    assert loss.differing is not None
    options = example.options_given()
    plain = {
        losscli.compute(loss.name, **example.inputs(), **options, dialect=library).value
        for library in [None, *loss.dialects]
        if library is None or not loss.dialects[library].rows
    }
    assert max(plain) == pytest.approx(min(plain), rel=1e-12)
    found = info_dialects.documents(loss)
    textbook, error = info_dialects.value_of(loss, loss.differing, **loss.differing.inputs())
    assert len({textbook, *(about["value"] for about in found.values())}) > 1
    page = info_dialects.section(loss)
    assert loss.differing.command(loss.name) in page
    assert error is None or error in " ".join(page.split())


SCORES = np.array([-0.6, 0.4, 2.0])


@pytest.mark.parametrize(
    ("library", "target", "expected"),
    [
        # keras 3.15: kl.Hinge()(y, s); both encodings are 1/3
        ("keras", [0, 1, 1], 1 / 3),
        ("keras", [-1, 1, 1], 1 / 3),
        ("optax", [-1, 1, 1], 1 / 3),
        ("sklearn", [0, 1, 1], 1 / 3),
        ("sklearn", [3, 7, 7], 1 / 3),
        # torchmetrics 1.9: binary_hinge_loss sends scores outside [0, 1] through the sigmoid
        ("torchmetrics", [0, 1, 1], 0.6249529852),
    ],
)
def test_labels_of_hinge(library: str, target: list[int], expected: float) -> None:
    result = losscli.compute("hinge", pred=SCORES, target=target, dialect=library)
    assert result.value == pytest.approx(expected, rel=1e-9)


def test_a_dialect_decides_over_the_whole_file(run: Run, tmp_path: Path) -> None:
    """One score outside [0, 1] at the end changes every row, whatever the blocks."""
    n = 200_000
    rows = "".join(f"{i / n},{i % 2}\n" for i in range(n))
    (tmp_path / "in.csv").write_text(f"pred,target\n{rows}")
    (tmp_path / "out.csv").write_text(f"pred,target\n{rows}1.5,1\n")
    arguments = ("compute", "hinge", "--dialect", "torchmetrics", "--reduction", "none", "--data")
    inside = run(*arguments, "in.csv")
    outside = run(*arguments, "out.csv")
    # max(0, 1 + 0) and, through the sigmoid, max(0, 1 + ½)
    assert inside.stdout.splitlines()[1].split()[-1] == "1"
    assert outside.stdout.splitlines()[1].split()[-1] == "1.5"
    assert "takes them as they are" in inside.stderr
    assert "takes --activation sigmoid" in outside.stderr


def test_what_is_given_is_not_decided(run: Run) -> None:
    done = run("compute", "hinge", "--data", "-", "--dialect", "keras", "-f", "value",
               input="pred,target\n1,1\n")  # fmt: skip
    assert done.returncode == 2
    assert "standard input can be read once" in done.stderr
    result = losscli.compute(
        "hinge", pred=SCORES, target=[0, 1, 1], dialect="torchmetrics", activation="none"
    )
    assert result.value == pytest.approx(1 / 3)  # (0.4 + 0.6 + 0) / 3
    assert result.notes[-1].endswith("takes them as they are")


def test_a_library_without_the_loss_is_refused(run: Run) -> None:
    done = run("compute", "categorical-hinge", "--data", "x.csv", "--dialect", "torch")
    assert done.returncode == 2
    assert done.stderr == (
        "error: categorical-hinge has no dialect torch\nhint: its dialects: keras\n"
    )
    # No library has this one, which has the option only to say so.
    done = run("compute", "jaccard", "--data", "x.csv", "--dialect", "torch")
    assert done.returncode == 2
    assert done.stderr == "error: jaccard has no dialect torch\nhint: its dialects: none\n"
    assert "--dialect" not in run("compute", "jaccard", "--help").stdout
    # What MindSpore calls by a name of this loss is another one.
    done = run("compute", "FocalLoss", "--data", "x.csv", "--dialect", "mindspore")
    assert done.returncode == 2
    assert done.stderr == (
        "error: focal has no dialect mindspore\n"
        "hint: mindspore.nn.FocalLoss is categorical-focal, which has --dialect mindspore\n"
    )
    done = run("compute", "huber", "--data", "x.csv", "--dialect", "kears")
    assert done.returncode == 2
    assert done.stderr == "error: no dialect 'kears'\nhint: did you mean keras?\n"


def test_info_shows_dialects(run: Run) -> None:
    document = json.loads(run("info", "mape", "-f", "json").stdout)
    assert document["example_value"] == 0.25
    assert document["dialects"]["keras"]["value"] == 25.0
    assert document["dialects"]["keras"]["call"] == "keras.losses.MeanAbsolutePercentageError"
    assert document["dialects"]["keras"]["command_line"] == (
        "--scale percent --eps 1e-07 --row mean-last --reduction mean"
    )
    page = run("info", "kl-divergence").stdout
    assert "torch, optax, mindspore: the example's rows are given as" in page


@pytest.mark.parametrize("library", LIBRARIES)
def test_list_by_dialect(run: Run, library: str) -> None:
    found = json.loads(run("list", "--dialect", library, "-f", "json").stdout)
    assert [r["name"] for r in found] == [s.name for s in CATALOGUE if library in s.dialects]
    assert all(library in r["dialects"].split() for r in found)


def test_list_by_kind(run: Run) -> None:
    found = json.loads(run("list", "--kind", "pooled", "-f", "json").stdout)
    assert {"dice", "jaccard", "tversky"} <= {r["name"] for r in found}
    assert {r["kind"] for r in found} == {"pooled"}
    done = run("list", "--dialect", "optix")
    assert (done.returncode, done.stderr) == (
        2,
        "error: no dialect 'optix'\nhint: did you mean optax?\n",
    )


@pytest.mark.parametrize("target", [np.eye(3)[[0, 1]], [0, 1]])
def test_a_loss_of_two_classes_leads_to_that_of_several(target: Any) -> None:
    """sklearn.metrics.log_loss of several columns is a cross-entropy, and no mean over columns."""
    pred = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    with pytest.raises(LosscliError) as error:
        losscli.compute("log_loss", pred=pred, target=target, dialect="sklearn")
    assert "cross-entropy" in f"{error.value} {error.value.hint}"
    # -(ln 0.7 + ln 0.3) / 2, which sklearn.metrics.log_loss(target, pred) gives too
    value = losscli.compute("cross-entropy", pred=pred, target=target, dialect="sklearn").value
    assert value == pytest.approx(0.7803238741323343, rel=1e-15)


def test_check_refuses_what_the_dialect_refuses(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a,b,c,d\n0.5,0.5,1,0\n")
    done = run("check", "log_loss", "--data", "p.csv", "--pred", "a,b", "--target", "c,d",
               "--dialect", "sklearn")  # fmt: skip
    assert "sklearn.metrics.log_loss of several columns is cross-entropy" in done.stderr
    assert done.returncode == 2
