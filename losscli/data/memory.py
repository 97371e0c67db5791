"""How much memory a computation may hold: the one bound for all that cannot be streamed."""

import os
import re

from losscli.errors import UsageError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
#: what is taken of the memory that is free, where no bound is given
SHARE = 0.5


def parse_size(text: str | int | None) -> int | None:
    """The bytes of `--max-memory SIZE`: 2G, 500M, 1.5GiB, or a number of bytes."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", str(text), re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < 1:
        raise UsageError(f"--max-memory: expected a size, got '{text}'", "such as 2G or 500M")
    return size


def bound(limit: int | None) -> int:
    """Bytes that may be held at once: the limit, or a share of what the machine has free."""
    if limit is not None:
        return limit
    return int(SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))
