"""Bytes of CSV → chunks of whole records."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from losscli.data.lines import count_lines
from losscli.errors import DataError, FileError

CHUNK = 1 << 20
#: about as many lines has one at most: where they are short, numbers take more room than their text
CHUNK_LINES = 1 << 17
#: a record longer than this is taken for a file that is not CSV, or a quote that never closes
LONGEST_RECORD = 1 << 26
#: what can be wrong with quotes
STRAY_QUOTE, OPEN_QUOTE = "stray-quote", "unclosed-quote"


class Quoting:
    """Where quoted fields are: a quote opens one only where a field begins."""

    def __init__(self, delimiter: bytes) -> None:
        ends = b"\r\n" + re.escape(delimiter)
        # A field that is not closed goes on to the end of the data. Group 1 is the closing quote,
        # group 2 what stands between it and the end of the field.
        self._field = re.compile(
            b"(?:^|(?<=[" + ends + b']))"[^"]*+(?:""[^"]*+)*+(?:(")(?!")([^"' + ends + b"])?|\\Z)"
        )

    def record_end(self, data: bytes) -> int:
        """Just after the last line end that is outside of quoted fields; 0 if there is none."""
        quoted = _with_quotes(data)
        end = len(data)
        for field in reversed(list(self._field.finditer(quoted))):
            if field[1] is not None:
                line_end = data.rfind(b"\n", field.end(), end)
                if line_end >= 0:
                    return line_end + 1
            end = field.start()
        return data.rfind(b"\n", 0, end) + 1

    def wrong(self, data: bytes) -> Iterator[tuple[int, str]]:
        """Where a closing quote is followed by more of its field, or a quote never closes."""
        for field in self._field.finditer(_with_quotes(data)):
            if field[1] is None:
                yield field.start(), OPEN_QUOTE
            elif field[2] is not None:
                yield field.start(2), STRAY_QUOTE


def _with_quotes(data: bytes) -> bytes:
    """The lines of a chunk up to the last that has a quote."""
    end = data.find(b"\n", data.rfind(b'"')) + 1 if b'"' in data else 0
    return data[:end] if end or b'"' not in data else data


def chunks(stream: Any, display: str, delimiter: bytes) -> Iterator[bytes]:
    """Chunks that end with a line end outside of quotes; the last may be made to.

    Before the first record has told the delimiter, all that are possible count.
    """
    return _cut(
        stream,
        display,
        Quoting(delimiter).record_end,
        "a quote that never closes, or not a CSV file",
    )


def lines(stream: Any, display: str) -> Iterator[bytes]:
    """Chunks of whole lines; the last may be made to end with a line end."""
    return _cut(stream, display, lambda data: data.rfind(b"\n") + 1, "not a file of lines")


def _cut(
    stream: Any, display: str, record_end: Callable[[bytes], int], otherwise: str
) -> Iterator[bytes]:
    buffer, size = b"", 0
    while True:
        try:
            # A record that is not over yet is looked at again from its start: as much again is
            # read, so that the looking does not grow with the square of its length.
            data = stream.read(max(size or CHUNK, len(buffer)))
        except (OSError, EOFError) as error:
            raise FileError(f"{display}: {getattr(error, 'strerror', '') or error}") from None
        if not data:
            if buffer:
                yield buffer if buffer.endswith(b"\n") else buffer + b"\n"
            return
        size = size or min(CHUNK, 1 + len(data) * CHUNK_LINES // (1 + count_lines(data)))
        cut = data.rfind(b"\n") + 1
        if cut and b'"' not in data and b'"' not in buffer:
            yield b"".join((buffer, memoryview(data)[:cut]))
            buffer = data[cut:]
            continue
        buffer += data
        cut = record_end(buffer)
        if cut:
            yield buffer[:cut]
            buffer = buffer[cut:]
        elif len(buffer) > LONGEST_RECORD:
            raise DataError(f"{display}: a record of over {LONGEST_RECORD >> 20} MiB: {otherwise}")


def bodies(first: bytes, rest: Iterator[bytes], display: str) -> Iterator[bytes]:
    """Chunks of records, without the blank lines at the very end: they are how files end."""
    waiting: list[bytes] = []
    for chunk in itertools.chain([first] if first else [], rest):
        body = _without_line_ends(chunk)
        if not body:
            waiting.append(chunk)
            if sum(map(len, waiting)) > LONGEST_RECORD:
                raise DataError(f"{display}: over {LONGEST_RECORD >> 20} MiB of blank lines")
            continue
        end = chunk.find(b"\n", body) + 1
        yield b"".join([*waiting, chunk[:end]]) if waiting or end < len(chunk) else chunk
        waiting = [chunk[end:]] if end < len(chunk) else []


def _without_line_ends(data: bytes) -> int:
    """How long data is without the line ends at its end, of which there are few as a rule."""
    end = len(data)
    while end and data[end - 1] in b"\r\n":
        end -= 1
    return end
