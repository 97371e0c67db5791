"""The vocabulary that losses are written in: array functions, stable where the plain form is not.

A loss reads like its formula because what is delicate about it is here: functions of arrays that
neither overflow nor lose digits, each with its error bound. Everything else a loss needs is an
operator. Losses use these names and no array library directly.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Index: TypeAlias = NDArray[np.intp]

maximum = np.maximum
minimum = np.minimum
expm1 = np.expm1
sqrt = np.sqrt
isfinite = np.isfinite

LN_2 = math.log(2.0)
LN_2PI = math.log(2.0 * math.pi)


def exp(x: Array) -> Array:
    """eˣ, ∞ where it exceeds every float and no warning."""
    with np.errstate(over="ignore"):
        return np.exp(x)


def log(x: Array | float) -> Array:
    """ln x, with ln 0 = −∞ (its limit) and no warning."""
    with np.errstate(divide="ignore"):
        return np.log(x)


def log1p(x: Array | float) -> Array:
    """ln(1 + x), with ln 0 = −∞ (its limit) and no warning."""
    with np.errstate(divide="ignore"):
        return np.log1p(x)


def select(condition: Mask, yes: Array | float, no: Array | float) -> Array:
    """`yes` where the condition holds, `no` elsewhere."""
    return np.where(condition, yes, no)


def square(x: Array) -> Array:
    """x², rounded once (a general power may be an ulp away), ∞ where it exceeds every float."""
    with np.errstate(over="ignore"):
        return x * x


def ratio(x: Array, y: Array | float) -> Array:
    """x / y without a warning: ±∞ for a zero below, and 0 / 0 = 0.

    So it is the limit of x / max(y, ε) for ε → 0, what is left when a guard against division by
    zero vanishes.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where((x == 0) & (y == 0), 0.0, np.divide(x, y))


def subtract(x: Array, y: Array) -> Array:
    """x − y without a warning where it is undefined: ∞ − ∞ is NaN."""
    with np.errstate(invalid="ignore"):
        return np.subtract(x, y)


def by_row(x: Array, like: Array) -> Array:
    """One value a row, (n,), as it goes with the elements of `like`, (n, k); else x itself."""
    return x.reshape(x.shape + (1,) * (like.ndim - x.ndim))


def relu(x: Array) -> Array:
    """max(0, x), the positive part."""
    return np.maximum(x, 0.0)


def power(x: Array, p: float) -> Array:
    """xᵖ, exact multiplication for the two common powers."""
    if p == 1:
        return x
    return square(x) if p == 2 else np.power(x, p)


def total(x: Array) -> Array:
    """Σ over the last axis."""
    result: Array = np.add.reduce(x, axis=-1)
    return result


def largest(x: Array) -> Array:
    """max over the last axis."""
    result: Array = np.maximum.reduce(x, axis=-1)
    return result


def log_ratio(x: Array, y: Array, shift: float = 0.0) -> Array:
    """ln((s + x) / (s + y)) = ±ln(1 + r) with r = |x − y| / (s + min(x, y)), for s + x, s + y ≥ 0.

    r is not negative, so nothing cancels where x ≈ y: within 4 ulp, where a difference of
    logarithms may have no correct digit. Only where r exceeds every float are the logarithms
    subtracted; there they lie far apart. 0 for x = y, also where both logarithms are −∞.
    """
    low = shift + np.minimum(x, y)
    r = ratio(abs(x - y), low)
    size = np.log1p(r)
    if not np.isfinite(size).all():
        size = np.where(np.isinf(r), subtract(log(shift + np.maximum(x, y)), log(low)), size)
    return np.copysign(size, x - y)


def log_cosh(x: Array) -> Array:
    """ln cosh x, within 4 ulp for every x.

    For |x| < 1 as ln(1 + 2 sinh²(½x)), which is ½x² and not 0 for small x; beyond as
    |x| + ln(1 + e^−2|x|) − ln 2, which does not overflow.
    """
    a = abs(x)
    near = np.log1p(2.0 * square(np.sinh(0.5 * np.minimum(a, 1.0))))
    return np.where(a < 1.0, near, a + np.log1p(np.exp(-2.0 * a)) - LN_2)


