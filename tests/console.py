"""Documents whose console blocks are run: what stands below each `$ command` is what it prints.

    python -m tests.console README.md      rewrite the blocks of a document with what they print

Standard error is shown with standard output, and an exit code other than 0 as `[code]`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path) -> list[str]:
    """The console blocks of a document."""
    return BLOCK.findall(document.read_text(encoding="utf-8"))


def commands(block: str) -> list[str]:
    """The commands of a block; a line that ends with a backslash goes on."""
    found: list[str] = []
    continues = False
    for line in block.splitlines():
        if continues:
            found[-1] += "\n" + line
        elif line.startswith("$ "):
            found.append(line[2:])
        else:
            continue
        continues = line.endswith("\\")
    return found


def run(block: str) -> str:
    """A block with the outputs that its commands have now, run in an empty directory."""
    with tempfile.TemporaryDirectory() as folder:
        work, tools = Path(folder, "work"), Path(folder, "tools")
        work.mkdir()
        tools.mkdir()
        (work / "sample_data").symlink_to(ROOT / "sample_data")
        for name, module in (("losscli", "-m losscli"), ("python", "")):
            script = tools / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
            script.chmod(0o755)
        env = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "100",
        }
        return "".join(_run_one(command, work, env) for command in commands(block))


def _run_one(command: str, work: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        cwd=work,
        env=env,
        timeout=60,
        check=False,
    )
    output = done.stdout.decode()
    if output and not output.endswith("\n"):
        output += "\n"
    code = f"[{done.returncode}]\n" if done.returncode else ""
    return f"$ {command}\n{output}{code}"


def rewrite(document: Path) -> None:
    """Put what the commands print now into a document."""
    text = document.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda block: f"```console\n{run(block[1])}```", text)
    document.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
