"""ctc against torch, on random sequences of every length and on extreme ones."""

from typing import Any

import numpy as np
import pytest

import losscli

torch = pytest.importorskip("torch")
F = torch.nn.functional

#: rows, frames, classes, labels
SIZES = [(1, 1, 2, 1), (4, 6, 3, 2), (9, 20, 5, 7), (70, 12, 30, 4), (3, 200, 8, 40)]


def sequences(sizes: tuple[int, int, int, int], seed: int, scale: float) -> dict[str, Any]:
    n, frames, classes, labels = sizes
    rng = np.random.default_rng(seed)
    return {
        "pred": scale * rng.normal(size=(n, frames, classes)),
        "target": rng.integers(1, classes, (n, labels)),
        "input_lengths": rng.integers(max(1, frames // 2), frames + 1, n),
        "target_lengths": rng.integers(0, labels + 1, n),
    }


def torch_ctc(arrays: dict[str, Any], reduction: str, **options: Any) -> Any:
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    log_p = tensors["pred"].log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(
        log_p,
        tensors["target"],
        tensors["input_lengths"],
        tensors["target_lengths"],
        reduction=reduction,
        **options,
    ).numpy()


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 800.0])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc(sizes: tuple[int, int, int, int], scale: float, zero_infinity: bool) -> None:
    for seed in range(3):
        arrays = sequences(sizes, seed, scale)
        names = {"none": "none", "mean-per-label": "mean", "sum": "sum"}
        result = losscli.compute(
            "ctc", zero_infinity=zero_infinity, reduction=list(names), **arrays
        )
        rows = torch_ctc(arrays, "none", zero_infinity=zero_infinity)
        # Each frame rounds once, in another order: 1e-15 of the largest sum a frame.
        atol = 1e-15 * sizes[1] * max(1.0, np.abs(rows[np.isfinite(rows)]).max(initial=0))
        np.testing.assert_allclose(result.per_sample, rows, rtol=1e-12, atol=atol)
        for value in result.values:
            expected = torch_ctc(arrays, names[value.reduction], zero_infinity=zero_infinity)
            np.testing.assert_allclose(value.value, expected, rtol=1e-12, atol=atol * len(rows))


def test_another_blank_and_log_probabilities() -> None:
    arrays = sequences((8, 9, 4, 3), 1, 2.0)
    arrays["target"] -= 1  # 0, 1, 2; the blank is 3
    log_p = torch.tensor(arrays["pred"]).log_softmax(-1).numpy()
    expected = torch_ctc(arrays, "none", blank=3)
    for pred, input in ((arrays["pred"], "logits"), (log_p, "log-probs")):
        given = {**arrays, "pred": pred}
        rows = losscli.compute("ctc", blank=3, input=input, per_sample=True, **given).per_sample
        np.testing.assert_allclose(rows, expected, rtol=1e-12, atol=1e-13)
