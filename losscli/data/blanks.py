"""Blanks around the fields of a CSV, which are of no account but to the parser of Arrow."""

from collections.abc import Collection
from typing import Any


def may_have_blanks(chunk: bytes, delimiter: str) -> bool:
    """Whether a field of some CSV may begin or end with a blank."""
    edges = {delimiter.encode(), b"\n", b"\r", b'"'}
    blanks = {b" ", b"\t"} - edges
    pairs = [blank + edge for blank in blanks for edge in edges]
    return (
        not chunk.isascii()
        or chunk[:1] in blanks
        or chunk[-1:] in blanks
        or any(pair in chunk or pair[::-1] in chunk for pair in pairs)
    )


def stripped(text: Any, missing: Collection[str]) -> Any:
    """Text of Arrow without blanks around it, which may be a word for a missing value then."""
    import pyarrow as pa

    encoded = text.dictionary_encode()
    words = [word.strip() for word in encoded.dictionary.to_pylist()]
    known = pa.array([None if word in missing else word for word in words], pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, known).dictionary_decode()
