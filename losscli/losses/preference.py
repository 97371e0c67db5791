"""Preference losses: how likely the better of two answers is, against a reference model's view."""

from typing import Literal

from losscli.losses.numerics import Array, softplus, square
from losscli.losses.parameters import Epsilon, Positive
from losscli.losses.properties import Properties
from losscli.losses.registry import Edge, Example, alias, loss
from losscli.losses.roles import RowLogLikelihood, TokenCount

#: what a table of preferences has as columns
COLUMNS = "chosen_logps,rejected_logps,ref_chosen_logps,ref_rejected_logps"


@loss(
    "dpo",
    family="preference",
    aliases=(
        "DPOLoss",
        "direct-preference-optimization",
        "dpo-sigmoid",
        alias("robust-dpo", smoothing="robust"),
        alias("dpo-robust", smoothing="robust"),
    ),
    example=Example(f"{COLUMNS}\n-12,-20,-14,-18\n-9,-8,-9,-8.5"),
    edges=(
        Edge("a lead of 8000 for the chosen one", "-1,-8001,-1,-1"),
        Edge("a lead of 8000 for the rejected one", "-8001,-1,-1,-1"),
        Edge("no lead", "-1,-1,-1,-1"),
    ),
    properties=Properties(task="ranking", units="nats", role="chosen_logps"),
)
def dpo(
    chosen_logps: RowLogLikelihood,
    rejected_logps: RowLogLikelihood,
    ref_chosen_logps: RowLogLikelihood,
    ref_rejected_logps: RowLogLikelihood,
    *,
    beta: Positive = 0.1,
    label_smoothing: Epsilon = 0.0,
    smoothing: Literal["conservative", "robust"] = "conservative",
) -> Array:
    """Direct preference optimization: the logistic loss of what the model prefers over a reference.

    Formula:
        ℓ = −ln σ(β Δ),    Δ = (ln π(c) − ln π₀(c)) − (ln π(r) − ln π₀(r))

        smoothed: (1 − ε) ℓ(Δ) + ε ℓ(−Δ)                  conservative
                  ((1 − ε) ℓ(Δ) − ε ℓ(−Δ)) / (1 − 2 ε)    robust

    Roles:
        chosen_logps: the model's log-probability ln π(c) of each chosen answer, over its tokens.
        rejected_logps: the model's log-probability ln π(r) of each rejected answer.
        ref_chosen_logps: the reference model's log-probability ln π₀(c) of the chosen answer.
        ref_rejected_logps: the reference model's log-probability ln π₀(r) of the rejected answer.

    Parameters:
        beta: β, how close the model is kept to the reference.
        label_smoothing: ε, the share of preferences that are the wrong way round, below ½ when
            robust.
        smoothing: a mean of both ways round, or the estimate of what the loss would be without
            the wrong ones, which may be negative.

    Returns:
        One loss a pair, in nats, not negative unless robust.

    Raises:
        DataError: a log-probability is above 0 or not finite.

    Source:
        Rafailov et al., "Direct Preference Optimization", 2023; trl.DPOTrainer (sigmoid, robust);
        Mitchell, "A Note on DPO with Noisy Preferences", 2023; Chowdhury, Kini and Natarajan,
        "Provably Robust DPO", 2024.

    Example:
        >>> import numpy as np
        >>> logps = np.array([[-12.0], [-20.0], [-14.0], [-18.0]])
        >>> dpo(*logps, beta=0.1).round(6)
        array([0.513015])
    """
    lead = beta * ((chosen_logps - ref_chosen_logps) - (rejected_logps - ref_rejected_logps))
    right, wrong = (1.0 - label_smoothing) * softplus(-lead), label_smoothing * softplus(lead)
    if smoothing == "robust":
        return (right - wrong) / (1.0 - 2.0 * label_smoothing)
    return right + wrong


@loss(
    "ipo",
    family="preference",
    aliases=("IPOLoss", "identity-preference-optimization"),
    with_flag={"length_norm": ("chosen_len", "rejected_len")},
    example=Example(f"{COLUMNS}\n-12,-20,-14,-18\n-9,-8,-9,-8.5"),
    edges=(
        Edge("no lead", "-1,-1,-1,-1"),
        Edge("a lead of 1/(2β)", "-1,-6,-1,-1"),
    ),
    properties=Properties(task="ranking", units="squared nats", role="chosen_logps"),
)
def ipo(
    chosen_logps: RowLogLikelihood,
    rejected_logps: RowLogLikelihood,
    ref_chosen_logps: RowLogLikelihood,
    ref_rejected_logps: RowLogLikelihood,
    chosen_len: TokenCount | None = None,
    rejected_len: TokenCount | None = None,
    *,
    beta: Positive = 0.1,
    length_norm: bool = False,
) -> Array:
    """Identity preference optimization: the squared distance of a preference from a set lead.

    Formula:
        ℓ = (Δ − 1 / (2 β))²,    Δ = (ln π(c) − ln π₀(c)) / n_c − (ln π(r) − ln π₀(r)) / n_r

    Roles:
        chosen_logps: the model's log-probability ln π(c) of each chosen answer, over its tokens.
        rejected_logps: the model's log-probability ln π(r) of each rejected answer.
        ref_chosen_logps: the reference model's log-probability ln π₀(c) of the chosen answer.
        ref_rejected_logps: the reference model's log-probability ln π₀(r) of the rejected answer.
        chosen_len: the number of tokens n_c of each chosen answer, for `length_norm`.
        rejected_len: the number of tokens n_r of each rejected answer, for `length_norm`.

    Parameters:
        beta: β; the lead that is aimed at is 1 / (2 β).
        length_norm: divide each log-ratio by the length of its answer, as TRL does; in the paper
            n_c = n_r = 1.

    Returns:
        One loss a pair, not negative.

    Raises:
        DataError: a log-probability is above 0 or not finite, or a length is not a whole number
            of at least 1.

    Source:
        Azar et al., "A General Theoretical Paradigm to Understand Learning from Human
        Preferences", 2024; trl.DPOTrainer (ipo, with length_norm).

    Example:
        >>> import numpy as np
        >>> logps = np.array([[-12.0], [-20.0], [-14.0], [-18.0]])
        >>> ipo(*logps, beta=0.1)
        array([1.])
    """
    of_chosen = chosen_logps - ref_chosen_logps
    of_rejected = rejected_logps - ref_rejected_logps
    if length_norm:
        assert chosen_len is not None
        assert rejected_len is not None
        of_chosen, of_rejected = of_chosen / chosen_len, of_rejected / rejected_len
    return square(of_chosen - of_rejected - 0.5 / beta)
