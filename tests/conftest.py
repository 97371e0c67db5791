"""Running the command line as a process, as people and programs do."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data"

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# A shell starts what runs in its background with Ctrl-C ignored, nohup with the hang-up, and
# processes inherit that; those that tests start are to heed them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A test is right or wrong, however busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `losscli` with arguments in an empty directory; `input` goes to standard input."""

    def run(
        *arguments: str | Path,
        input: str | bytes = "",
        cwd: Path = tmp_path,
        env: dict[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            [sys.executable, "-m", "losscli", *map(str, arguments)],
            input=data,
            capture_output=True,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **(env or {})},
            check=False,
            timeout=60,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run
