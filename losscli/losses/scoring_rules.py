"""Scores of forecasts: how good probabilities, ensembles and language models were at foresight."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.class_domains import LabelOrClass
from losscli.losses.classification import cross_entropy
from losscli.losses.dialects import dialect
from losscli.losses.domains import PROBABILITY
from losscli.losses.numerics import (
    Array,
    class_index,
    divide,
    exp,
    one_hot,
    ones,
    select,
    square,
    steps,
    total,
)
from losscli.losses.parameters import ClassWeights, Integer
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, Pooled, Rows, loss, weighted_rows
from losscli.losses.roles import (
    ClassPrediction,
    ClassTarget,
    Ensemble,
    LogProbabilityOfIt,
    Role,
    RowReal,
)
from losscli.losses.row_domains import Distribution

Forecast = Annotated[Array, Role((("n C", Distribution()), ("n", PROBABILITY)))]
Outcome = Annotated[Array, Role((("n", LabelOrClass()), ("n C", Distribution())))]


@loss(
    "brier",
    family="probabilistic",
    aliases=("brier_score", "brier_score_loss", "BrierScore", "quadratic-score"),
    dialects={"sklearn": dialect("metrics.brier_score_loss")},
    example=Example("pred,target\n0.8,1\n0.3,0"),
    edges=(
        Edge("p = 0 and y = 1", "0,1"),
        Edge("p = 1 and y = 1", "1,1"),
        Edge("p = 0 and y = 1", "0,1", "--scale full"),
    ),
    constant=constants.shares,
    properties=Properties(
        task="binary-classification",
        units="none",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, 2),
    ),
)
def brier(
    pred: Forecast,
    target: Outcome,
    *,
    scale: Literal["auto", "half", "full"] = "auto",
    class_weight: ClassWeights | None = None,
) -> Rows:
    """The squared error of forecast probabilities: (p − y)², or the sum over several classes.

    Formula:
        ℓ = s Σ_c (p_c − t_c)²,    t one-hot for a class index; a single probability p stands for
        the two classes 1 − p and p

    Roles:
        pred: the probability p of class 1, or a row of probabilities p_c of all classes.
        target: what happened: the label 0 or 1, a class index, or a row t.

    Parameters:
        scale: s, ½ or 1. With auto it is ½ for two classes, where it makes the loss (p − y)², and
            1 for more, whatever the values are: scikit-learn's rule.
        class_weight: w, one weight a class; a weighted mean divides by Σ_c w_c t_c.

    Returns:
        One loss a row, from 0 to 1, or to 2 with s = 1.

    Raises:
        DataError: a probability is outside [0, 1], a row does not add up to 1, or a label is not
            one of the classes.

    Source:
        sklearn.metrics.brier_score_loss (scale_by_half); Brier, "Verification of Forecasts
        Expressed in Terms of Probability", 1950 (full).

    Example:
        >>> import numpy as np
        >>> brier(np.array([0.75, 0.5]), np.array([1.0, 0.0])).loss
        array([0.0625, 0.25  ])
    """
    classes = 2 if pred.ndim == 1 else pred.shape[-1]
    truth = target if target.ndim == 2 else one_hot(class_index(target), classes)
    value = 2.0 * square(pred - target) if pred.ndim == 1 else total(square(pred - truth))
    half = classes == 2 if scale == "auto" else scale == "half"
    weight = None if class_weight is None else total(class_weight * truth)
    return weighted_rows(0.5 * value if half else value, weight)


@loss(
    "crps-ensemble",
    family="probabilistic",
    aliases=(
        "crps",
        "ContinuousRankedProbabilityScore",
        "continuous_ranked_probability_score",
    ),
    dialects={
        "torchmetrics": dialect("functional.regression.continuous_ranked_probability_score"),
    },
    example=Example("a,b,c,target\n0,1,3,1.5\n2,2,5,4", "--ensemble a,b,c"),
    edges=(
        Edge("all members are y", "1,1,1,1"),
        Edge("members that agree, 2 off", "1,1,1,3"),
    ),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="ensemble",
    ),
)
def crps_ensemble(
    ensemble: Ensemble, target: RowReal, *, estimator: Literal["plain", "fair"] = "plain"
) -> Array:
    """The continuous ranked probability score of an ensemble: the absolute error less its spread.

    Formula:
        ℓ = Σ_i |x_i − y| / m − Σ_ij |x_i − x_j| / (2 m²)
          = ∫ (F(t) − [y ≤ t])² dt,    F(t) the share of members up to t

    Roles:
        ensemble: the members x_1 … x_m of each row's forecast.
        target: what happened, y.

    Parameters:
        estimator: plain, the score of the ensemble as it is, or fair, that of the distribution
            of which its members are a sample: 2 m (m − 1) in place of 2 m².

    Returns:
        One loss a row, in the units of y, not negative unless fair. The fair score of a single
        member is NaN.

    Raises:
        DataError: a value is not finite.

    Source:
        torchmetrics ContinuousRankedProbabilityScore, scoringrules.crps_ensemble; Gneiting and
        Raftery, "Strictly Proper Scoring Rules", 2007; Ferro, "Fair Scores for Ensemble
        Forecasts", 2014.

    Example:
        >>> import numpy as np
        >>> crps_ensemble(np.array([[0.0, 1.0, 3.0]]), np.array([1.5]))
        array([0.5])
    """
    # The integral, piece by piece: no term is negative, so nothing cancels.
    length, share, after = steps(ensemble, target)
    value = total(length * square(share - select(after, 1.0, 0.0)))
    if estimator == "plain":
        return value
    # Σ |x_i − x_j| / (2 m²) = ∫ F (1 − F) dt, which becomes m / (m − 1) times as large.
    return value - divide(total(length * share * (1.0 - share)), ensemble.shape[-1] - 1.0)


@loss(
    "perplexity",
    family="probabilistic",
    kind="pooled",
    aliases=("ppl",),
    one_of=((("pred", "target"), "logps"),),
    for_role={"input": "pred", "ignore_index": "pred"},
    dialects={"torchmetrics": dialect("functional.text.perplexity", per="all")},
    example=Example("a,b,c,target\n2,0.5,1,0\n0.1,0.2,0.3,2", "--pred a,b,c --target target"),
    edges=(
        Edge("logits 800 apart, the lower is true", "800,0,0,1"),
        Edge("p = 0 of the true class", "0,0.5,0.5,0", "--input probs"),
        Edge("every token is ignored", "1,0,0,-100", "--ignore-index -100"),
    ),
    constant=constants.frequencies,
    properties=Properties(task="multiclass-classification", units="none"),
)
def perplexity(
    pred: ClassPrediction | None = None,
    target: ClassTarget | None = None,
    logps: LogProbabilityOfIt | None = None,
    *,
    input: Literal["logits", "probs", "log-probs"] = "logits",
    ignore_index: Integer | None = None,
) -> Pooled:
    """Of how many equally likely tokens the choice would be as hard: e to the mean cross-entropy.

    `--per image` gives the perplexity of each row of tokens, or of each group with --by.

    Formula:
        L = exp(−Σ ln p_t / n)

    Roles:
        pred: for each token, a logit z, a probability p or ln p of each class.
        target: the class index t of each token that came.
        logps: ln p_t, the log-probability of each token that came, instead of pred and target.

    Parameters:
        input: whether pred holds logits, probabilities or log-probabilities.
        ignore_index: a class index whose tokens are left out.

    Returns:
        One loss for each unit that --per names, 1 or more; ∞ where the impossible happened, NaN
        where every token is left out.

    Raises:
        DataError: a score is not finite, a row of probabilities does not add up to 1, a class
            index is not one of the classes, or a log-probability is above 0.

    Source:
        torchmetrics Perplexity; Jelinek et al., "Perplexity, a Measure of the Difficulty of
        Speech Recognition Tasks", 1977.

    Example:
        >>> import numpy as np
        >>> pooled = perplexity(logps=np.log([0.5, 0.125]))
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).loss.round(12))
        4.0
    """
    if logps is None:
        assert pred is not None
        assert target is not None
        rows = cross_entropy(pred, target, input=input, ignore_index=ignore_index)
        cost, count = rows.loss, ones(rows.loss)
        if rows.keep is not None:
            cost, count = select(rows.keep, cost, 0.0), select(rows.keep, count, 0.0)
    else:
        cost, count = 0.0 - logps, ones(logps)

    def finish(cost: Array, count: Array) -> Rows:
        return Rows(exp(divide(cost, count)), keep=count > 0)

    return Pooled({"cost": cost, "count": count}, finish)
