"""Which losses, with which options, the values of some inputs would fit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from losscli.data.inputs import BY, WEIGHT
from losscli.errors import LosscliError
from losscli.losses import CATALOGUE
from losscli.losses.domains import By, Domain, number
from losscli.losses.numerics import Array
from losscli.losses.registry import Loss
from losscli.losses.roles import WEIGHT as WEIGHT_ROLE
from losscli.losses.shapes import Shape, bind

#: distinct values that are kept: labels are few
DISTINCT = 16
#: what the values of a row may be off by when they are said to add up to 1
CLOSE = 1e-3


class Fit(NamedTuple):
    """A loss that the values fit."""

    loss: str
    options: str
    #: whether it wants more of them than to be numbers
    particular: bool


class Seen:
    """Values of one role that witness what all of them are.

    A domain is an interval, whole numbers, a few labels, or rows with a certain sum: so the least
    and the largest value, a fraction and the rows with the least and the largest sums tell all.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.distinct: set[float] = set()
        self.fraction: float | None = None
        self.low, self.high = np.inf, -np.inf
        self._rows: dict[str, tuple[float, Array]] = {}

    def see(self, array: Array, counts: Array | None = None) -> None:
        """A block of values; those that are not finite say nothing, nor what fills lists up.

        `counts` are the lengths of lists before they were.
        """
        if counts is not None:
            array = array[np.arange(array.shape[1]) < counts[:, None]]
        if not array.size:
            return
        rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array
        rows = rows[np.isfinite(rows).all(axis=-1) if rows.ndim > 1 else np.isfinite(rows)]
        if not rows.size:
            return
        self.low, self.high = min(self.low, rows.min()), max(self.high, rows.max())
        if self.fraction is None:
            fractions = rows[rows != np.floor(rows)]
            self.fraction = float(fractions[0]) if fractions.size else None
        if len(self.distinct) < DISTINCT:
            self.distinct |= set(np.unique(rows)[:DISTINCT].tolist())
        if rows.ndim > 1:
            self._see_rows(rows)

    @property
    def rows(self) -> list[Array]:
        """Rows that are in a domain only if all are; none where a row is a single value."""
        return [row for _, row in self._rows.values()]

    @property
    def values(self) -> Array:
        """Values that are in a domain only if all are."""
        more = [] if self.fraction is None else [self.fraction]
        return np.array([*self.distinct, self.low, self.high, *more])

    @property
    def words(self) -> str:
        """What the values are."""
        if self.low > self.high:
            return "no finite values"
        values, whole = sorted(self.distinct), self.fraction is None
        if len(values) <= 2 and whole:
            return " or ".join(number(value) for value in values)
        sums = [float(row.sum()) for _, row in self._rows.values()]
        inside = self.low >= 0 and self.high <= 1
        if inside and sums and all(abs(total - 1) <= CLOSE for total in sums):
            return f"rows of {len(self.rows[0])} probabilities that add up to 1"
        kind = "whole numbers" if whole else "numbers"
        return f"{kind} from {self.low:.6g} to {self.high:.6g}"

    def _see_rows(self, rows: Array) -> None:
        with np.errstate(over="ignore"):
            measures = {
                "low": rows.min(axis=1),
                "high": -rows.max(axis=1),
                "least sum": rows.sum(axis=1),
                "largest sum": -rows.sum(axis=1),
                "least exponentials": np.exp(rows).sum(axis=1),
                "largest exponentials": -np.exp(rows).sum(axis=1),
                "fraction": -(rows != np.floor(rows)).any(axis=1).astype(float),
            }
            if rows.shape[1] == 4:  # as boxes are, the lower corner first
                measures["least side"] = (rows[:, 2:] - rows[:, :2]).min(axis=1)
        for name, measure in measures.items():
            at = int(np.argmin(measure))
            if name not in self._rows or measure[at] < self._rows[name][0]:
                self._rows[name] = (float(measure[at]), rows[at].copy())


def fits(
    seen: Mapping[str, Seen],
    labels: Sequence[str] = (),
    codes: Mapping[str, tuple[float, float] | None] | None = None,
) -> list[Fit]:
    """Losses of these roles, particular ones first.

    Where `labels` were mapped, `codes` say to what in each role: other losses must do so, too.
    """
    given = {name: each for name, each in seen.items() if each.low <= each.high}
    if not given or len(given) < len(seen):
        return []
    known = {name: pair for name, pair in (codes or {}).items() if pair is not None}
    mapped = f"--labels {','.join(labels)}" if labels else ""
    found = [
        fit
        for loss in CATALOGUE
        if all(name in loss.roles and loss.roles[name].codes == known[name] for name in known)
        for fit in _fits_of(loss, given, mapped)
    ]
    return sorted(found, key=lambda fit: not fit.particular)


def _fits_of(loss: Loss, seen: Mapping[str, Seen], mapped: str) -> Iterator[Fit]:
    required = {name for name, role in loss.roles.items() if not role.optional}
    named = set(seen) - {WEIGHT, BY}
    if loss.one_of or loss.with_flag or not required <= named or not named <= set(loss.roles):
        return
    roles = {**loss.roles, WEIGHT: WEIGHT_ROLE}
    for option, given in _variants(loss):
        try:
            shapes = {name: seen[name].shape for name in roles if name in seen}
            bound = bind(loss, roles, shapes, loss.resolve(given))
        except LosscliError:
            continue
        labels = mapped
        for name, domain in bound.domains.items():
            fit = _allowed(domain, seen[name], bound.context)
            if not fit and not labels:
                labels = _labels(roles[name].codes, domain, seen[name], bound.context)
                fit = bool(labels)
            if not fit:
                break
        else:
            particular = any(
                not domain.is_everything for name, domain in bound.domains.items() if name != WEIGHT
            )
            yield Fit(loss.name, " ".join(filter(None, [option, labels])), particular)


def _variants(loss: Loss) -> list[tuple[str, dict[str, Any]]]:
    """The default, and other readings of the values, such as `--input logits`."""
    found: list[tuple[str, dict[str, Any]]] = [("", {})]
    for role in loss.roles.values():
        for _, domain in role.shapes:
            if type(domain) is not By:
                continue
            parameter = loss.parameters[domain.parameter]
            for choice in domain.choices:
                if choice in ("True", "False") or choice == str(parameter.default):
                    continue
                variant = (f"{parameter.option} {choice}", {parameter.name: choice})
                if variant not in found:
                    found.append(variant)
    return found


def _allowed(domain: Domain, seen: Seen, context: Mapping[str, Any]) -> bool:
    if domain.of_rows and not seen.rows:
        return False
    values = np.stack(seen.rows) if seen.rows else seen.values
    allowed = bool(np.all(domain.allows(values, context)))
    return allowed and (domain.of_rows or bool(np.all(domain.allows(seen.values, context))))


def _labels(
    codes: tuple[float, float] | None, domain: Domain, seen: Seen, context: Mapping[str, Any]
) -> str:
    """The option that makes labels of two values, where they are 0 and 1 or −1 and 1."""
    pair = sorted(seen.distinct | {seen.low, seen.high})
    if codes is None or seen.shape or pair not in ([0, 1], [-1, 1]):
        return ""
    if not np.all(domain.allows(np.array(codes), context)):
        return ""
    return f"--labels {number(pair[0])},{number(pair[1])}"
