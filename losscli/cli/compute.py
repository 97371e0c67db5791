"""`losscli compute LOSS`: one sub-command for each loss, made from its declaration."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from losscli.api import evaluate, parse_labels
from losscli.cli.loss_options import (
    common_options,
    kind_options,
    parameter_option,
    role_option,
    roles,
)
from losscli.cli.options import (
    Command,
)
from losscli.data.axes import LAST
from losscli.data.files import ReadOptions
from losscli.data.inputs import InputOptions
from losscli.engine import reductions
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.report.output import STDOUT, row_writer, save, show, show_aside, stdout_format
from losscli.report.result import Result
from losscli.report.sink import RowSink


class LossGroup(click.Group):
    """A sub-command for every loss, found by any of its names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [loss.name for loss in CATALOGUE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        loss, preset = CATALOGUE.get(cmd_name)
        return build(loss, preset)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        families = dict.fromkeys(loss.family for loss in CATALOGUE)
        for family in families:
            with formatter.section(f"{family.capitalize()} losses"):
                formatter.write_dl([(s.name, s.summary) for s in CATALOGUE if s.family == family])


@click.group(cls=LossGroup, name="compute", subcommand_metavar="LOSS [OPTIONS]")
def command() -> None:
    """Compute a loss on predictions and targets in files.

    The inputs of a loss are references: FILE, FILE#COLUMN, FILE#a,b,c, 'FILE#logit_*', or - for
    standard input. `losscli compute LOSS --help` lists those of a loss, and its parameters.
    """


def build(loss: Loss, preset: Mapping[str, Any]) -> click.Command:
    """The sub-command of a loss."""
    params: list[click.Parameter] = [role_option(loss, name, role) for name, role in roles(loss)]
    params += [parameter_option(p, preset) for p in loss.parameters.values()]
    params += [*kind_options(loss), *common_options(loss)]
    example = f"Example: {loss.example.command(loss.name)}" if loss.example else ""

    def callback(**values: Any) -> None:
        run(loss, preset, values)

    return Command(
        loss.name,
        callback=callback,
        params=params,
        help=f"{loss.summary}\n\n\b\n{loss.manual.section('Formula')}",
        epilog=f"\b\n{example}\nMore: losscli info {loss.name}",
    )


def run(loss: Loss, preset: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Compute, and write what was asked for where it was asked for."""
    given = {k.removeprefix("role_"): v for k, v in values.items() if k.startswith("role_") and v}
    params = {
        k.removeprefix("param_"): v
        for k, v in values.items()
        if k.startswith("param_") and v is not None
    }
    names = None if values["reduction"] is None else reductions.parse(values["reduction"])
    options = InputOptions(
        ReadOptions(_delimiter(values["delimiter"]), values["header"]),
        parse_labels(values["labels"]),
        values["nonfinite"],
        class_axis=values.get("class_axis", LAST),
        sum_tolerance=values["sum_tolerance"],
        batch_size=values.get("batch_size"),
    )
    rows_to = _rows_target(values, names)
    kind = values["format_"]
    with contextlib.ExitStack() as stack:
        sink = None
        if rows_to is not None:
            # A format names how standard output is written; a file beside it goes by its suffix.
            row_kind = kind if rows_to in (STDOUT, values["output"]) else None
            writer = row_writer(rows_to, row_kind, values["force"], values["color"])
            sink = RowSink(stack.enter_context(writer))
        result = evaluate(
            loss,
            given,
            {**preset, **params},
            options,
            data=values["data"],
            reduction=names,
            row=values["row"],
            per=values.get("per"),
            sink=sink,
        )
        if sink is not None:
            sink.finish({"losscli": result.signature})
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    write(result, values, rows_to)


def write(result: Result, values: Mapping[str, Any], rows_to: str | None) -> None:
    """Write the reduced values: to the output file, standard output, or beside rows."""
    records, kind, color = result.records(), values["format_"], values["color"]
    if not records:
        return
    document = result.to_dict()
    if values["output"] is not None and values["output"] != rows_to:
        save(records, values["output"], kind, values["force"], document)
    elif rows_to is not None and rows_to in (STDOUT, values["output"]):
        sys.stdout.flush()
        show_aside(records, color)
    else:
        show(records, stdout_format(kind), color, document)


def _rows_target(values: Mapping[str, Any], names: list[str] | None) -> str | None:
    """Where per-row losses go: --per-sample, or with --reduction none where results go."""
    if names is None or "none" not in names:
        target: str | None = values["per_sample"]
        return target
    if values["per_sample"] is not None:
        raise UsageError(
            "--per-sample and --reduction none both ask for the losses of rows",
            "one of them is enough",
        )
    return values["output"] or STDOUT


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    text = {r"\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise UsageError(f"--delimiter: expected one character, got '{text}'", "such as ';' or tab")
    return text
