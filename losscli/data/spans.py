"""Ranges of rows that can be read each on its own, for as many workers as there are."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from losscli.data.source import Source, Span

#: values of a span's widest role, at least: less is read faster than handed out
SPAN_VALUES = 1 << 20
#: how many times as many values a span has in large files, where a thread still gets so many spans:
#: where one begins inside of a row group, the rows before it are decoded twice
LARGER, SPANS_A_THREAD = 4, 8
#: the share of rows that may be decoded only to be skipped, where spans begin inside of row groups
WASTE = 0.25


def spans(
    sources: Sequence[Source], block_rows: int, width: int, longest: int | None, threads: int
) -> list[Span]:
    """Ranges of whole blocks that cover all rows; none where reading in order is better.

    A span begins at the first block that begins in a row group of the file with the fewest of them.
    `longest` is how many rows one may have, where they are to be held.
    """
    starts, counts = [source.starts for source in sources], {source.rows for source in sources}
    rows = counts.pop() if len(counts) == 1 else None
    if not rows or not all(starts):
        return []
    least = max(1, SPAN_VALUES // width)
    if longest is not None:
        least = max(1, least // 2)  # what is held is more than one span a thread
    else:
        least = max(least, min(LARGER * least, rows // (SPANS_A_THREAD * threads)))
    found = list(_cut(min(starts, key=len), rows, block_rows, least))
    skipped = sum(
        span.start - each[bisect_right(each, span.start) - 1] for each in starts for span in found
    )
    too_long = longest is not None and max(span.stop - span.start for span in found) > longest
    if len(found) < 2 or skipped > WASTE * rows * len(starts) or too_long:
        return []
    return found


def _cut(starts: Sequence[int], rows: int, block_rows: int, least: int) -> Iterator[Span]:
    """Spans from a start to another, of at least so many rows but for the last."""
    begin = 0
    for start in starts:
        aligned = -(-start // block_rows) * block_rows
        if aligned - begin >= least and aligned < rows:
            yield Span(begin, aligned)
            begin = aligned
    yield Span(begin, rows)
