"""Margin losses: what their inputs may be, and how they are read."""

import pytest

import losscli


def test_labels_reach_a_target_whose_domain_depends_on_a_parameter() -> None:
    """hinge-embedding of 0.25 is 0.25 for similar and 1 − 0.25 for dissimilar pairs."""
    similar = losscli.compute("hinge-embedding", pred=[0.25], target=[1], labels="0,1")
    dissimilar = losscli.compute("hinge-embedding", pred=[0.25], target=[0], labels="0,1")
    assert (similar.value, dissimilar.value) == (0.25, 0.75)


def test_labels_of_multi_hot_rows() -> None:
    """By the definition (max(0, 1 − 0.5 + 0.25) + max(0, 1 − 0.5 − 1)) / 3 = 0.25."""
    scores = [[0.5, 0.25, -1.0]]
    hot = losscli.compute(
        "multilabel-margin", pred=scores, target=[[1, -1, -1]], targets="multi-hot", labels="-1,1"
    )
    assert hot.value == 0.25


@pytest.mark.parametrize(
    ("loss", "roles", "message"),
    [
        (
            "multilabel-margin",
            {"pred": [[1, 2]], "target": [[0, 2]]},
            "got 2, expected a class index, 0 to 1, or −1 after the last",
        ),
        ("multilabel-margin", {"pred": [[1, 2, 3]], "target": [[0, -1]]}, "does not go with it"),
        ("margin-ranking", {"x1": [1], "x2": [2], "target": [0]}, "got 0, expected -1 or 1"),
        ("nll", {"pred": [[1, 2]], "target": [0]}, "expected log-probabilities"),
        ("multilabel-soft-margin", {"pred": [[1, 2]], "target": [[0, 2]]}, "number in .0, 1."),
    ],
)
def test_what_does_not_fit_is_named(loss: str, roles: dict[str, object], message: str) -> None:
    with pytest.raises(losscli.errors.DataError, match=message):
        losscli.compute(loss, **roles)
