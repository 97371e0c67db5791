"""Arrow arrays → NumPy, by their buffers.

Arrow's own conversions (`to_numpy`, `np.asarray`) import pandas, which costs more time than a small
job takes; a buffer is a NumPy array already.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from losscli.data.groups import group_names_of_arrow
from losscli.data.source import BadValue, LabelMap, NoNumbers, Values, Wanted, as_before, in_words
from losscli.losses.numerics import Array, Index, Mask

#: what to do with whole numbers that do not fit
AS_TEXT = "keys of any length pair as text: write them in quotes in both files"
#: by the numbers that Arrow has for its types, which are found faster than the types themselves
_DTYPES = {
    pa.float64().id: np.float64,
    pa.float32().id: np.float32,
    pa.float16().id: np.float16,
    pa.int8().id: np.int8,
    pa.int16().id: np.int16,
    pa.int32().id: np.int32,
    pa.int64().id: np.int64,
    pa.uint8().id: np.uint8,
    pa.uint16().id: np.uint16,
    pa.uint32().id: np.uint32,
    pa.uint64().id: np.uint64,
}


def read(array: Any, wanted: Wanted) -> Values:
    """An Arrow array as what is wanted of it."""
    if wanted.raw:
        return Values(plain(array))
    if wanted.key:
        return group_names_of_arrow(plain(array))
    return decode(array, wanted.labels, wanted.hint, wanted.pad)


def decode(
    array: Any, labels: LabelMap | None = None, hint: str = "", pad: float | None = None
) -> Values:
    """An Arrow array as float64: (n,), (n, k) for lists of k, (n, k, l) for lists of lists.

    With `pad`, lists may have any lengths: k is that of the longest, and the others are filled up.
    Raises BadValue for the first value that is not a number, or not one of the labels.
    """
    if isinstance(array.type, pa.FixedShapeTensorType):
        return _tensors(array, labels, hint)
    array = array if array.type.id in _DTYPES else plain(array)
    kind = array.type
    if kind.id in _DTYPES:
        values = buffer_of(array, _DTYPES[kind.id])
    elif _is_list(kind):
        return _lists(array, pad, labels, hint)
    elif is_text(kind):
        return _words(array, labels, hint)
    elif pa.types.is_boolean(kind):
        values = bits(array.buffers()[1], len(array), array.offset).astype(np.float64)
        labels = labels and labels.of_booleans()
    elif pa.types.is_decimal(kind):
        # Arrow's own cast is off by a bit for one decimal in ten.
        values = buffer_of(array.cast(pa.string()).cast(pa.float64()), np.float64).copy()
    elif pa.types.is_null(kind):
        values = np.full(len(array), np.nan)
    else:
        raise NoNumbers(str(kind), hint)
    missing = _missing(array)
    if missing is not None:
        values = np.where(missing, np.nan, values)
    return Values(values if labels is None else map_labels(values, labels, hint), missing)


def plain(array: Any) -> Any:
    """An array without wrappers: the values of dictionaries and runs, what extensions store."""
    if isinstance(array.type, pa.Bool8Type):
        array = array.storage.cast(pa.bool_())  # bytes, of which any but 0 is true
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        words = plain(array.dictionary)
        array = pa.DictionaryArray.from_arrays(array.indices, words).dictionary_decode()
    if pa.types.is_run_end_encoded(array.type):
        import pyarrow.compute as pc

        array = plain(pc.run_end_decode(array))
    if pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array.cast(pa.string()) if pa.types.is_string_view(array.type) else array


def large_numbers(values: Iterable[Any]) -> Any:
    """Whole numbers of more than 64 bits as Arrow has them: as decimals, of 76 digits at most."""
    for i, value in enumerate(values):
        if isinstance(value, int) and abs(value) >= 10**76:
            raise BadValue(i, "a whole number of over 76 digits", "at most 76 (--on)", AS_TEXT)
    return pa.array([None if value is None else Decimal(value) for value in values])


def map_labels(values: Array, labels: LabelMap, hint: str = "") -> Array:
    """Numbers that stand for labels → the numbers that the loss wants; NaN stays NaN."""
    mapped = np.full(values.shape, np.nan)
    known = np.isnan(values)
    for number, code in zip(labels.numbers or (), labels.codes, strict=False):
        here = values == number
        mapped[here] = code
        known |= here
    if not known.all():
        rows = known.reshape(len(values), -1).all(axis=1)
        unknown = int(np.argmin(rows))
        value = np.ravel(values[unknown])[int(np.argmin(np.ravel(known[unknown])))]
        found = f"got {float(value):g}"
        raise BadValue(unknown, found, labels.expected, hint, np.asarray(~rows))
    return mapped


def _words(array: Any, labels: LabelMap | None, hint: str) -> Values:
    """Text columns: two labels, each distinct word looked at once; anything else is an error."""
    encoded = array.dictionary_encode()
    words = [str(word).strip() for word in encoded.dictionary.to_pylist()]
    codes = np.full(len(words) + 1, np.nan)
    known = {} if labels is None else dict(zip(labels.given, labels.codes, strict=True))
    expected = "a number" if labels is None else labels.expected
    missing = _missing(encoded.indices)
    index = buffer_of(encoded.indices, np.int32).astype(np.intp)
    if missing is not None:
        index = np.where(missing, len(words), index)
    unknown = [code for code, word in enumerate(words) if word not in known]
    if unknown:
        every = np.isin(index, unknown)
        first = int(np.argmax(every))
        raise BadValue(first, f"got {words[index[first]]!r}", expected, hint, every)
    codes[:-1] = [known[word] for word in words]
    return Values(codes[index], missing)


def is_text(kind: Any) -> bool:
    """Whether a type of Arrow is that of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_bytes(kind: Any) -> bool:
    """Whether a type of Arrow is that of bytes."""
    known = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(holds(kind) for holds in known)


