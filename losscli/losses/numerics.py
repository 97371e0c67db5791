"""The vocabulary that losses are written in: array functions, stable where the plain form is not.

A loss reads like its formula because what is delicate about it is here: functions of arrays that
neither overflow nor lose digits, each with its error bound. Everything else a loss needs is an
operator. Losses use these names and no array library directly.
"""

import math
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Index: TypeAlias = NDArray[np.intp]
Numbers = TypeVar("Numbers", Array, Index)

maximum = np.maximum
minimum = np.minimum
#: ln(eˣ + eʸ), shifted by the larger of them; −∞ for two −∞
log_add = np.logaddexp
expm1 = np.expm1
sqrt = np.sqrt
arctan = np.arctan
#: √(x² + y²), within an ulp and without overflow on the way
hypot = np.hypot
isfinite = np.isfinite
#: 1 in every entry of the shape of an array
ones = np.ones_like

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


def divide(x: Array, y: Array) -> Array:
    """x / y, with ±∞ for x / 0 and NaN for 0 / 0, and no warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = np.divide(x, y)
    return result


def select(condition: Mask, yes: Array | float, no: Array | float) -> Array:
    """`yes` where the condition holds, `no` elsewhere, to the bit (NaN and −0 included).

    On conditions without a pattern a branch is guessed wrong half of the time. On the bits,
    no ⊕ ((yes ⊕ no) ∧ m), with m all ones where the condition holds, has none.
    """
    if not (_bits_can_be_blended(condition, yes) and _bits_can_be_blended(condition, no)):
        return np.where(condition, yes, no)
    mask = np.negative(condition.view(np.int8)).astype(np.int64)
    one, other = yes.view(np.int64), no.view(np.int64)  # type: ignore[union-attr]
    mask &= one ^ other
    mask ^= other
    return mask.view(np.float64)


def _bits_can_be_blended(condition: Mask, x: Any) -> bool:
    return (
        isinstance(x, np.ndarray)
        and x.dtype == np.float64
        and x.shape == condition.shape
        and x.flags.c_contiguous
        and condition.ndim > 0
    )


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


def steps(x: Array, y: Array) -> tuple[Array, Array, Mask]:
    """The line between the least and the largest of x₁ … xₘ and y, cut at all of them.

    Of each piece: its length, the share of the x at or left of it, and whether y is too; (n, m)
    and (n,) → three times (n, m).
    """
    points = np.sort(np.concatenate([x, y[:, None]], axis=-1), axis=-1)
    after = points[:, :-1] >= y[:, None]
    # Left of piece k are k + 1 points, one of which may be y.
    return np.diff(points), (np.arange(1, x.shape[-1] + 1) - after) / x.shape[-1], after


def columns(*parts: Array) -> Array:
    """One column for each part: (n,), (n,), … → (n, k)."""
    return np.stack(parts, axis=-1)


def flat(x: Array) -> Array:
    """Every row as one vector: (n, …) → (n, k), and (n,) → (n, 1)."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def norm(x: Array, p: float = 2.0, plus: float = 0.0) -> Array:
    """(Σ |x|ᵖ + c)^(1/p) over the last axis; `plus` is c. Within d + 2 ulp for p = 1 and p = 2.

    Where the sum leaves the range in which no power that matters is lost, the entries are first
    divided by a power of two near the largest, which is exact.
    """
    with np.errstate(over="ignore", under="ignore"):
        whole = _power_sum(x, p) + plus
    result: Array = _root(whole, p)
    fine = (whole > 1e-250) & (whole < np.inf)
    if fine.all():
        return result
    # The largest is m · 2ᵏ with ½ ≤ m < 1. Its scale 2ᵏ⁻¹ is finite where 2ᵏ is not.
    least = plus ** (1.0 / p)
    top = np.maximum(np.maximum.reduce(np.abs(x), axis=-1), least)
    scale = np.ldexp(0.5 * np.ones_like(top), np.frexp(top)[1])
    scaled = _power_sum(x / scale[..., None], p) + power(least / scale, p)
    return np.where(fine, result, scale * _root(scaled, p))


def _power_sum(x: Array, p: float) -> Array:
    return total(square(x) if p == 2 else power(np.abs(x), p))


def _root(x: Array, p: float) -> Array:
    return np.sqrt(x) if p == 2 else power(x, 1.0 / p)


