"""Which library computes a loss, and on what device."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscli.errors import UsageError

NAMES = ("auto", "numpy", "torch")
DEVICES = ("cpu", "cuda")


class Backend:
    """NumPy, which the losses are written for."""

    #: what the signature of a result says of it
    shown: Mapping[str, str] = {}

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A loss, computed by this library on NumPy's arrays."""
        return function


NUMPY = Backend()


class Torch(Backend):
    """torch, by tensors that speak NumPy."""

    def __init__(self, device: str) -> None:
        try:
            import torch

            from losscli.engine.torch_arrays import TorchArray
        except ImportError:
            raise UsageError(
                "--backend torch: torch is not installed", "pip install 'losscli[torch]'"
            ) from None
        if device == "cuda" and not torch.cuda.is_available():
            raise UsageError(
                "--device cuda: torch finds no GPU here", "--device cpu computes without one"
            )
        self._array, self._torch, self._device = TorchArray, torch, device
        self.shown = {"backend": "torch", **({"device": device} if device != "cpu" else {})}

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def by_torch(**given: Any) -> Any:
            # Blocks and tiles run beside each other; threads within them would wait for each other.
            threads = self._torch.get_num_threads()
            self._torch.set_num_threads(1)
            try:
                return self._taken(function(**{name: self._given(x) for name, x in given.items()}))
            finally:
                self._torch.set_num_threads(threads)

        return by_torch

    def _given(self, x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        # torch warns of arrays that cannot be written to, as those of a file are.
        writable = x if x.flags.writeable else x.copy()
        return self._array(self._torch.as_tensor(writable, device=self._device))

    def _taken(self, x: Any) -> Any:
        """What a loss returns, in NumPy's arrays."""
        if isinstance(x, self._array):
            return np.asarray(x)
        if isinstance(x, tuple) and hasattr(x, "_fields"):  # rows or sums
            return type(x)(*map(self._taken, x))
        return {name: self._taken(y) for name, y in x.items()} if isinstance(x, dict) else x


def choose(name: str, device: str) -> Backend:
    """The backend that is asked for.

    `auto` is NumPy unless there is a GPU to be used: on a CPU, blocks that stay in its cache make
    NumPy as fast as torch, which takes longer to import than most files take to be computed.
    """
    if name not in NAMES:
        raise UsageError(f"--backend: expected {', '.join(NAMES)}, got '{name}'")
    if device not in DEVICES:
        raise UsageError(f"--device: expected {', '.join(DEVICES)}, got '{device}'")
    if name == "numpy" and device != "cpu":
        raise UsageError("--backend numpy computes on the CPU", "--backend torch --device cuda")
    return Torch(device) if name == "torch" or device != "cpu" else NUMPY
