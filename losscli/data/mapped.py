"""Files that are mapped into memory, and whose pages are let go when they have been read."""

import mmap
from typing import Any

#: bytes that may be touched before their pages are let go
WINDOW = 1 << 23


def map_file(file: Any) -> mmap.mmap:
    """A file as it is on disk, to read anywhere; it is closed with the last array in it."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def release(mapped: mmap.mmap) -> None:
    """Let go of the pages that were touched. What is read again comes from the file again."""
    if hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
