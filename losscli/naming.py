"""What stands for a loss: a name of the catalogue, a file, a function, or a name of a package.

A file is run when its path is named here, and for no other reason.
"""

import os
import re
from collections.abc import Callable
from typing import Any

from losscli import plugins
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.registry import suggestion
from losscli.user_losses import Found, from_file, of_function

#: what stands for a loss in Python
Named = str | os.PathLike[str] | Loss | Callable[..., Any]

#: PATH.py or PATH.py:NAME
_FILE = re.compile(r"(.*\.py)(?::([^/\\]*))?", re.DOTALL)


def is_file(name: str) -> bool:
    """Whether a name is that of a file, which to look it up would run."""
    return _FILE.fullmatch(name) is not None


def find(loss: Named) -> Found:
    """A loss, and the parameters that its name implies."""
    if isinstance(loss, Loss):
        return loss, {}
    if callable(loss):
        return of_function(loss), {}
    if not isinstance(loss, (str, os.PathLike)):
        raise UsageError(f"expected the name of a loss, a file or a function, got {loss!r}")
    name = os.fspath(loss)
    file = _FILE.fullmatch(name)
    return from_file(file[1], file[2] or None) if file else _by_name(name)


def _by_name(name: str) -> Found:
    """A loss of the catalogue, or else of a package that is installed."""
    if "/" in name or os.sep in name:
        raise _unknown(name, _BY_FILE)
    found = CATALOGUE.find(name) or plugins.find(name)
    if found is not None:
        return found
    if ":" in name:
        raise _unknown(name, _BY_FILE)
    offered = suggestion(name, plugins.names())
    if offered and not CATALOGUE.suggest(name):
        raise _unknown(name, offered)
    return CATALOGUE.get(name)


_BY_FILE = "a loss of your own is named by its file: ./mine.py:my_loss"


def _unknown(name: str, hint: str) -> UsageError:
    return UsageError(f"no loss is called '{name}'", hint)