def unit(x: Array, floor: float = 0.0, plus: float = 0.0) -> tuple[Array, Array]:
    """Vectors u = x / max(√(‖x‖² + c), floor) over the last axis, and 1 − ‖u‖².

    A zero vector stays zero: it has no direction. `plus` is c.
    """
    own = norm(x)
    if np.isinf(own).any():  # entries near the largest float: their direction is that of x / d
        x = np.where(np.isinf(own)[..., None], x / x.shape[-1], x)
        own = norm(x)
    length = np.maximum(norm(x, plus=plus) if plus else own, floor)
    length = np.where(length == 0, 1.0, length)
    return x / length[..., None], 1.0 - square(own / length)


def cosine(x: Array, y: Array, eps: float = 0.0) -> Array:
    """The cosine of the angle between vectors on the last axis, in [−1, 1]; 0 for a zero vector.

    Norms below ε count as ε. Within d + 5 ulp of 1, absolutely.
    """
    return np.clip(total(unit(x, eps)[0] * unit(y, eps)[0]), -1.0, 1.0)


def cosine_distance(x: Array, y: Array, floor: float = 0.0, plus: float = 0.0) -> Array:
    """1 − cos(x, y) over the last axis, 1 where a vector is zero; `floor` and `plus` as in `unit`.

    With u and v from `unit`, 1 − u·v = ½ (‖u − v‖² + (1 − ‖u‖²) + (1 − ‖v‖²)): no term is
    negative, so the distance of nearly parallel vectors keeps its digits, and x from x is 0.
    """
    u, short_u = unit(x, floor, plus)
    v, short_v = unit(y, floor, plus)
    return 0.5 * (total(square(u - v)) + short_u + short_v)


def exp_excess(x: Array) -> Array:
    """eˣ − 1 − x, within 4 ulp.

    Near 0, where the terms cancel, it is the series ½ x² (1 + x/3 (1 + x/4 (1 + …))), whose terms
    past x¹⁶ are below an ulp for |x| < ½; elsewhere the cancellation costs at most 3 bits.
    """
    near = np.where(np.abs(x) < 0.5, x, 0.0)
    series = np.ones_like(near)
    for k in range(16, 2, -1):
        series = 1.0 + near / k * series
    with np.errstate(over="ignore"):
        return np.where(np.abs(x) < 0.5, 0.5 * square(near) * series, np.expm1(x) - x)


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


def beta_divergence(x: Array, y: Array, beta: float, log_y: Array | None = None) -> Array:
    """x^β / (β (β − 1)) − x y^(β−1) / (β − 1) + y^β / β, and its limits at β = 0 and 1; x, y ≥ 0.

    β = 2 is half the squared error, β = 1 is x ln(x/y) − x + y, and β = 0 is x/y − 1 − ln(x/y).
    The terms cancel where x ≈ y, and where β is near 0 or 1. So with b = β − 1, r = ln(x/y) and
    E(z) = eᶻ − 1 − z, it is one of

        y^b (x E(−r) + x E(b r) / b) / β     = y^b (x ((e^(b r) − 1) / b − 1) + y) / β
        y^b (y E(r) − y E(β r) / β) / (−b)   = y^b (x − y − y (e^(β r) − 1) / β) / (−b)

    the first line for β ≥ ½ and the second below, left for |r| < ½ and right beyond, where at most
    5 bits cancel. For |β| ≤ 3 it is within 8 ulp near, and within 16 + 4 |β r| ulp beyond.
    `log_y` is ln y where that is known, which an y that underflows to 0 still has.
    """
    b = beta - 1.0
    r = log_ratio(x, y) if log_y is None else subtract(log(x), log_y)
    small = abs(r) < 0.5
    s = np.where(small, r, 0.0)
    with np.errstate(all="ignore"):
        if beta >= 0.5:
            near = x * (exp_excess(-s) + _excess_over(s, b)) / beta
            far = (product(x, _growth(r, b) - 1.0) + y) / beta
        else:
            near = y * (exp_excess(s) - _excess_over(s, beta)) / -b
            far = (x - y - product(y, _growth(r, beta))) / -b
        return product(np.where(small, near, far), np.power(y, b))


def _growth(r: Array, b: float) -> Array:
    """(e^(b r) − 1) / b, and its limit r at b = 0."""
    return np.expm1(b * r) / b if b else r


def _excess_over(r: Array, b: float) -> Array:
    """(e^(b r) − 1 − b r) / b, and its limit 0 at b = 0."""
    return exp_excess(b * r) / b if b else 0.0 * r


