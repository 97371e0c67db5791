"""`python -m losscli`, and the console script."""

import os
import sys


def run() -> None:
    """Run the command line and leave at once.

    Tearing down the interpreter with NumPy and Arrow loaded takes longer than a small job. All
    outputs are closed by now, so there is nothing to tear down for.
    """
    # A second thread pool for matrix products would only spin: losses are computed block by block.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from losscli.cli import main

    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 141
    os._exit(code)


if __name__ == "__main__":
    run()
