"""The edges of every loss's domain: `info` answers what the definition or its limit says."""

import json
import math
from math import e, inf, log, nan, sqrt
from typing import Any

import numpy as np
import pytest

from losscli.cli import info_edges
from losscli.losses import CATALOGUE, Loss
from tests.conftest import Run

LN_2, LN_3 = log(2), log(3)
CLIPPED = -log(1e-7)
REFUSED = "refused"

#: for each loss, its cases in their order; a limit where the formula has none
ANSWERS: dict[str, list[float | str]] = {
    "mse": [inf],
    "mae": [1e200],
    "huber": [0.5, 1e200, 0.0],  # the square of 1e-200 is below every float
    "smooth-l1": [0.5, 0.5, 0.0],
    "log-cosh": [800 - LN_2, 0.5e-16],
    "quantile": [0.0, 0.0],
    "cosine-similarity": [0.0, 0.0, -1e-9 / 1e-7, -1.0],
    "half-squared-error": [inf],
    "pseudo-huber": [1e200, 0.5e-16],
    "smape": [2.0, 0.0],
    "rmse": [0.0, inf],
    "wape": [inf, 0.0, 3 / 1e-6],
    "rmsle": [0.0, REFUSED, 0.0],
    "minkowski": [0.0, inf, 1e200],
    "epsilon-insensitive": [0.0, 0.5],
    "poisson-deviance": [2 * 1.5, REFUSED],
    "gamma-deviance": [REFUSED, 0.0],
    # 2 μ^½ / ½; (ŷ − y)²; and 2 (−y μ² / 2 + μ³ / 3) with y = −1 and μ = 1.5
    "tweedie-deviance": [4 * sqrt(1.5), REFUSED, 1.5**2, 1.5**2 + 2 * 1.5**3 / 3],
    "tweedie-nll": [2 * sqrt(1.5), REFUSED, 2 * e**-400],
    "gamma-nll": [REFUSED, 800.0, inf],
    "mape": [inf, 0.0, 1.0, 1e9],
    "msle": [LN_2**2, REFUSED, 0.0],
    "poisson-nll": [0.0, inf, -log(1e-8), inf, 1.0, 1.0],
    "gaussian-nll": [-inf, inf, 0.5 * (log(1e-6) + 1e6), REFUSED],
    "kl-divergence": [LN_2, inf, 0.5 * log(0.5) + 0.5 * log(0.5 / 1e-7), 0.0, REFUSED, 0.0],
    "js-divergence": [LN_2, 1.0, 0.0],
    "generalized-kl": [0.5, inf, 0.0],
    "binary-cross-entropy": [inf, CLIPPED, 100.0, 0.0, 800.0, 0.0, LN_2],
    "cross-entropy": [800.0, 0.0, inf, CLIPPED, 0.0, nan, 0.0, nan, REFUSED, 3 * LN_3],
    "nll": [inf, 0.0, nan],
    "generalized-cross-entropy": [2.0, 0.0, 1.0, 2.0],
    "linear-cross-entropy": [800.0, nan],
    "brier": [1.0, 0.0, 2.0],
    "crps-ensemble": [0.0, 2.0],
    "perplexity": [inf, inf, nan],
    "zero-one": [0.0, 1.0, 1 / 3],
    "hamming": [0.0, 1 / 3],
    "class-balanced-weights": [0.001 / (1 - 0.999**10), 1.0, (1 / 10 + 1 / 5) / 2],
    "focal": [inf, CLIPPED, 0.0, 800.0, nan],
    "categorical-focal": [800.0, inf, 0.0, nan],
    "poly-cross-entropy": [800.0 + 1.0, inf, 0.0],
    "hinge-embedding": [REFUSED, 0.25 + 0.75, 0.0, 0.0],
    # scikit-learn takes a single label for the negative
    "hinge": [1.0, 801.0, 0.0, 3.5, REFUSED, nan],
    "squared-hinge": [1.0, 801.0**2, REFUSED, nan],
    "soft-margin": [800.0, 0.0, LN_2],
    "exponential": [inf, 0.0, 1.0],
    "modified-huber": [4.0, 3200.0, 0.0],
    # p = ⅓ each: Σ p (0 − ½ p) + ½
    "sparsemax": [0.5 - 1 / 6, 0.0, 800.0],
    "ranking-softmax": [0.0, 3 * LN_3, 800.0],
    "margin-ranking": [0.0, 0.5, REFUSED],
    "categorical-hinge": [1.0, 4.0],
    "multiclass-hinge": [1.0, 3.0, nan],
    "multi-margin": [2 / 3, nan],
    "multilabel-margin": [0.0, 0.0],
    "multilabel-soft-margin": [800.0, 0.0],
    "contrastive": [0.0, 1.0, 0.0],
    "triplet-margin": [1.0, 0.0, 1.0],
    "triplet-margin-with-distance": [1.0, 1.0],
    "cosine-embedding": [1.0, 0.0, 2.0],
    "cosine-distance": [1.0, 1.0, 0.0],
    "info-nce": [0.0, LN_2, LN_2],
    "nt-xent": [0.0, LN_3],
    "supervised-contrastive": [0.0, 0.0, LN_2],
    "circle": [0.0, 0.0, 0.0],
    "dice": [0.0, 1.0, 1.0, 0.0, nan, 1.0],
    "jaccard": [0.0, 1.0, 0.0, nan, 1.0],
    "tversky": [0.0, 1.0, 0.0, 1.0, 0.0],
    "giou": [0.0, 1.0, nan, 1.0, nan, REFUSED],
    "diou": [0.0, nan, 1.0, REFUSED],
    # v = 4/π² (arctan 1 − arctan ∞)² = ¼ and α = v / (1 + v)
    "ciou": [0.0, nan, 1 + 0.25**2 / 1.25, REFUSED],
    "vae-elbo": [12.5, 1.0],
    "ctc": [inf, 0.0, 800.0],
    "dpo": [0.0, 800.0, LN_2],
    "ipo": [25.0, 0.0],
}  # fmt: skip


