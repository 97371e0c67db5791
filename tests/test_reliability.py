"""A small version of `benchmarks/reliability.py`, and of the fuzzing: the same, a few times."""

from pathlib import Path

import pytest

from benchmarks.reliability import OUTPUTS, Faults
from tests.fuzz.targets import TARGETS, corpus


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return Faults(tmp_path_factory.mktemp("faults"), scale=1, seed=1, rows=20_000)


@pytest.mark.parametrize("fault", ["killed", "full_disk", "pipe", "two_writers"])
def test_faults(faults: Faults, fault: str) -> None:
    for turn in range(2):
        getattr(faults, fault)(turn)
    assert faults.report.violations == []


def test_a_half_written_output_would_be_seen(faults: Faults, tmp_path: Path) -> None:
    for suffix in OUTPUTS:
        path = tmp_path / f"r.{suffix}"
        path.write_bytes(faults.whole[suffix])
        assert faults.state(tmp_path, suffix) == "output whole"
        path.write_bytes(faults.whole[suffix][:-1])
        assert faults.state(tmp_path, suffix) == "output HALF WRITTEN"
        path.unlink()


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_found(target: str) -> None:
    """Every input that is kept; a crash of the process would be one of the test."""
    count = 0
    for data in corpus(target):
        TARGETS[target](data)
        count += 1
    assert count >= 4 or target == "npz"
