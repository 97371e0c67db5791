"""The documents are true: their commands print what they show, and what is generated is fresh."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import console

ROOT = console.ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "docs/errors.md", "docs/conventions.md", "docs/writing_losses.md"]
BLOCKS = [
    pytest.param(block, id=f"{name}-{i}")
    for name in DOCUMENTS
    for i, block in enumerate(console.blocks(ROOT / name))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_console_block(block: str) -> None:
    assert console.run(block) == block


def test_console_blocks_are_found() -> None:
    assert len(BLOCKS) > 20
    assert console.commands("$ one\nout\n$ two \\\n  more\n") == ["one", "two \\\n  more"]


def test_generated_documents_are_fresh() -> None:
    """`python scripts/generate_docs.py` was run after the last change of a declaration."""
    done = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_man_page_is_in_the_wheel() -> None:
    listed = re.findall(r'^"man/(.*)" =', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "man").glob("*.1"))


@pytest.mark.parametrize("path", sorted((ROOT / "losscli").rglob("*.py")), ids=str)
def test_modules_stay_small(path: Path) -> None:
    """Docstrings make modules of losses long; any other module is one screenful of ideas."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (540 if path.parent.name == "losses" else 320)


LAYERS = ["losses", "data", "engine", "report", "cli"]


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_downwards(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    for path in (ROOT / "losscli" / layer).glob("*.py"):
        imported = re.findall(r"from losscli\.(\w+)", path.read_text(encoding="utf-8"))
        assert not set(imported) & set(above), path


@pytest.mark.parametrize(("name", "count"), [("README.md", 5), ("docs/writing_losses.md", 4)])
def test_python_in_documents(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failures, tests = doctest.testfile(str(ROOT / name), module_relative=False)
    assert (failures, tests) == (0, count)


def test_the_first_command_of_the_readme(tmp_path: Path) -> None:
    """A fresh copy, a fresh environment, and nothing else: it installs and computes."""
    first, second = re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert "pytest" in second, "the continuous integration runs this one"
    checkout = tmp_path / "losscli"
    ignored = shutil.ignore_patterns(".git", ".venv", "*cache*", "*.egg-info")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        ["bash", "-c", first], cwd=checkout, capture_output=True, text=True, env=environment,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith(
        "hinge-embedding\tmean\t0.16666666666666666\t9\t9"
    )


def test_every_other_shell_block_is_a_console_block() -> None:
    languages = re.findall(r"^```(\w+)$", README, re.MULTILINE)
    assert set(languages) == {"bash", "console", "python"}
    assert languages.count("bash") == 2