def answers(loss: Loss) -> list[Any]:
    found = info_edges.documents(loss)
    return [REFUSED if about["error"] else about["value"] for about in found]


@pytest.mark.parametrize("loss", list(CATALOGUE), ids=lambda loss: loss.name)
def test_answers(loss: Loss) -> None:
    """Every loss has edges, and their answers are those of the table above."""
    got, expected = answers(loss)[: len(loss.edges)], ANSWERS[loss.name]
    assert [x == REFUSED for x in got] == [x == REFUSED for x in expected]
    pairs = [(x, y) for x, y in zip(got, expected, strict=True) if y != REFUSED]
    np.testing.assert_allclose(*np.array(pairs, float).T, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("loss", [s for s in CATALOGUE if s.example], ids=lambda loss: loss.name)
def test_what_may_happen_to_any_loss(loss: Loss) -> None:
    """A mean of nothing is not a number, and values and rows that are missing are refused."""
    weightless, missing, empty = answers(loss)[len(loss.edges) :]
    # Sums over a set that are all 0 are those of an empty mask, or of no values at all.
    nothing = loss.kind == "pooled" and loss.name not in {"rmse", "rmsle", "perplexity"}
    assert weightless == 0.0 if nothing else math.isnan(weightless)
    assert (missing, empty) == (REFUSED, REFUSED)


def test_info_shows_the_table(run: Run) -> None:
    page = run("info", "mape").stdout
    table = page.partition("Edge cases\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [
        "    ∞           y = 0",
        "    0           ŷ = y = 0",
        "    1           y = 0, --eps 1",
        "    1000000000  y = 0, --eps 1e-7 --scale percent",
        "    NaN         weights that are all 0",
        "    refused     a value that is NaN: it takes a finite number (pred)",
        "    refused     no rows",
    ]
    about = json.loads(run("info", "giou", "-f", "json").stdout)["edge_cases"]
    assert about[0] == {"case": "equal boxes", "value": 0.0, "error": None}
    assert about[-1]["error"] == "data: no rows"
