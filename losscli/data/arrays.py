"""Arrays in memory as a source: NumPy, pandas, Arrow, torch, lists."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from losscli.data.groups import group_names, group_names_of_arrow
from losscli.data.source import (
    BadValue,
    LabelMap,
    NoNumbers,
    Source,
    Span,
    Values,
    Wanted,
    misfit,
    piece_rows,
)
from losscli.errors import DataError
from losscli.losses.numerics import Array


class ArraySource(Source):
    """Arrays by name. Those that are read together must be of one length."""

    def __init__(
        self, arrays: dict[str, Any], display: str = "", index: Mapping[str, Any] | None = None
    ) -> None:
        """`index` holds what is read only where it is named: what the rows are called."""
        self.display = display
        self.columns = list(arrays)
        self.keys = [name for name in index or () if name not in arrays]
        self._given = {**(index or {}), **arrays}
        #: by name, and whether as they are
        self._arrays: dict[tuple[str, bool], Any] = {}

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        arrays = {
            (w.column, w.raw): (_raw if w.raw else _plain)(self._given[w.column], w.column)
            for w in wanted
        }
        self._arrays |= arrays
        lengths = {name: len(array) for (name, _), array in arrays.items()}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"'{name}' has {length} rows" for name, length in lengths.items())
            raise DataError(f"{self.display}: {counts}, and must have as many")
        self.rows = max(lengths.values(), default=0)
        return self.between(wanted, Span(0, self.rows))

    @property
    def starts(self) -> range:
        """Any row, once it is known how many there are."""
        return range(self.rows or 0)

    def between(self, wanted: Sequence[Wanted], span: Span) -> Iterator[list[Values]]:
        chosen = {(w.column, w.raw) for w in wanted}
        step = piece_rows(sum(_width(self._arrays[name]) for name in chosen))
        for start in range(span.start, span.stop, step):
            part = slice(start, min(start + step, span.stop))
            yield [self._piece(self._arrays[w.column, w.raw][part], w, start) for w in wanted]

    def close(self) -> None:
        """Arrays are their owner's."""

    def _piece(self, part: Any, wanted: Wanted, start: int) -> Values:
        try:
            return decode(part, wanted)
        except BadValue as bad:
            display = self.display or wanted.column
            column = wanted.column if self.display else ""
            raise misfit(
                display, column, start + bad.index + 1, bad.value, bad.expected, bad.hint
            ) from None


def _raw(value: Any, name: str) -> Any:
    """Values of any type, as an Arrow array."""
    import pyarrow as pa

    from losscli.data.arrow import large_numbers
    from losscli.data.keys import as_arrow

    if hasattr(value, "to_arrow"):
        value = value.to_arrow()
    if hasattr(value, "combine_chunks"):
        return value.combine_chunks()
    if type(value).__module__.partition(".")[0] == "torch":
        value = _of_torch(value)
    if type(value) is np.ndarray and value.dtype != object:
        try:
            return as_arrow(value)
        except DataError as error:
            raise DataError(f"{name} {error.message}") from None
    try:
        return pa.array(value)
    except OverflowError:  # whole numbers of more than 64 bits
        try:
            return large_numbers(value)
        except BadValue as bad:
            raise misfit(name, "", bad.index + 1, bad.value, bad.expected) from None
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{name}: not values of one type: {error}") from None


def _width(array: Any) -> int:
    """The values of a row; lists of Arrow arrays are counted as they come."""
    return array.size // max(1, len(array)) if isinstance(array, np.ndarray) else 1


def _plain(value: Any, name: str) -> Any:
    """A NumPy array, or an Arrow array as it is; DataError for what is no array of rows."""
    module = type(value).__module__.partition(".")[0]
    try:
        if module == "pyarrow":
            array = value.combine_chunks() if hasattr(value, "combine_chunks") else value
            if hasattr(array, "type") and hasattr(array, "null_count"):
                return array
            raise TypeError(f"{type(value).__name__}, expected an Arrow array")
        if module == "pandas":
            array = _of_pandas(value)
        elif module == "torch":
            array = _of_torch(value)
        elif isinstance(value, np.ma.MaskedArray):
            array = np.ma.filled(value.astype(np.float64), np.nan)
        else:
            array = _of_others(value, name)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name}: not an array of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        return array
    if array.ndim == 0:
        raise DataError(f"{name}: a single value, expected an array with one entry a row")
    if array.dtype == object and array.ndim == 1 and len(array):
        array = _of_rows(array, name)
    return array


