"""Blanks around the fields of a CSV: of account only in text that is none of the expected words."""

import re
from collections.abc import Callable, Sequence
from typing import Any

#: what Python strips off a text, but for line ends: the blanks of ASCII, and the others in UTF-8
_NARROW = tuple(b"\t\x0b\x0c\x1c\x1d\x1e\x1f "[i : i + 1] for i in range(8))
_WIDE = rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"


def may_have_blanks(chunk: bytes, delimiter: str) -> bool:
    """Whether a field of some CSV may begin or end with a blank."""
    edges = {delimiter.encode(), b"\n", b"\r", b'"'}
    blanks = [blank for blank in _NARROW if blank in chunk and blank not in edges]
    pairs = [blank + edge for blank in blanks for edge in edges]
    return (
        chunk[:1] in blanks
        or chunk[-1:] in blanks
        or any(pair in chunk or pair[::-1] in chunk for pair in pairs)
        or (not chunk.isascii() and _has_wide(chunk, b"".join(edges)))
    )


def _has_wide(chunk: bytes, edges: bytes) -> bool:
    """Whether a field may begin or end with a blank that is not of ASCII."""
    if not re.search(_WIDE, chunk):
        return False
    edge = b"[%b]" % re.escape(edges)
    ends = rb"(?:%b)(?:%b|\Z)|(?:%b|\A)(?:%b)" % (_WIDE, edge, edge, _WIDE)
    return re.search(ends, chunk) is not None


def beside_blanks(words: Sequence[str], delimiter: str) -> re.Pattern[bytes]:
    """What finds some words that have one of the blanks before or after them that Arrow skips."""
    either = b"|".join(re.escape(word.encode()) for word in words)
    blank = b"[%b]" % b" \t".replace(delimiter.encode(), b"")
    return re.compile(b"%b(?:%b)|(?:%b)%b" % (blank, either, either, blank))


def each_word(text: Any, read: Callable[[str], str | None]) -> Any:
    """Text of Arrow, every word of it as `read` has it."""
    import pyarrow as pa

    encoded = text.dictionary_encode()
    words = pa.array(map(read, encoded.dictionary.to_pylist()), pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, words).dictionary_decode()
