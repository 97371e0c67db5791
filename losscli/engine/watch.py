"""What a user ought to hear about a result, gathered along the way."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.data.inputs import Block
from losscli.engine.pool import WHOLE
from losscli.losses.numerics import Array
from losscli.losses.registry import Rows


@dataclass
class Watch:
    """Sees the blocks go by and remembers what is odd."""

    #: pred is read as the logits of classes
    logits: bool
    first_nonfinite: tuple[int, float] | None = None
    #: every row so far of those logits is a distribution
    like_probabilities: bool = True
    seen: bool = False
    #: what there is to say of sets of rows
    of_units: list[str] = field(default_factory=list)

    def see_pred(self, pred: Array) -> None:
        """Look at rows that should be logits."""
        self.seen = True
        if self.logits and self.like_probabilities:
            inside = pred.min() >= 0 and pred.max() <= 1
            sums = np.add.reduce(pred, axis=-1)
            self.like_probabilities = bool(inside and (np.abs(sums - 1) < 1e-6).all())

    def see_loss(self, block: Block, loss: Array) -> None:
        """Remember the first loss that is not finite, in a block whose sum is not."""
        if self.first_nonfinite is not None:
            return
        bad = np.flatnonzero(~np.isfinite(loss.reshape(len(loss), -1)).all(axis=1))
        if len(bad):
            row = int(bad[0]) if block.rows is None else int(block.rows[bad[0]])
            values = np.ravel(loss[bad[0]])
            value = float(values[~np.isfinite(values)][0])
            self.first_nonfinite = (block.start + row + 1, value)

    def see_units(self, groups: list[Any], units: Rows) -> None:
        """Remember what is not finite of the losses of sets of rows, or of classes of them."""
        loss = units.loss.reshape(len(groups), -1)
        bad = ~np.isfinite(loss)
        if units.keep is not None:
            bad &= units.keep.reshape(bad.shape)
        for g, c in np.argwhere(bad)[:1]:
            group = f" of group {groups[g]}" if len(groups) > 1 or groups[g] != WHOLE else ""
            of_class = f" of class {c + 1}" if loss.shape[1] > 1 else ""
            more = int(np.count_nonzero(bad)) - 1
            others = f", and {more:,} more are not finite" if more else ""
            self.of_units.append(f"the loss{group}{of_class} is {loss[g, c]}{others}")

    def merge(self, later: "Watch") -> None:
        """Add what was seen of later rows."""
        self.first_nonfinite = self.first_nonfinite or later.first_nonfinite
        self.like_probabilities = self.like_probabilities and later.like_probabilities
        self.seen = self.seen or later.seen

    def warnings(self) -> list[str]:
        """What there is to say."""
        found = []
        if self.first_nonfinite is not None:
            row, value = self.first_nonfinite
            found.append(f"the loss of row {row} is {value}")
        found += self.of_units
        if self.logits and self.seen and self.like_probabilities:
            found.append(
                "every row of pred lies in [0, 1] and adds up to 1, as probabilities do, "
                "but is read as logits: --input probs if it is not"
            )
        return found
