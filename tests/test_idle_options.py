"""Options that would change nothing are refused, not passed over."""

from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import UsageError

ONE = {"pred": [0.5], "target": [1.0]}
TOKENS = {"logps": [-1.0, -2.0]}
TERMS = {"recon": [1.0], "kl": [0.5]}


@pytest.mark.parametrize(
    ("loss", "given", "option", "value", "message"),
    [
        ("contrastive", ONE, "distance", "cosine", "--distance is for --x1, which is not given"),
        ("contrastive", ONE, "normalize", True, "--normalize is for --x1"),
        ("contrastive", ONE, "distance_eps", 0.1, "--distance-eps is for --x1"),
        ("vae-elbo", TERMS, "recon_loss", "mae", "--recon-loss is for --pred"),
        ("vae-elbo", TERMS, "recon_reduce", "mean", "--recon-reduce is for --pred"),
        ("vae-elbo", TERMS, "kl_reduce", "mean", "--kl-reduce is for --mu"),
        ("perplexity", TOKENS, "input", "probs", "--input is for --pred"),
        ("perplexity", TOKENS, "ignore_index", 0, "--ignore-index is for --pred"),
    ],
)
def test_about_what_is_not_given(
    loss: str, given: dict[str, Any], option: str, value: Any, message: str
) -> None:
    losscli.compute(loss, **given)
    with pytest.raises(UsageError, match=message):
        losscli.compute(loss, **given, **{option: value})


@pytest.mark.parametrize(
    ("loss", "option", "value"),
    [
        ("binary-cross-entropy", "clip", 0.1),
        ("binary-cross-entropy", "log_floor", -1.0),
        ("binary-cross-entropy", "eps", 0.1),
        ("cross-entropy", "clip", 0.1),
        ("cross-entropy", "renormalize", True),
    ],
)
def test_about_another_kind_of_input(loss: str, option: str, value: Any) -> None:
    several = loss == "cross-entropy"
    given: dict[str, Any] = {"pred": [[0.5, 0.5]], "target": [1]} if several else ONE
    with pytest.raises(UsageError, match="is for --input probs, and pred holds logits"):
        losscli.compute(loss, input="logits", **given, **{option: value})
    plain = losscli.compute(loss, input="probs", **given)
    assert losscli.compute(loss, input="probs", **given, **{option: value}).n == plain.n
    # What a dialect sets is not what was asked for.
    assert np.isfinite(losscli.compute(loss, input="logits", dialect="keras", **given).value)
