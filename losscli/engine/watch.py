"""What a user ought to hear about a result, gathered along the way."""

from dataclasses import dataclass

import numpy as np

from losscli.data.inputs import Block
from losscli.losses.numerics import Array


@dataclass
class Watch:
    """Sees the blocks go by and remembers what is odd."""

    #: pred is read as the logits of classes
    logits: bool
    first_nonfinite: tuple[int, float] | None = None
    #: every row so far of those logits is a distribution
    like_probabilities: bool = True
    seen: bool = False

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
        if self.logits and self.seen and self.like_probabilities:
            found.append(
                "every row of pred lies in [0, 1] and adds up to 1, as probabilities do, "
                "but is read as logits: --input probs if it is not"
            )
        return found
