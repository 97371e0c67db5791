"""Look for inputs that break a target, guided by the coverage of losscli.

    pip install atheris
    python -m tests.fuzz csv -runs=100000

What follows the target goes to libFuzzer. New inputs go to a temporary folder, unless one is named.
"""

import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["losscli"], enable_loader_override=False):
    from tests.fuzz.targets import CORPUS, TARGETS


def main() -> None:
    """Fuzz the target that is named first."""
    name, *rest = sys.argv[1:]
    target = TARGETS[name]
    folders = [] if any(not word.startswith("-") for word in rest) else [tempfile.mkdtemp()]
    if folders:
        folders.append(str(CORPUS / name))
    atheris.Setup([sys.argv[0], *rest, *folders], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