def _is_list(kind: Any) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _lists(array: Any, pad: float | None, labels: LabelMap | None, hint: str) -> Values:
    """Lists → a matrix. A row that is missing is NaN throughout."""
    n, missing_rows = len(array), _missing(array)
    present = np.ones(n, dtype=bool) if missing_rows is None else ~missing_rows
    flat, starts, lengths = _parts(array)
    lengths = np.where(present, lengths, 0)
    if n and not present.any() and (pad is None or _is_list(array.type.value_type)):
        return Values(np.empty((n, 0)), np.ones((n, 0), dtype=bool))
    if pad is None:
        width = int(lengths[present][0]) if present.any() else 0
        empty = present & (lengths == 0)
        if empty.any():
            raise BadValue(
                int(np.argmax(empty)), "a list without values", "one or more", every=empty
            )
        odd = present & (lengths != width)
        if odd.any():
            first = int(np.argmax(odd))
            raise BadValue(first, in_words((int(lengths[first]),)), as_before((width,)), every=odd)
    else:
        width = max(1, int(lengths.max(initial=0)))
    try:
        inner = decode(flat, labels, hint)
    except NoNumbers:
        raise NoNumbers(str(array.type), hint) from None
    except BadValue as bad:
        row = int(np.searchsorted(starts, bad.index, side="right")) - 1
        element = f"element {bad.index - int(starts[row]) + 1}: {bad.value}"
        every = None
        if bad.every is not None:
            every = np.zeros(n, bool)
            every[np.searchsorted(starts, np.flatnonzero(bad.every), side="right") - 1] = True
        raise BadValue(row, element, bad.expected, bad.hint, every) from None
    shape = (n, width, *inner.array.shape[1:])
    if inner.array.size == n * width * int(np.prod(shape[2:])) and (lengths == width).all():
        inner_missing = None if inner.missing is None else inner.missing.reshape(shape)
        return Values(inner.array.reshape(shape), inner_missing)
    matrix = np.full(shape, np.nan if pad is None else pad)
    inside = np.arange(width) < lengths[:, None]
    index = (starts[:, None] + np.arange(width))[inside]
    matrix[inside] = inner.array[index]
    matrix[~present] = np.nan
    missing = np.zeros(shape, dtype=bool)
    missing[~present] = True
    if inner.missing is not None:
        missing[inside] = inner.missing[index]
    return Values(
        matrix,
        missing if missing.any() else None,
        None if pad is None else np.where(present, lengths, width),
    )


def _tensors(array: Any, labels: LabelMap | None, hint: str) -> Values:
    """Arrays of one shape, whose values Arrow keeps as flat lists."""
    shape, order = array.type.shape, array.type.permutation
    if order and order != sorted(order):
        # pyarrow itself transposes such arrays one way as a whole, and another way each.
        raise BadValue(0, f"the column holds {array.type}", "arrays in the order of their axes")
    flat = decode(array.storage, labels, hint)
    rows = (len(array), *shape)
    if flat.array.shape[1] == 0:  # missing throughout
        return Values(np.full(rows, np.nan), np.ones(rows, bool))
    missing = None if flat.missing is None else flat.missing.reshape(rows)
    return Values(flat.array.reshape(rows), missing)


def _parts(array: Any) -> tuple[Any, Index, Index]:
    """The values of lists end to end, where each list starts among them, and its length."""
    n = len(array)
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        flat = array.values.slice(array.offset * width, n * width)
        return flat, np.arange(n, dtype=np.int64) * width, np.full(n, width)
    wide = pa.types.is_large_list(array.type)
    dtype, count = np.int64 if wide else np.int32, array.offset + n + 1
    offsets = np.frombuffer(array.buffers()[1], dtype, count)[array.offset :].astype(np.int64)
    flat = array.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
    return flat, offsets[:-1] - offsets[0], np.diff(offsets)


def buffer_of(array: Any, dtype: Any) -> Any:
    """The values of an Arrow array of a fixed width, whatever those are that are missing."""
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return np.zeros(len(array), dtype=dtype)
    size = np.dtype(dtype).itemsize
    return np.frombuffer(data, dtype, len(array), array.offset * size)


def bits(buffer: Any, n: int, offset: int) -> Mask:
    """n bits of an Arrow bitmap from `offset` on, as booleans."""
    data = np.frombuffer(buffer, np.uint8)
    first, last = offset // 8, (offset + n + 7) // 8
    each = np.unpackbits(data[first:last], bitorder="little")
    return each[offset - 8 * first :][:n].astype(bool)


def _missing(array: Any) -> Mask | None:
    if array.null_count == 0:
        return None
    if array.buffers()[0] is None:
        return np.ones(len(array), dtype=bool)
    return ~bits(array.buffers()[0], len(array), array.offset)
