"""What goes along with the roles in a block of rows paired by key: their keys, and where they are.

They are named as no role is, so that they are cut and joined as the roles are.
"""

from collections.abc import Mapping
from typing import Any

from losscli.data.source import Values
from losscli.losses.numerics import Index, Mask

_KEY, _NUMBER = "#key", "#row of {}"


def pairs_of(pairing: Any, part: list[Values]) -> dict[str, Values]:
    """The keys of some rows of a PairedSource, and their numbers in each file."""
    if pairing is None:
        return {}
    key, *numbers = part[pairing.values :]
    return {_KEY: key} | {_NUMBER.format(side): values for side, values in enumerate(numbers)}


def keys_of(block: Mapping[str, Values], keep: Mask | None) -> tuple[Any, Any]:
    """The keys of the rows of a block that are kept, and their numbers in the first file."""
    found = [block.get(name) for name in (_KEY, _NUMBER.format(0))]
    if keep is not None:
        found = [each and each.rows(keep) for each in found]
    key, number = (each and each.array for each in found)
    return key, number


def numbers_of(
    block: Mapping[str, Values], side: int, start: int, rows: Index | None
) -> tuple[int, Index | None]:
    """Where the rows of a block are in one of the files: from which row on, and which of them."""
    values = block.get(_NUMBER.format(side))
    if values is None:
        return start, rows
    numbers: Any = values.array
    return 0, numbers if rows is None else numbers[rows]
