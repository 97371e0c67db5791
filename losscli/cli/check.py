"""`losscli check LOSS`: look at the inputs of a loss, and compute nothing."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from losscli.api import check
from losscli.cli.compute import LossGroup, request_of
from losscli.cli.loss_options import (
    dialect_options,
    input_options,
    kind_options,
    parameter_option,
    role_option,
    roles,
)
from losscli.cli.messages import say
from losscli.cli.options import Command, Option, ReferenceType, file_options, output_options
from losscli.cli.own_inputs import refuse_input, refuse_read
from losscli.data.reading import read_options
from losscli.data.references import Reference
from losscli.engine.check import Checked
from losscli.engine.columns import columns, document
from losscli.errors import ExitCode, UsageError
from losscli.losses import Loss
from losscli.report.formats import Record
from losscli.report.output import Save, saving, show, stdout_format

#: losses that a terminal shows of those that would fit
SHOWN = 24


class CheckGroup(LossGroup):
    """A sub-command for every loss, made as that of `compute`."""

    def build(self, loss: Loss, preset: Mapping[str, Any]) -> click.Command:
        params: list[click.Parameter] = []
        params += [role_option(loss, name, role) for name, role in roles(loss)]
        params += [parameter_option(p, preset) for p in loss.parameters.values()]
        left_out = ("baseline", "per", "class_counts")
        options = [*dialect_options(loss), *kind_options(loss), *input_options(loss)]
        params += [option for option in options if option.name not in left_out]
        params += output_options()

        def callback(**values: Any) -> int:
            return run(loss, preset, values)

        return Command(
            loss.name,
            callback=callback,
            params=params,
            help=f"Check inputs of {loss.name}: {loss.summary}",
            epilog=f"Exit status: 0 when nothing is wrong, 3 otherwise.  "
            f"More: losscli info {loss.reference}",
        )


@click.group(
    cls=CheckGroup,
    name="check",
    subcommand_metavar="[LOSS] [OPTIONS]",
    invoke_without_command=True,
    params=[
        Option(
            ["--data"],
            metavar="FILE",
            type=ReferenceType(),
            section="Inputs",
            help="The file whose columns to look at, when no loss is named.",
        ),
        *file_options(),
        *output_options(),
    ],
)
@click.pass_context
def command(ctx: click.Context, /, **values: Any) -> None:
    """Check the inputs of a loss: every value, without computing anything.

    All that is wrong is reported: for each kind of problem a reason, the role, file and column, how
    often it occurs, the first ten rows with their values, and what was expected. Lines that are no
    rows, and keys that do not pair, are passed over. What the values are, and which losses and
    options they would fit, is said beside it, and is in the JSON.

    `losscli check LOSS` takes the inputs, the parameters and the options of reading that `losscli
    compute LOSS` takes. Without a loss, `losscli check --data FILE` says what the columns of a file
    hold.

    Exit status 0 means that nothing is wrong, 3 that something is.
    """
    if ctx.invoked_subcommand is not None:
        return
    if values["data"] is None:
        raise UsageError("check what?", "losscli check LOSS …, or losscli check --data FILE")
    read = read_options(
        values["delimiter"], values["header"], (), values["input_format"], values["comment"],
        values["null"], values["decimal"], None,
    )  # fmt: skip
    refuse_input(values["output"], [Reference(values["data"])])
    with writing(values) as write:
        write(document(columns(values["data"], read)), None)


def run(loss: Loss, preset: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Check, and report what is wrong."""
    request = request_of(loss, preset, values)
    refuse_read(values["output"], request)
    with writing(values) as write:
        found = check(request)
        write([problem.record() for problem in found.problems], _document(found))
    for warning in found.warnings:
        say("warning", warning)
    if values["format_"] in (None, "table") and values["output"] is None:
        _say(found)
    return int(ExitCode.DATA if found.problems else ExitCode.OK)


@contextlib.contextmanager
def writing(values: Mapping[str, Any]) -> Iterator[Save]:
    """What writes records to a file or to standard output; JSON has the whole report."""
    kind = values["format_"]

    def print_(records: Sequence[Record], whole: Any) -> None:
        if records or kind not in (None, "table"):
            show(records, stdout_format(kind), values["color"], whole)

    if values["output"] is None:
        yield print_
        return
    with saving(values["output"], kind, values["force"]) as save:
        yield save


def _document(found: Checked) -> dict[str, Any]:
    return {
        "loss": found.loss,
        "rows": found.rows,
        "skipped": found.skipped,
        "ok": not found.problems,
        "inputs": found.inputs,
        "problems": [problem.document() for problem in found.problems],
        "holds": {name: seen.words for name, seen in found.seen.items()},
        "fits": [{"loss": fit.loss, "options": fit.options} for fit in found.fits],
        "warnings": found.warnings,
    }


def _say(found: Checked) -> None:
    """In words, beside the table: how it ended, what the values are, and what they would fit."""
    count = len(found.problems)
    wrong = f"{count} problem{'s' * (count != 1)}" if count else "nothing wrong"
    say("check", f"{wrong} in {found.rows:,} row{'s' * (found.rows != 1)} for {found.loss}")
    for name, seen in found.seen.items():
        say("note", f"{name} holds {seen.words}")
    for fit in found.fits if count else []:
        if fit.loss == found.loss and fit.options:
            say("hint", f"{found.loss} {fit.options} would fit")
    particular = [fit for fit in found.fits if fit.particular]
    if particular:
        names = ", ".join(f"{fit.loss} {fit.options}".strip() for fit in particular[:SHOWN])
        more = ", …" if len(particular) > SHOWN else ""
        say("note", f"losses of such values: {names}{more}")
