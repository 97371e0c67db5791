"""Compute any machine-learning loss on predictions saved in files.

>>> import losscli
>>> losscli.compute("huber", pred=[2.5, 0.0], target=[3.0, 2.0]).value
0.8125
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Result", "__version__", "compute", "get_loss", "list_losses"]

if TYPE_CHECKING:
    from losscli.api import compute, get_loss, list_losses
    from losscli.report.result import Result


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: the command line starts without NumPy."""
    if name == "Result":
        from losscli.report.result import Result

        return Result
    if name in ("compute", "get_loss", "list_losses"):
        from losscli import api

        return getattr(api, name)
    raise AttributeError(f"module 'losscli' has no attribute '{name}'")
