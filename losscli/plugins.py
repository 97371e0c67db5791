"""Losses of packages that are installed: entry points of the group "losscli.losses".

The name of an entry is that of a loss; what it points at is its function, or a module that has it.
A package is looked for when a name is not in the catalogue, and imported when the name is its own.
"""

from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from losscli.errors import LosscliError, UsageError, in_code, last_file
from losscli.losses.registry import Origin, declaration, name_key
from losscli.user_losses import Found, called, sound, undeclared

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "losscli.losses"


class Offer(NamedTuple):
    """A loss that a package says it has."""

    name: str
    #: the package as pip would install it
    package: str
    entry: "EntryPoint"


def offers() -> list[Offer]:
    """All losses that packages say they have, none of them imported."""
    from importlib.metadata import entry_points  # a tenth of a small job, for names of packages

    return [
        Offer(entry.name, f"{entry.dist.name}=={entry.dist.version}", entry)
        for entry in entry_points(group=GROUP)
        if entry.dist is not None
    ]


def names() -> list[str]:
    """The names under which packages have losses."""
    return [offer.name for offer in offers()]


def find(name: str) -> Found | None:
    """The loss of a package, by the name that the package gives it, or None."""
    found = [offer for offer in offers() if name_key(offer.name) == name_key(name)]
    if len(found) > 1:
        packages = " and ".join(sorted(offer.package for offer in found))
        raise UsageError(f"'{name}' is a loss of {packages}", "only one of them can stay installed")
    return load(found[0]) if found else None


def load(offer: Offer) -> Found:
    """Import a loss; a UsageError that names the package says what is wrong with it."""
    try:
        value = offer.entry.load()
        path = _file_of(value)
        if isinstance(value, ModuleType):
            loss, preset = called(offer.name, value, path)
        else:
            loss, preset = declaration(value) or undeclared(value, offer.name), {}
        origin = Origin(offer.name, {"package": offer.package}, path)
        return sound(replace(loss, name=offer.name, origin=origin)), preset
    except MemoryError:
        raise
    except LosscliError as error:
        raise UsageError(f"{_says(offer)}: {error.message}", error.hint) from error
    except (Exception, SystemExit) as error:
        what = in_code(error, last_file(error))
        raise UsageError(f"{_says(offer)}: {what}") from error


def _says(offer: Offer) -> str:
    return f"the loss '{offer.name}' of {offer.package} cannot be had"


def _file_of(value: object) -> str:
    """The file of a module or a function, as its tracebacks name it."""
    code = getattr(value, "__code__", None)
    return str(code.co_filename if code else getattr(value, "__file__", None) or value)
