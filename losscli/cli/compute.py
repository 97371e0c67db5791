"""`losscli compute LOSS`: one sub-command for each loss, made from its declaration."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from losscli.api import evaluate, parse_labels
from losscli.cli.options import (
    Command,
    Option,
    ReferenceType,
    WordType,
    output_options,
    sentence,
)
from losscli.data.files import ReadOptions
from losscli.data.inputs import WEIGHT, InputOptions
from losscli.engine import reductions
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.domains import SUM_TOLERANCE, By, Domain
from losscli.losses.parameters import Choice, Flag
from losscli.losses.registry import Parameter
from losscli.losses.roles import WEIGHT as WEIGHT_ROLE
from losscli.losses.roles import Role
from losscli.losses.shapes import describe
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
    params += common_options(loss)
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


def roles(loss: Loss) -> list[tuple[str, Role]]:
    """The roles of a loss and the weights that every loss takes."""
    return [*loss.roles.items(), (WEIGHT, WEIGHT_ROLE)]


def role_option(loss: Loss, name: str, role: Role) -> Option:
    """The option that names a role's data."""
    texts = {WEIGHT: "The weight of each row, or of each element.", **loss.manual.entries("Roles")}
    return Option(
        [f"--{name.replace('_', '-')}", f"role_{name}"],
        metavar="REF",
        type=ReferenceType(),
        section="Inputs",
        help=f"{sentence(texts.get(name, name))} {shapes_text(role)}",
    )


def shapes_text(role: Role) -> str:
    """What a role may hold: "(n,) or (n, k): a finite number"."""
    domains = dict.fromkeys(domain_text(domain) for _, domain in role.shapes)
    return f"{describe(role)}: {', or '.join(domains)}."


def domain_text(domain: Domain) -> str:
    """A domain in words, also where a parameter decides it."""
    if not isinstance(domain, By):
        return domain.expected({})
    choices: dict[str, list[str]] = {}
    for choice, each in domain.choices.items():
        choices.setdefault(each.expected({}), []).append(choice)
    option = "--" + domain.parameter.replace("_", "-")
    when = {"False": f"without {option}", "True": f"with {option}"}
    return ", ".join(
        f"{text} {when.get(of[0], f'with {option} ' + ' or '.join(of))}"
        for text, of in choices.items()
    )


def parameter_option(parameter: Parameter, preset: Mapping[str, Any]) -> Option:
    """The option that sets a parameter."""
    default = preset.get(parameter.name, parameter.default)
    kind = parameter.kind
    text = sentence(parameter.help)
    if isinstance(kind, Flag):
        off = parameter.option.replace("--", "--no-", 1)
        return Option(
            [f"{parameter.option}/{off}", f"param_{parameter.name}"],
            default=default,
            section="Parameters",
            help=text,
        )
    shown = "" if default is None else f"  [default: {default:g}]" if isinstance(
        default, float) else f"  [default: {default}]"  # fmt: skip
    words = tuple(str(v) for v in kind.values) if isinstance(kind, Choice) else ()
    return Option(
        [parameter.option, f"param_{parameter.name}"],
        metavar=kind.metavar,
        type=WordType(words),
        section="Parameters",
        help=text + shown,
    )


def common_options(loss: Loss) -> list[click.Parameter]:
    """The options that every loss has: reading, reducing, writing."""
    reading = [
        Option(
            ["--data"],
            metavar="FILE",
            type=ReferenceType(),
            section="Inputs",
            help="One file for all inputs, which then name its columns; an input that is not "
            "given is the column of its own name.",
        ),
        Option(
            ["--labels"],
            metavar="NEG,POS",
            section="Reading",
            help="The two values of a label column, such as 0,1 or no,yes.",
        ),
        Option(
            ["--nonfinite"],
            type=click.Choice(["error", "skip", "keep"]),
            default="error",
            section="Reading",
            help="NaN, infinite and missing values: an error that names the row, or skip the rows "
            "and count them, or compute with them.  [default: error]",
        ),
        Option(
            ["--sum-tolerance"],
            metavar="NUMBER",
            type=click.FloatRange(min=0),
            default=SUM_TOLERANCE,
            section="Reading",
            help="What the sum of a row of probabilities may be off by; inf allows any sum.  "
            f"[default: {SUM_TOLERANCE:g}]",
        ),
        Option(
            ["--header/--no-header"],
            default=None,
            section="Reading",
            help="Whether a CSV starts with column names. By default, when its first line is not "
            "all numbers. Without names, columns are 1, 2, 3 …",
        ),
        Option(
            ["--delimiter"],
            metavar="CHAR",
            section="Reading",
            help="What separates the fields of a CSV.  [default: comma or tab]",
        ),
    ]
    reducing = [
        Option(
            ["--reduction"],
            metavar="NAME[,NAME…]",
            type=WordType(reductions.REDUCTIONS),
            section="Reduction",
            help="; ".join(f"{k}: {v}" for k, v in reductions.MEANING.items())
            + ".  [default: weighted-mean with weights, else mean]",
        ),
        Option(
            ["--row"],
            type=click.Choice(reductions.ROWS),
            section="Reduction",
            help="How the elements of a row become its loss; none makes each element a row of its "
            f"own, columns gives one value for each column.  [default: {loss.row}]",
        ),
    ]
    writing = [
        Option(
            ["--per-sample"],
            metavar="FILE|-",
            type=ReferenceType(),
            section="Output",
            help="Also write the loss of every row, to a file by its suffix, or to standard output "
            "(the reduced value then goes to --output, or to standard error).",
        ),
        *output_options(),
    ]
    return [*reading, *reducing, *writing]


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
        sum_tolerance=values["sum_tolerance"],
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
