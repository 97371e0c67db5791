"""What is asked for: a loss, its inputs and options, and what a dialect makes of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from losscli.data.files import read_numbers
from losscli.data.inputs import InputOptions
from losscli.engine.survey import class_counts, survey
from losscli.errors import DataError, UsageError
from losscli.losses.class_rules import ClassWeightRule
from losscli.losses.domains import number
from losscli.losses.numerics import Array
from losscli.losses.parameters import ClassWeightVector
from losscli.losses.registry import Loss
from losscli.losses.shapes import Shape
from losscli.parsing import of_samples


@dataclass(frozen=True)
class Request:
    """One computation, as it was asked for."""

    loss: Loss
    roles: Mapping[str, Any]
    #: parameters that were given
    given: Mapping[str, Any] = field(default_factory=dict)
    #: parameters that the name of the loss implies
    preset: Mapping[str, Any] = field(default_factory=dict)
    options: InputOptions = field(default_factory=InputOptions)
    data: Any = None
    reduction: list[str] | None = None
    row: str | None = None
    per: str | None = None
    dialect: str | None = None
    #: how many samples each class has, for rules that make class weights of it
    class_counts: Array | os.PathLike[str] | None = None
    #: also compute the loss of the best constant prediction
    baseline: bool = False
    #: what losses are computed in
    dtype: str = "float64"
    #: the library that computes, and where
    backend: str = "auto"
    device: str = "cpu"

    def parameters(self) -> dict[str, Any]:
        """Every parameter's value."""
        return self.loss.resolve({**self.preset, **self.given})


def in_dialect(request: Request, lenient: bool = False) -> tuple[Request, list[str]]:
    """The request with what its dialect says of all that was not asked for, and what to tell.

    Where the dialect looks at the values, it looks with `lenient` at those that can be read.
    """
    if request.dialect is None:
        return _with_ignored_label(request), []
    library, loss = request.dialect, request.loss
    form = loss.dialect(library)
    options = form.of(library)
    notes = [f"{form.name(library)}: {form.note}"] if form.note else []
    if form.decide is not None:
        settled = loss.resolve({**request.preset, **_parameters(loss, options), **request.given})
        labels = request.options.labels or options.get("labels")
        looking = _with_ignored_label(
            replace(request, given=settled, options=replace(request.options, labels=labels))
        )
        seen = survey(loss, request.roles, settled, looking.options, request.data, lenient)
        given = {*request.given, *(["labels"] if request.options.labels else [])}
        decided = {name: v for name, v in form.decide(seen).items() if name not in given}
        options |= decided
        notes.append(f"{library} looks at the values, and takes {_said(decided)}")
    formed = replace(
        request,
        preset={**request.preset, **_parameters(loss, options)},
        options=replace(request.options, labels=request.options.labels or options.get("labels")),
        reduction=request.reduction or [options["reduction"]],
        row=request.row or options["row"],
        per=request.per or options.get("per"),
    )
    return _with_ignored_label(formed), notes


def _with_ignored_label(request: Request) -> Request:
    """The request with the ignored label beside the two that the values of a file are."""
    ignored = request.parameters().get("ignore_index")
    codes = next((role.codes for role in request.loss.roles.values() if role.codes), None)
    if ignored is None or codes is None:
        return request
    labels = request.options.labels
    if str(ignored) in (labels or map(number, codes)):
        raise UsageError(
            f"--ignore-index: {ignored} is one of the two labels",
            "" if labels else "--labels 0,1 where the labels are 0 and 1",
        )
    if labels is None:
        return request
    return replace(request, options=replace(request.options, labels=(*labels, str(ignored))))


def check_input(request: Request) -> None:
    """Refuse what was asked of one kind of `input` where pred holds another."""
    params = request.parameters()
    for name, kind in request.loss.for_input.items():
        parameter = request.loss.parameters[name]
        asked = request.given.get(name, parameter.default) != parameter.default
        if asked and params["input"] != kind:
            raise UsageError(
                f"{parameter.option} is for --input {kind}, and pred holds {params['input']}"
            )


def check_columns(request: Request, shapes: Mapping[str, Shape]) -> None:
    """Refuse several columns where the library computes another loss of them."""
    loss, library = request.loss, request.dialect
    if library is None or not (shape := shapes.get("pred")):
        return
    form = loss.dialects[library]
    if form.one_column:
        raise UsageError(
            f"{form.name(library)} of several columns is {loss.of_classes}",
            f"losscli compute {loss.of_classes} --dialect {library}",
        )
    if form.not_of_rows and len(shapes["target"]) == len(shape):
        raise UsageError(
            f"{form.name(library)} of a target with a value for every class {form.not_of_rows}",
            "give class indices; or leave --dialect out, and divide its mean by "
            f"{shape[-1]} for the number that {library} gives",
        )
    settled = {**request.parameters(), "per": request.per}
    if shape[-1] > 1 and any(settled[name] == form.options[name] for name in form.of_columns):
        raise UsageError(
            f"{form.name(library)} takes the last axis as classes, of which there are {shape[-1]}",
            " ".join(f"--{name} {value}" for name, value in form.of_columns.items())
            + "; pixels of one mask come before a last axis of one",
        )


def _parameters(loss: Loss, options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in loss.parameters}


def _said(decided: Mapping[str, Any]) -> str:
    if not decided:
        return "them as they are"
    parts = []
    for name, value in decided.items():
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        parts.append(f"--{name.replace('_', '-')} {text}")
    return " ".join(parts)


def with_class_weights(request: Request) -> tuple[dict[str, Any], InputOptions]:
    """The parameters with weights of classes as numbers, where they are a rule or a file.

    The options say which file or other option the numbers are from.
    """
    params, options = request.parameters(), request.options
    settled, given_by, ruled = dict(params), dict[str, str](), False
    for name, parameter in request.loss.parameters.items():
        weight = params[name]
        if not isinstance(parameter.kind, ClassWeightVector):
            continue
        if isinstance(weight, os.PathLike):
            settled[name] = read_numbers(weight, options.read)
            given_by[name] = f"{parameter.option} {os.fspath(weight)}"
        if isinstance(weight, ClassWeightRule):
            ruled = True
            counts = request.class_counts
            if counts is not None:
                given_by[name] = "--class-counts"
            if isinstance(counts, os.PathLike):
                given_by[name] += f" {os.fspath(counts)}"
                counts = of_samples(read_numbers(counts, options.read))
            if counts is None:
                # The numbers themselves do not matter here, only how many classes there are.
                plain = {**params, name: None}
                counts = class_counts(request.loss, request.roles, plain, options, request.data)
            settled[name] = weight.weights(counts)
    if request.class_counts is not None and not ruled:
        raise UsageError(
            "--class-counts is for rules that make class weights",
            "such as --class-weight balanced",
        )
    return settled, replace(options, given_by=given_by)


def known_class_weights(request: Request) -> tuple[dict[str, Any], InputOptions, list[DataError]]:
    """The same without those that a rule makes of the data, and what is wrong with a file."""
    params, options, wrong = dict(request.parameters()), request.options, list[DataError]()
    for name, parameter in request.loss.parameters.items():
        weight = params[name]
        if isinstance(weight, (ClassWeightRule, os.PathLike)):
            params[name] = None
        if isinstance(weight, os.PathLike):
            given_by = {name: f"{parameter.option} {os.fspath(weight)}"}
            try:
                params[name] = read_numbers(weight, options.read)
                options = replace(options, given_by=given_by)
            except DataError as error:
                wrong.append(error)
    return params, options, wrong
