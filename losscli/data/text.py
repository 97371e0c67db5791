"""Bytes of a text file → UTF-8 without comments, and where its lines were in the file."""

import codecs
import io
import re
from array import array
from bisect import bisect_left
from typing import Any

from losscli.data.records import LONGEST_RECORD
from losscli.errors import DataError, FileError

#: marks at the start of a text, and what they say it is in; UTF-32 starts as UTF-16 does
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(head: bytes) -> str | None:
    """The encoding that a byte-order mark names, where it is not UTF-8."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def unmarked(head: bytes) -> str | None:
    """The UTF-16 that a text starts in without its mark: its letters of ASCII have a zero byte."""
    first, second = head[::2].count(0), head[1::2].count(0)
    name = "UTF-16BE" if first > second else "UTF-16LE"
    text = head.decode(name, errors="ignore")
    wide = 4 * (first + second) >= len(head) > 0
    return name if wide and all(c.isprintable() or c.isspace() for c in text) else None


def is_binary(head: bytes) -> bool:
    """Whether bytes are no text: UTF-8, or with other letters but without what controls a line."""
    if encoding_of(head) or unmarked(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        strange = 0
    except UnicodeDecodeError:
        strange = 1
    controls = {byte for byte in head if byte < 9 or 13 < byte < 27}
    return b"\0\0\0" in head or len(controls) + strange > 1


def recoded(stream: Any, encoding: str, display: str) -> io.BufferedReader:
    """A text in another encoding, as UTF-8."""
    return io.BufferedReader(_Recoded(stream, encoding, display), 1 << 17)


class _Recoded(io.RawIOBase):
    def __init__(self, stream: Any, encoding: str, display: str) -> None:
        self._stream, self._encoding, self._display = stream, encoding, display
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._lines = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._stream.read(len(buffer))
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise FileError(
                    f"{self._display}: not {self._encoding.upper()} text after line "
                    f"{self._lines}, whatever its first bytes say: {error.reason}"
                ) from None
            if not data and not text:
                return 0
            self._lines += text.count("\n")
            self._ready = text.encode("utf-8", "replace")
        part = self._ready[: len(buffer)]
        self._ready = self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class Uncommented:
    """A CSV without the lines that start with a prefix, unless they are inside of quotes."""

    def __init__(self, stream: Any, prefix: str, delimiter: bytes) -> None:
        self._stream, self._prefix = stream, prefix.encode()
        ends = re.escape(delimiter)
        # A field that is open at the end of the data makes no record: what is quoted is not given
        # back once it was taken (`*+`).
        quoted = b'"(?:[^"]|"")*+"[^' + ends + b"\n]*+"
        field = b"(?:" + quoted + b'|(?!")[^' + ends + b"\n]*+)"
        self._record = re.compile(field + b"(?:[" + ends + b"]" + field + b")*+\n")
        self._rest, self._fresh = b"", True
        self._kept = 0
        #: for comments that follow each other, how many lines before them were kept, and how many
        #: lines were comments up to their last
        self._before, self._dropped = array("q"), array("q")

    def read(self, size: int) -> bytes:
        """Some whole records, however many bytes that is; nothing at the end."""
        while True:
            data = self._stream.read(size)
            over = not data
            if self._fresh:
                data, self._fresh = data.removeprefix(codecs.BOM_UTF8), False
            buffer = self._rest + data
            if over and buffer and not buffer.endswith(b"\n"):
                buffer += b"\n"
            kept, self._rest = self._filter(buffer)
            if over or len(self._rest) > LONGEST_RECORD:
                kept, self._rest = kept + self._rest, b""
            if kept or over:
                return kept

    def line(self, number: int) -> int:
        """Where in the file a line is that was kept, both counted from 1."""
        run = bisect_left(self._before, number)
        return number + (self._dropped[run - 1] if run else 0)

    def close(self) -> None:
        self._stream.close()

    def _filter(self, buffer: bytes) -> tuple[bytes, bytes]:
        """The whole records of a buffer, and the bytes after them."""
        kept: list[bytes] = []
        at, quotes = 0, b'"' in buffer
        while at < len(buffer):
            if buffer.startswith(self._prefix, at):
                end = buffer.find(b"\n", at) + 1
                if end:
                    self._drop()
            else:
                end = self._end(buffer, at, quotes)
                kept.append(buffer[at:end])
                self._kept += kept[-1].count(b"\n")
            if end <= at:
                break
            at = end
        return b"".join(kept), buffer[at:]

    def _drop(self) -> None:
        """Count a line of comment."""
        if not self._before or self._before[-1] != self._kept:
            self._before.append(self._kept)
            self._dropped.append(self._dropped[-1] if self._dropped else 0)
        self._dropped[-1] += 1

    def _end(self, buffer: bytes, at: int, quotes: bool) -> int:
        """Where the records end that start here: just before a comment, or after one at least."""
        if quotes:
            record = self._record.match(buffer, at)
            return record.end() if record else at
        comment = buffer.find(b"\n" + self._prefix, at)
        return max(at, (comment if comment >= 0 else buffer.rfind(b"\n")) + 1)


def quoted(display: str) -> str:
    """A file's name as the shell takes it."""
    import shlex

    return shlex.quote(display)


def recode(encoding: str, display: str) -> str:
    """How to make UTF-8 of a text in another encoding."""
    source = "" if display == "standard input" else f" {quoted(display)}"
    return f"iconv -f {encoding} -t UTF-8{source} | losscli … reads it from '-'"


def without(byte: str, display: str) -> str:
    """How to leave out a byte of a text."""
    return f"tr -d '{byte}' < {quoted(display)} | losscli … reads it from '-'"


def carriage_returns(display: str, line: int | None = None) -> DataError:
    """The error of a file of an old kind, with what makes another of it."""
    lines = "lines that end" if line is None else f"line {line} ends"
    return DataError(
        f"{display}{':' if line is None else ','} {lines} with a carriage return alone",
        f"tr '\\r' '\\n' < {quoted(display)} | losscli … reads it from '-'",
    )
