"""Per-row output: a sink of the engine that writes a format."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.data.inputs import Block, Inputs
from losscli.engine.totals import RowValues
from losscli.losses.numerics import Array
from losscli.report.rows import RowWriter


class RowSink:
    """Writes the number of each row, its loss and, where there are weights, its weight.

    Rows that were skipped are not there; their numbers are. Where rows are paired by key, the key
    is there, and the number is that of the row in the first file.
    """

    def __init__(self, out: RowWriter) -> None:
        self._out = out
        self._inputs: Inputs | None = None
        self._written = False
        #: the columns of a block whose rows were all skipped
        self._empty: dict[str, Array] = {}

    def start(self, inputs: Inputs) -> None:
        """The inputs know what a row's elements are called."""
        self._inputs = inputs

    def block(self, block: Block, values: RowValues) -> None:
        """Write a block."""
        first = block.start + 1
        if block.numbers is not None:
            numbers = block.numbers + 1
        elif block.rows is not None:
            numbers = block.rows + first
        else:
            numbers = np.arange(first, first + block.length)
        columns: dict[str, Array] = {"row": numbers.astype(np.int64, copy=False)}
        columns |= self._keys(block)
        columns |= self._named("loss", values.loss)
        if values.weight is not None:
            columns |= self._named("weight", values.weight)
        if not len(numbers):
            self._empty = columns  # without values, nothing tells what a key is
            return
        self._written = True
        self._out.write(columns)

    def _keys(self, block: Block) -> dict[str, Array]:
        assert self._inputs is not None
        pairing = self._inputs.pairing
        if pairing is None:
            return {}
        taken = ("loss", "weight")
        columns = pairing.key.decode(block.keys)
        return {f"key_{n}" if n in taken else n: values for n, values in columns.items()}

    def groups(self, keys: list[Any], losses: Array) -> None:
        """Write the losses of groups of rows, each with its key."""
        columns: dict[str, Any] = {"group": np.array([str(key) for key in keys], dtype=object)}
        if len(losses):
            self._out.write(columns | self._named("loss", losses))

    def _named(self, name: str, part: Array) -> dict[str, Array]:
        if part.ndim == 1:
            return {name: part}
        assert self._inputs is not None
        elements = self._inputs.element_names(part.shape[1])
        return {f"{name}_{element}": part[:, i] for i, element in enumerate(elements)}

    def finish(self, metadata: Mapping[str, str]) -> None:
        """All rows are there. Where there are none, the columns have their names all the same."""
        if self._empty and not self._written:
            self._out.write(self._empty)
        self._out.close(metadata)