def log_factorial(x: Array) -> Array:
    """ln x! = ln Γ(x + 1), by the C library, once for every distinct value (counts repeat)."""
    values, inverse = np.unique(x, return_inverse=True)
    each = np.array([_log_factorial(value) for value in values.tolist()])
    return each[inverse.reshape(x.shape)]


def _log_factorial(x: float) -> float:
    try:
        return math.lgamma(x + 1.0)
    except (OverflowError, ValueError):  # x beyond 1e305, and the poles of Γ
        return math.inf


def unit(x: Array, eps: float = 0.0) -> Array:
    """x / max(‖x‖, ε) over the last axis; the zero vector stays zero.

    With m = max |x| and u = x / m this is u / max(‖u‖, ε / m), where 1 ≤ ‖u‖ ≤ √d: no square
    overflows or vanishes.
    """
    m = np.maximum.reduce(abs(x), axis=-1, keepdims=True)
    u = ratio(x, m)
    norm = np.sqrt(np.add.reduce(u * u, axis=-1, keepdims=True))
    return ratio(u, np.maximum(norm, ratio(np.full_like(m, eps), m)))


def cosine(x: Array, y: Array, eps: float = 0.0) -> Array:
    """The cosine of the angle between vectors on the last axis, in [−1, 1]; 0 for a zero vector.

    Norms below ε count as ε. Within d + 5 ulp of 1, absolutely.
    """
    return np.clip(total(unit(x, eps) * unit(y, eps)), -1.0, 1.0)


def softplus(x: Array) -> Array:
    """ln(1 + eˣ) = max(0, x) + ln(1 + e^−|x|): no overflow, within 2 ulp everywhere."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^−x), from e^−|x| so that neither tail overflows; within 3 ulp."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def logit(p: float) -> float:
    """ln(p / (1 − p)), the inverse of the sigmoid, with its limits −∞ at 0 and ∞ at 1."""
    with np.errstate(divide="ignore"):
        return float(np.log(p) - np.log1p(-p))


def log_softmax(x: Array) -> Array:
    """x − ln Σ eˣ over the last axis, shifted by the maximum so that the sum lies in [1, C].

    A row whose maximum is not finite has no shift that helps: +∞ gives NaN, as its limit is
    undefined; −∞ entries beside finite ones are probability zero and stay −∞.
    """
    # A copy, since the shifted scores are changed in place.
    shifted = np.subtract(x, np.maximum.reduce(x, axis=-1, keepdims=True))
    shifted -= np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    return shifted


def softmax(x: Array) -> Array:
    """eˣ / Σ eˣ over the last axis."""
    e = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    e /= np.add.reduce(e, axis=-1, keepdims=True)
    return e


def xlogy(x: Array, y: Array) -> Array:
    """x ln y, with 0 ln 0 = 0 (its limit)."""
    return times_log(x, log(y))


def times_log(x: Array, log_y: Array) -> Array:
    """x · ln y from ln y, with 0 · ln 0 = 0 (its limit), where the plain product is NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(x == 0, 0.0, x * log_y)


def clip(x: Array, low: Array | float | None, high: Array | float | None) -> Array:
    """x held within [low, high]."""
    return np.clip(x, low, high)


def class_index(target: Array) -> Index:
    """Class ids as an index; they arrive as floating point, like every column."""
    return target.astype(np.intp)


def pick(x: Array, index: Index) -> Array:
    """x[…, index]: of each row, the entry of its class."""
    return np.take_along_axis(x, index[..., None], axis=-1)[..., 0]


def one_hot(index: Index, classes: int) -> Array:
    """1 at each row's class, 0 elsewhere; (…,) → (…, C)."""
    return np.equal(index[..., None], np.arange(classes)).astype(np.float64)


def count_listed(lists: Array, classes: int) -> Array:
    """How often each class is in a row's list, which ends before its first −1; (…, k) → (…, C)."""
    listed = np.logical_and.accumulate(lists >= 0, axis=-1)
    rows = np.arange(lists.size // lists.shape[-1]).reshape(*lists.shape[:-1], 1)
    # Class c of row r is entry r C + c of the flat result.
    entries = (rows * classes + lists)[listed].astype(np.intp)
    counts = np.bincount(entries, minlength=rows.size * classes)
    return counts.reshape(*lists.shape[:-1], classes).astype(np.float64)
