"""The options of a loss's sub-command, from its declaration."""

from collections.abc import Mapping
from typing import Any, get_args

import click

from losscli.cli.options import (
    Option,
    ReferenceType,
    WordType,
    file_options,
    running_options,
    sentence,
    writing_options,
)
from losscli.data.axes import LAST
from losscli.data.given import Join
from losscli.data.inputs import BY, WEIGHT
from losscli.data.options import Missing
from losscli.engine import reductions
from losscli.engine.precision import PRECISIONS
from losscli.losses import Loss
from losscli.losses.domains import By, Domain
from losscli.losses.parameters import Choice, ClassWeightVector, Flag
from losscli.losses.registry import Parameter
from losscli.losses.roles import WEIGHT as WEIGHT_ROLE
from losscli.losses.roles import Role
from losscli.losses.row_domains import SUM_TOLERANCE
from losscli.losses.shapes import class_axis, describe


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
            default=None,  # what is not said is for a dialect to say, then for the declaration
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
        help=(text + shown).strip(),
    )


def kind_options(loss: Loss) -> list[click.Parameter]:
    """The options of losses with classes, and of those that pool or compare their rows."""
    return [*_class_options(loss), *_row_options(loss)]


def _class_options(loss: Loss) -> list[click.Parameter]:
    holds = {"C": "the classes", "...": "the classes", "d": "a vector"}.get(class_axis(loss))
    if holds is None:
        return []
    return [
        Option(
            ["--class-axis"],
            type=click.INT,
            metavar="N",
            default=LAST,
            section="Reading",
            help=f"Which axis of an array holds {holds}, where axis 0 holds the rows: 1, or "
            "-3, for (n, C, height, width).  [default: the last]",
        )
    ]


def _row_options(loss: Loss) -> list[click.Parameter]:
    if loss.kind == "pooled":
        return [
            Option(
                ["--per"],
                type=click.Choice(reductions.PERS),
                section="Reduction",
                help="What one loss is of: all rows; an image, which is a row or, with --by, the "
                "rows of a group; a class, which is a column; or a class of an image.  "
                "[default: all, or image with --by]",
            ),
            Option(
                ["--by", f"role_{BY}"],
                metavar="REF",
                type=ReferenceType(),
                section="Inputs",
                help="The column that names the image of each row.",
            ),
        ]
    if loss.kind == "batch":
        return [
            Option(
                ["--batch-size"],
                type=click.IntRange(min=1),
                metavar="N",
                section="Inputs",
                help="Rows of a batch.  [default: the whole file]",
            ),
            Option(
                ["--batch-by", f"role_{BY}"],
                metavar="REF",
                type=ReferenceType(),
                section="Inputs",
                help="The column that names the batch of each row; its rows stand together.",
            ),
        ]
    return []


def dialect_options(loss: Loss) -> list[click.Parameter]:
    """The options of classes, their weights, a baseline and the library that has the loss."""
    options: list[click.Parameter] = []
    if any(role.by_class for role in loss.roles.values()):
        options.append(
            Option(
                ["--classes"],
                metavar="A,B,…|columns",
                section="Reading",
                help="The names of the classes in the target, in the order of their scores; "
                "columns takes the names of the columns of scores.",
            )
        )
    if any(isinstance(p.kind, ClassWeightVector) for p in loss.parameters.values()):
        options.append(
            Option(
                ["--class-counts"],
                metavar="A,B,…|FILE[#COLUMN]",
                section="Parameters",
                help="How many samples each class has, for a rule that makes class weights, or a "
                "file with a row for each class; by default they are counted in the target.",
            )
        )
    options.append(
        Option(
            ["--baseline"],
            is_flag=True,
            section="Reduction",
            # Where the best constant has no simple form, it is there to say so.
            hidden=loss.constant is None,
            help="Also the loss of the best constant prediction on these targets, and the "
            "skill score 1 − loss / baseline.",
        )
    )
    options.append(
        Option(
            ["--dialect"],
            metavar="|".join(loss.dialects),
            type=WordType(tuple(loss.dialects)),
            section="Parameters",
            # Where no library has the loss, it is there to say so.
            hidden=not loss.dialects,
            help="The library whose form of the loss sets every option that is not given; "
            f"losscli info {loss.reference} shows what.",
        )
    )
    return options


def common_options(loss: Loss) -> list[click.Parameter]:
    """The options that every loss has: reading, reducing, writing."""
    return [
        *input_options(loss),
        *_reduction_options(loss),
        *running_options(),
        *writing_options(),
    ]


def input_options(loss: Loss) -> list[click.Parameter]:
    """The options that say which rows there are, and how they are read."""
    return [
        Option(
            ["--data"],
            metavar="FILE",
            type=ReferenceType(),
            section="Inputs",
            help="One file for all inputs, which then name its columns, or FILE#COLUMN of another; "
            "an input that is not given is the column of its own name.",
        ),
        Option(
            ["--on"],
            metavar="KEY[,KEY…]",
            section="Inputs",
            help="The columns that pair the rows of different files, in any order and of any type. "
            "By default rows are paired by position.",
        ),
        Option(
            ["--join"],
            type=click.Choice(get_args(Join)),
            default="strict",
            section="Inputs",
            help="With --on: every key once in every file, or an error (strict); or the rows whose "
            "keys all files have, the others counted (inner).  [default: strict]",
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
            ["--missing"],
            type=click.Choice(get_args(Missing)),
            section="Reading",
            help="Missing values alone: an error, or skip the rows and count them.  [default: as "
            "--nonfinite says]",
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
        *file_options(),
        Option(
            ["--max-memory"],
            metavar="SIZE",
            section="Reading",
            help="What may be held in memory, such as 2G or 500M, where rows cannot be streamed. "
            "Rows to be sorted by --on wait on disk beyond it.  [default: half of what is free]",
        ),
    ]


def _reduction_options(loss: Loss) -> list[click.Parameter]:
    return [
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
            "own, mean-last and sum-last each position before the last axis; columns gives one "
            f"value for each column.  [default: {loss.row}]",
        ),
        Option(
            ["--dtype"],
            type=click.Choice(PRECISIONS),
            default="float64",
            section="Reduction",
            help="What losses are computed in, whatever the files hold: float32 to get what a "
            "library's float32 run gives.  [default: float64]",
        ),
    ]
