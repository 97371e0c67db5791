"""How the losses of rows become one number, under one name for each way."""

from typing import Literal, NamedTuple

from losscli.errors import UsageError
from losscli.losses.registry import suggestion

Row = Literal["mean", "sum", "mean-last", "sum-last", "none", "columns"]
ROWS: tuple[Row, ...] = ("mean", "sum", "mean-last", "sum-last", "none", "columns")

#: what one unit is, of which a loss that pools its rows has one value
Per = Literal["all", "image", "class", "image-class"]
PERS: tuple[Per, ...] = ("all", "image", "class", "image-class")

#: the name of a way, and the libraries' words for it
SPELLINGS = {
    "mean": ("sum_over_batch_size",),
    "weighted-mean": ("mean_with_sample_weight",),
    "sum": (),
    "batchmean": (),
    "mean-nonzero": (),
    "mean-per-label": (),
    "normalized-mean": (),
    "none": (),
}
REDUCTIONS = tuple(SPELLINGS)

MEANING = {
    "mean": "Σwℓ / n, also with weights",
    "weighted-mean": "Σwℓ / Σw",
    "sum": "Σwℓ",
    "batchmean": "Σwℓ / n with --row sum",
    "mean-nonzero": "Σwℓ / the number of losses above 0",
    "mean-per-label": "Σ(wℓ / length of the target) / n",
    "normalized-mean": "Σwℓ / (n Σw)",
    "none": "the loss of every row",
}


class Reduction(NamedTuple):
    """A reduction and the row reduction it goes with."""

    name: str
    row: Row


def parse(names: str | tuple[str, ...] | list[str]) -> list[str]:
    """Reduction names, comma-separated or in a list, the libraries' spellings understood."""
    parts = names.split(",") if isinstance(names, str) else list(names)
    found: list[str] = []
    if not parts:
        raise UsageError("no reduction is named", f"the reductions are {', '.join(REDUCTIONS)}")
    for part in map(str, parts):
        key = part.strip().lower().replace("_", "-")
        name = next(
            (
                name
                for name, others in SPELLINGS.items()
                if key == name or key in [other.replace("_", "-") for other in others]
            ),
            None,
        )
        if name is None:
            raise UsageError(
                f"no reduction '{part.strip()}'",
                suggestion(key, REDUCTIONS) or f"the reductions are {', '.join(REDUCTIONS)}",
            )
        if name not in found:
            found.append(name)
    return found


def resolve(name: str, row: Row) -> Reduction:
    """`batchmean` is the mean of row sums; the others leave the row reduction as it was set."""
    return Reduction("mean", "sum") if name == "batchmean" else Reduction(name, row)


def check_row(row: str | None, default: str) -> Row:
    """The row reduction asked for, or the loss's own."""
    for known in ROWS:
        if (row or default) == known:
            return known
    raise UsageError(f"--row: expected {', '.join(ROWS)}, got '{row}'")


def check_per(per: str | None, grouped: bool) -> Per:
    """The unit asked for; by default the whole set, or each group where rows are grouped."""
    for known in PERS:
        if (per or ("image" if grouped else "all")) == known:
            return known
    raise UsageError(f"--per: expected {', '.join(PERS)}, got '{per}'")
