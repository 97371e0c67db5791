"""Arrays in memory as a source: NumPy, pandas, Arrow, torch, lists."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscli.data.source import BadValue, LabelMap, Values, Wanted, misfit, piece_rows
from losscli.errors import DataError
from losscli.losses.numerics import Array


class ArraySource:
    """Arrays by name, all of one length."""

    whole = False

    def __init__(self, arrays: dict[str, Any], display: str = "") -> None:
        self.display = display
        self.columns = list(arrays)
        self._arrays = {name: _plain(value, name) for name, value in arrays.items()}

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        arrays = [self._arrays[w.column] for w in wanted]
        rows = max(map(len, arrays), default=0)
        step = piece_rows(sum(_width(array) for array in arrays))
        for start in range(0, rows, step):
            yield [self._piece(w, start, start + step) for w in wanted]

    def close(self) -> None:
        """Arrays are their owner's."""

    def _piece(self, wanted: Wanted, start: int, stop: int) -> Values:
        part = self._arrays[wanted.column][start:stop]
        try:
            return decode(part, wanted)
        except BadValue as bad:
            display = self.display or wanted.column
            column = wanted.column if self.display else ""
            raise misfit(
                display, column, start + bad.index + 1, bad.value, bad.expected, bad.hint
            ) from None


def _width(array: Any) -> int:
    """The values of a row; lists of Arrow arrays are counted as they come."""
    return array.size // max(1, len(array)) if isinstance(array, np.ndarray) else 1


def _plain(value: Any, name: str) -> Any:
    """A NumPy array, or an Arrow array as it is."""
    module = type(value).__module__.partition(".")[0]
    if module == "pyarrow":
        return value.combine_chunks() if hasattr(value, "combine_chunks") else value
    if module == "pandas":
        # Nullable columns keep their missing values as NaN.
        numeric = hasattr(value, "dtype") and value.dtype.kind in "iufb"
        value = value.to_numpy(dtype=float, na_value=np.nan) if numeric else value.to_numpy()
    elif module == "torch":
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    if array.ndim == 0:
        raise DataError(f"{name}: a single value, expected an array with one entry a row")
    return array


def decode(part: Any, wanted: Wanted) -> Values:
    """A slice of an array as float64, or as keys. BadValue for the first that is no number."""
    from losscli.data.arrow import map_labels, read

    labels, hint = wanted.labels, wanted.hint
    if not isinstance(part, np.ndarray):
        return read(part, wanted)
    if wanted.key:
        keys = np.empty(len(part), dtype=object)
        keys[:] = [str(key) for key in part.tolist()]
        return Values(keys)
    if part.dtype.kind in "biuf":
        values: Array = np.ascontiguousarray(part, dtype=np.float64)
        return Values(values if labels is None else map_labels(values, labels))
    if part.dtype.kind == "c":
        raise BadValue(0, "the array holds complex numbers", "real numbers", hint)
    return _objects(part, labels, hint)


def _objects(part: Any, labels: LabelMap | None, hint: str) -> Values:
    """Words and mixed objects, one by one: labels where they are mapped, numbers otherwise."""
    flat = np.empty(part.size)
    known = {} if labels is None else dict(zip(labels.given, labels.codes, strict=True))
    expected = "a number" if labels is None else labels.expected
    per_row = max(1, part.size // max(1, len(part)))
    for i, value in enumerate(part.ravel().tolist()):
        text = str(value).strip()
        if value is None or value != value:
            flat[i] = np.nan
        elif text in known:
            flat[i] = known[text]
        elif isinstance(value, (int, float)) and labels is None:
            flat[i] = value
        else:
            raise BadValue(i // per_row, f"got {value!r}", expected, hint)
    values = flat.reshape(part.shape)
    return Values(values, np.isnan(values))