def jensen_shannon(p: Array, q: Array) -> Array:
    """½ (p ln(p/m) + q ln(q/m)) with m = ½ (p + q), for p, q ≥ 0; 0 where both are 0.

    With t = |p − q| / (p + q) it is ½ m h(t), h(t) = (1 + t) ln(1 + t) + (1 − t) ln(1 − t). For
    t < ½, where these terms cancel, h(t) = ln(1 − t²) + 2 t artanh t, of which about −t² and 2 t²:
    within 32 ulp for every t.
    """
    s = p + q
    t = ratio(abs(p - q), s)
    low = np.minimum(t, 0.5)
    near = np.log1p(-square(low)) + 2.0 * low * np.arctanh(low)
    far = (1.0 + t) * np.log1p(t) + times_log(1.0 - t, log1p(-t))
    return 0.25 * s * np.where(t < 0.5, near, far)


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


def affine(x: Array, matrix: Array, vector: Array | None) -> Array:
    """x Mᵀ + v: (n, d) and (C, d) → (n, C), each entry summed in one order whatever n is."""
    product: Array = np.einsum("nd,cd->nc", x, matrix)
    return product if vector is None else product + vector


def softplus(x: Array) -> Array:
    """ln(1 + eˣ) = max(0, x) + ln(1 + e^−|x|): no overflow, within 2 ulp everywhere."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^−x), from e^−|x| so that neither tail overflows; within 3 ulp."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def logit(p: Array | float) -> Array:
    """ln(p / (1 − p)), the inverse of the sigmoid, with its limits −∞ at 0 and ∞ at 1."""
    p = np.asarray(p, dtype=np.float64)
    return log(p) - log1p(-p)


def simplex_threshold(x: Array) -> Array:
    """τ for which Σ max(0, x − τ) = 1 over the last axis: what the k greatest exceed 1 by, over k.

    k counts the entries that are above the τ of themselves and all greater ones.
    """
    ordered = -np.sort(-x, axis=-1)
    each = (np.add.accumulate(ordered, axis=-1) - 1.0) / np.arange(1, x.shape[-1] + 1)
    last = np.count_nonzero(ordered > each, axis=-1) - 1
    return pick(each, last)


def xlogy(x: Array, y: Array) -> Array:
    """x ln y, with 0 ln 0 = 0 (its limit)."""
    return times_log(x, log(y))


def times_log(x: Array, log_y: Array) -> Array:
    """x · ln y from ln y, with 0 · ln 0 = 0 (its limit), where the plain product is NaN."""
    return product(x, log_y)


def product(x: Array, y: Array) -> Array:
    """x y, which is 0 where x is 0, also for an infinite y."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(x == 0, 0.0, x * y)


def clip(x: Array, low: Array | float | None, high: Array | float | None) -> Array:
    """x held within [low, high]."""
    return np.clip(x, low, high)


def class_index(target: Array) -> Index:
    """Class ids as an index; they arrive as floating point, like every column."""
    return target.astype(np.intp)


def pick(x: Array, index: Index) -> Array:
    """x[…, index]: of each row, the entry of its class."""
    if x.ndim == 2:  # the same at a third of the cost
        return x[np.arange(len(x)), index]
    return np.take_along_axis(x, index[..., None], axis=-1)[..., 0]


def pick_each(x: Array, index: Index) -> Array:
    """x[…, index] for several classes of each row; (…, C) and (…, k) → (…, k)."""
    return np.take_along_axis(x, index, axis=-1)


def shifted(x: Numbers, places: int, fill: float) -> Numbers:
    """The entries of the last axis moved towards its end, `fill` where they come from."""
    result = np.full_like(x, fill)
    result[..., places:] = x[..., : x.shape[-1] - places]
    return result


def between(x: Index, fill: int) -> Index:
    """(…, k) → (…, 2k + 1): `fill` before, between and after the entries."""
    result = np.full((*x.shape[:-1], 2 * x.shape[-1] + 1), fill, dtype=x.dtype)
    result[..., 1::2] = x
    return result


def count_before(stop: Mask) -> Array:
    """How many entries of the last axis come before the first where the mask holds."""
    going = np.logical_and.accumulate(~stop, axis=-1)
    count: Array = np.add.reduce(going, axis=-1, dtype=np.float64)
    return count


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