def _of_pandas(value: Any) -> Any:
    """A Series or a DataFrame, whose missing values become NaN where it holds numbers."""
    dtypes = list(value.dtypes) if hasattr(value, "columns") else [value.dtype]
    if all(getattr(dtype, "kind", "O") in "iufb" for dtype in dtypes):
        return value.to_numpy(dtype=float, na_value=np.nan)
    return value.to_numpy()


def _of_torch(value: Any) -> Any:
    """A tensor of any layout and type; bfloat16, which NumPy has not, is exact in float32."""
    tensor = value.detach().cpu().resolve_conj().resolve_neg()
    tensor = tensor.to_dense() if tensor.layout != _strided() else tensor
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def _strided() -> Any:
    import torch

    return torch.strided


def _of_rows(array: Any, name: str) -> Any:
    """An array of rows that are arrays themselves, as pandas keeps a column of lists."""
    first = next((row for row in array if row is not None), None)
    if not isinstance(first, (np.ndarray, list, tuple)):
        return array
    rows: list[Any] = [None if row is None else np.asarray(row) for row in array]
    shapes = {None if row is None or row.dtype == object else row.shape for row in rows}
    return np.stack(rows) if len(shapes) == 1 and None not in shapes else _lists(rows, name)


def _of_others(value: Any, name: str) -> Any:
    """Whatever NumPy makes an array of; lists of different lengths become an Arrow array."""
    try:
        return np.asarray(value)
    except ValueError:
        return _lists(value, name)


def _lists(value: Any, name: str) -> Any:
    """Lists, of one length or of several, as an Arrow array."""
    import pyarrow as pa

    try:
        return pa.array([row.tolist() if getattr(row, "ndim", 1) > 1 else row for row in value])
    except pa.ArrowException as error:
        raise DataError(f"{name}: not lists of numbers: {error}") from None


def decode(part: Any, wanted: Wanted) -> Values:
    """A slice of an array as float64, or as keys. BadValue for the first that is no number."""
    from losscli.data.arrow import map_labels, read

    labels, hint = wanted.labels, wanted.hint
    if wanted.raw:
        return Values(part)
    if not isinstance(part, np.ndarray):
        return read(part, wanted)
    if wanted.key and part.dtype.kind in "Mm":
        from losscli.data.keys import as_arrow

        try:
            return group_names_of_arrow(as_arrow(part))
        except DataError as error:
            found = error.message.removeprefix("holds ").partition(",")[0]
            raise BadValue(0, found, "times of at most nanoseconds") from None
    if wanted.key:
        return group_names(part.tolist())
    if part.dtype.kind in "biuf":
        values: Array = np.ascontiguousarray(part, dtype=np.float64)
        if labels is not None and part.dtype.kind == "b":
            labels = labels.of_booleans()
        return Values(values if labels is None else map_labels(values, labels, hint))
    if part.dtype.kind in "cmMV":
        raise NoNumbers(str(part.dtype), hint, "array")
    return _objects(part, labels, hint)


def _objects(part: Any, labels: LabelMap | None, hint: str) -> Values:
    """Words and mixed objects, one by one: labels where they are mapped, numbers otherwise."""
    flat = np.empty(part.size)
    expected = "a number" if labels is None else labels.expected
    per_row = max(1, part.size // max(1, len(part)))
    every = np.zeros(len(part), bool)
    unknown: list[Any] = []
    for i, value in enumerate(part.ravel().tolist()):
        found = _number(value) if labels is None else labels.code(value)
        if found is None:
            every[i // per_row] = True
            unknown = unknown or [value]
        else:
            flat[i] = found
    if unknown:
        first = int(np.argmax(every))
        raise BadValue(first, f"got {unknown[0]!r}", expected, hint, every)
    values = flat.reshape(part.shape)
    return Values(values, np.isnan(values))


def _number(value: Any) -> float | None:
    """A number as a float, NaN for what is missing, None for anything else."""
    if is_missing(value):
        return np.nan
    return float(value) if isinstance(value, (int, float, np.number)) else None


def is_missing(value: Any) -> bool:
    """None, NaN, and what pandas has for them."""
    return value is None or str(value) in ("nan", "<NA>", "NaT")
