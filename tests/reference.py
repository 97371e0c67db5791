"""Reference values printed by the real libraries, and their words in ours.

Every number comes from the call that a case names (`peer_call`, `peer_version`); this module only
translates names of parameters and reductions.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from losscli.losses import CATALOGUE

FOLDER = Path(__file__).parent / "parity"

#: said by the shape or the reduction here, by a parameter there
IMPLIED = {"weight_norm", "target_form", "class_axis", "negatives"}
#: what a loss has no word for, because it is the only way there
ONLY = {"categorical-focal": {"alpha_mode": "constant"}}
LABELS = {"01": "0,1", "pm1": None}
#: what the two libraries' words for a behaviour are here
OFF_LABELS = {"torch": "both"}
#: parameters that are spelt otherwise here
RENAMED = {"vae-elbo": {"recon": "recon_loss"}}
#: what a library's function does without being asked
BUILT_IN = {("torch", "cosine-embedding"): {"eps": float(np.float32(1e-12))}}


@dataclass
class Case:
    """One call of `losscli.compute` and what it must give."""

    id: str
    loss: str
    arguments: dict[str, Any]
    expected: Any
    rows_expected: Any
    rtol: float
    atol: float
    peer: str = ""
    peer_call: str = ""

    def __repr__(self) -> str:
        return self.id


def floats(value: Any) -> Any:
    """Numbers out of JSON, where what is not finite is a word."""
    if isinstance(value, list):
        return [floats(v) for v in value]
    return float(value) if isinstance(value, str) else value


def reduction(case: dict[str, Any]) -> dict[str, Any]:
    """The reduction and the row reduction that a peer's reduction is."""
    name = case["reduction"]
    if name == "whole-set":
        return {"reduction": "mean"}
    if "per" in case["params"]:
        return {"reduction": name, "row": "none"}
    if name == "mean-per-class":
        return {"reduction": "mean", "row": "columns"}
    if name == "mean-elements":
        return {"reduction": "mean", "row": "none"}
    if case.get("per_sample_kind") == "row" and CATALOGUE.losses[case["loss"]].row == "sum":
        return {"reduction": name, "row": "sum"}
    if case.get("per_sample_kind") == "row" and case["peer"] != "torch":
        return {"reduction": name, "row": "mean"}
    return {"reduction": name, "row": "none"}


def translate(case: dict[str, Any]) -> Case:
    """A case in this project's words."""
    case = {"peer": "", "id": "", **case}
    only = ONLY.get(case["loss"], {}).items()
    renamed = RENAMED.get(case["loss"], {})
    params = {
        renamed.get(name, name): value
        for name, value in case["params"].items()
        if (name, value) not in only
    }
    params = {**BUILT_IN.get((case["peer"], case["loss"]), {}), **params}
    arguments: dict[str, Any] = reduction(case)
    if "empty" in params:
        params["empty"] = str(params["empty"])
    if "labels" in params:
        arguments["labels"] = LABELS[params.pop("labels")]
    if "off_labels" in params:
        params["off_labels"] = OFF_LABELS[params["off_labels"]]
    if isinstance(params.get("clip"), list):
        params["clip"] = params["clip"][0]  # of probabilities; the upper end is 1
    if "class_axis" in params:
        arguments["class_axis"] = params["class_axis"]
    elif case["peer"] == "monai" and np.ndim(case["inputs"]["pred"]) > 2:
        arguments["class_axis"] = 1
    arguments |= {k: v for k, v in params.items() if k not in IMPLIED}
    if case["loss"] == "hinge" and arguments.get("activation") == "softmax":
        raise ValueError(case["id"])
    arguments |= {
        role: np.array(floats(values), dtype=case.get("dtype", "float64"))
        for role, values in case["inputs"].items()
    }
    rows = floats(case.get("per_sample_expected"))
    if case.get("per_sample_kind") == "row of concat(x1, x2)":
        rows = np.reshape(rows, (2, -1)).T  # here, a row has both
    return Case(
        case["id"],
        case["loss"],
        arguments,
        floats(case["expected"]),
        rows,
        case.get("rtol", 1e-9),
        case.get("atol", 1e-12),
        case["peer"],
        case.get("peer_call", ""),
    )


def cases(name: str) -> Iterator[Case]:
    """The cases of a file whose loss is in the catalogue."""
    data = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    for case in data["cases"] if isinstance(data, dict) else data:
        if CATALOGUE.find(case["loss"]):
            yield translate(case)
