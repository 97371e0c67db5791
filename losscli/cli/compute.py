"""`losscli compute LOSS`: one sub-command for each loss, made from its declaration."""

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from losscli.api import evaluate
from losscli.cli.loss_options import (
    common_options,
    dialect_options,
    kind_options,
    parameter_option,
    role_option,
    roles,
)
from losscli.cli.messages import aside, say
from losscli.cli.options import Command
from losscli.cli.own_inputs import refuse_read
from losscli.data.axes import LAST
from losscli.data.inputs import InputOptions
from losscli.data.memory import parse_size
from losscli.data.reading import read_options
from losscli.engine import reductions
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.naming import find, is_file
from losscli.parsing import parse_classes, parse_counts, parse_keys, parse_labels
from losscli.report.formats import SUFFIXES
from losscli.report.output import STDOUT, row_writer, saving, show, show_aside, stdout_format
from losscli.report.progress import Progress
from losscli.report.sink import RowSink
from losscli.request import Request
from losscli.stopwatch import STAGES, Stopwatch


class LossGroup(click.Group):
    """A sub-command for every loss, found by any of its names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [loss.name for loss in CATALOGUE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        names = cmd_name.split(",")
        if len(names) > 1 and all(map(CATALOGUE.find, names)):
            raise UsageError(
                f"'{cmd_name}': one loss a run",
                f"for loss in {' '.join(names)}; do losscli {self.name} $loss …; done",
            )
        if ctx.resilient_parsing and is_file(cmd_name):
            return None  # the tab key runs no file
        with aside():
            return self.build(*find(cmd_name))

    def build(self, loss: Loss, preset: Mapping[str, Any]) -> click.Command:
        """The sub-command of a loss."""
        return build(loss, preset)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        if "/" in incomplete:
            return [CompletionItem(incomplete, type="file")]
        return super().shell_complete(ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        families = dict.fromkeys(loss.family for loss in CATALOGUE)
        for family in families:
            with formatter.section(f"{family.capitalize()} losses"):
                formatter.write_dl([(s.name, s.summary) for s in CATALOGUE if s.family == family])


@click.group(cls=LossGroup, name="compute", subcommand_metavar="LOSS [OPTIONS]")
def command() -> None:
    """Compute a loss on predictions and targets in files.

    The inputs of a loss are references: FILE, FILE#COLUMN, FILE#a,b,c, 'FILE#logit_*', or - for
    standard input. FILE may also be a directory, a pattern such as 'shards/*.csv', or the address
    of an object (s3://, gs://) or of a web server (https://). `losscli compute LOSS --help` lists
    those of a loss, and its parameters.

    LOSS may be one of your own: PATH.py:FUNCTION names a function in a Python file, which is run.
    """


def build(loss: Loss, preset: Mapping[str, Any]) -> click.Command:
    """The sub-command of a loss."""
    params: list[click.Parameter] = [role_option(loss, name, role) for name, role in roles(loss)]
    params += [parameter_option(p, preset) for p in loss.parameters.values()]
    params += [*dialect_options(loss), *kind_options(loss), *common_options(loss)]
    example = f"Example: {loss.example.command(loss.reference)}" if loss.example else ""
    formula = loss.manual.section("Formula")

    def callback(**values: Any) -> None:
        run(loss, preset, values)

    return Command(
        loss.name,
        callback=callback,
        params=params,
        help=f"{loss.summary}\n\n\b\n{formula}" if formula else loss.summary,
        epilog=f"\b\n{example}\nMore: losscli info {loss.reference}",
    )


def request_of(loss: Loss, preset: Mapping[str, Any], values: Mapping[str, Any]) -> Request:
    """What the options ask for."""
    reduction = values.get("reduction")
    labels = parse_labels(values["labels"])
    options = InputOptions(
        read_options(
            values["delimiter"],
            values["header"],
            labels or (),
            values["input_format"],
            values["comment"],
            values["null"],
            values["decimal"],
            values.get("threads"),
        ),
        labels=labels,
        nonfinite=values["nonfinite"],
        class_axis=values.get("class_axis", LAST),
        sum_tolerance=values["sum_tolerance"],
        batch_size=values.get("batch_size"),
        classes=parse_classes(values.get("classes")),
        on=parse_keys(values["on"]),
        join=values["join"],
        max_memory=parse_size(values["max_memory"]),
        missing=values["missing"],
        clock=Stopwatch(running=values.get("profile", False)),
    )
    return Request(
        loss,
        _given(values, "role_"),
        given=_given(values, "param_"),
        preset=preset,
        options=options,
        data=values["data"],
        reduction=None if reduction is None else reductions.parse(reduction),
        row=values.get("row"),
        per=values.get("per"),
        dialect=values.get("dialect"),
        class_counts=parse_counts(values.get("class_counts")),
        baseline=bool(values.get("baseline")),
        dtype=values.get("dtype", "float64"),
        backend=values.get("backend", "auto"),
        device=values.get("device", "cpu"),
    )


def run(loss: Loss, preset: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Compute, and write what was asked for where it was asked for."""
    request = request_of(loss, preset, values)
    rows_to, values_to = targets(values, request.reduction)
    for path in (rows_to, values_to):
        refuse_read(path, request)
    kind, force, color = values["format_"], values["force"], values["color"]
    with contextlib.ExitStack() as stack:
        # Files are opened before any work is done, and appear together when all of it is.
        sink = save = None
        if values_to not in (None, STDOUT):
            save = stack.enter_context(saving(str(values_to), kind, force))
        if rows_to is not None:
            # Beside a file of values, a format names how standard output is written.
            row_kind = None if _has_suffix(rows_to) and rows_to != values["output"] else kind
            sink = RowSink(stack.enter_context(row_writer(rows_to, row_kind, force, color)))
        progress = stack.enter_context(Progress(values["progress"]))
        with aside():
            result = evaluate(request, sink, progress)
        if sink is not None:
            sink.finish({"losscli": result.signature})
        if save is not None and result.values:
            save(result.records(), result.to_dict())
    if values["profile"]:
        _show_profile(request.options)
    for note in result.notes:
        say("note", note)
    for warning in result.warnings:
        say("warning", warning)
    if values_to == STDOUT and result.values:
        show(result.records(), stdout_format(kind), color, result.to_dict())
    elif values_to is None and result.values:
        sys.stdout.flush()
        show_aside(result.records(), color)


def _show_profile(options: InputOptions) -> None:
    """Say where the time went, on standard error."""
    seconds, wall = options.clock.seconds, options.clock.elapsed
    threads, total = options.read.threads, max(seconds.total(), 1e-9)
    for name in STAGES:
        click.echo(f"{name:7}{seconds[name]:8.3f} s{seconds[name] / total:7.0%}", err=True)
    click.echo(f"in all {total:8.3f} s on {threads} threads, {wall:.3f} s by the clock", err=True)


def _given(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The options of one kind that were given, by the names they have in the loss."""
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix) and value is not None
    }


def targets(values: Mapping[str, Any], names: list[str] | None) -> tuple[str | None, str | None]:
    """Where rows go and where values go: a file, standard output, or None.

    Rows are None when nobody asked for them; values are None when rows have taken their place, and
    are then said beside them.
    """
    rows_to, output = values["per_sample"], values["output"]
    if names is not None and "none" in names:
        if rows_to is not None:
            raise UsageError(
                "--per-sample and --reduction none both ask for the losses of rows",
                "one of them is enough",
            )
        return output or STDOUT, None
    if rows_to is None:
        return None, output or STDOUT
    if output is not None and os.path.realpath(rows_to) == os.path.realpath(output):
        raise UsageError(f"--per-sample and --output name one file, {output}")
    return rows_to, output or (None if rows_to == STDOUT else STDOUT)


def _has_suffix(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in SUFFIXES
