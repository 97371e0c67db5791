"""`losscli list`: the catalogue."""

from collections.abc import Iterator
from typing import Any

import click

from losscli import plugins
from losscli.cli.messages import aside, say
from losscli.cli.options import Command, Option, WordType, output_options
from losscli.errors import LosscliError, UsageError
from losscli.losses import CATALOGUE
from losscli.losses.dialects import LIBRARIES
from losscli.losses.properties import TASKS
from losscli.losses.registry import Loss, suggestion
from losscli.report.output import saving, show, stdout_format


def losses() -> Iterator[Loss]:
    """Those of the catalogue, and those of packages that are installed."""
    yield from CATALOGUE
    for offer in plugins.offers():
        if CATALOGUE.find(offer.name):
            say("warning", f"'{offer.name}' of {offer.package} has the name of another loss")
            continue
        try:
            with aside():
                loss, _ = plugins.load(offer)
        except LosscliError as error:
            say("warning", error.message)
        else:
            yield loss


def record(loss: Loss) -> dict[str, Any]:
    """A loss as a row of the list."""
    return {
        "name": loss.name,
        "family": loss.family,
        "kind": loss.kind,
        "dialects": " ".join(loss.dialects),
        "inputs": " ".join(loss.roles),
        "parameters": " ".join(loss.parameters),
        **_properties(loss),
        "summary": loss.summary,
    }


def _properties(loss: Loss) -> dict[str, Any]:
    about = loss.properties
    if about is None:
        return {}
    low, high = about.bounds or (None, None)
    return {
        "task": about.task,
        "units": about.units,
        "convex": about.convex,
        "differentiable": about.differentiable,
        "robust": about.robust,
        "low": low,
        "high": high,
    }


@click.command(
    "list",
    cls=Command,
    params=[
        Option(["--family"], metavar="NAME", section="Selection", help="Only this family."),
        Option(
            ["--task"],
            metavar="NAME",
            type=WordType(TASKS),
            section="Selection",
            help=f"Only losses for this: {', '.join(TASKS)}.",
        ),
        Option(
            ["--kind"],
            type=click.Choice(["row", "pooled", "batch"]),
            section="Selection",
            help="Only losses of rows, losses of whole sets, or losses of rows in a batch.",
        ),
        Option(
            ["--dialect"],
            metavar="LIBRARY",
            type=WordType(tuple(LIBRARIES)),
            section="Selection",
            help=f"Only losses that a library has: {', '.join(LIBRARIES)}.",
        ),
        *output_options(),
    ],
)
def command(
    family: str | None,
    task: str | None,
    kind: str | None,
    dialect: str | None,
    format_: str | None,
    output: str | None,
    force: bool,
    color: str,
) -> None:
    """List the losses of the catalogue, and those of packages that are installed."""
    known = list(losses())
    families = list(dict.fromkeys(loss.family for loss in known))
    if family is not None and family not in families:
        raise UsageError(
            f"no family '{family}'",
            suggestion(family, families) or f"the families are {', '.join(families)}",
        )
    # "metric learning" is said as often as "metric-learning".
    task = None if task is None else task.strip().lower().replace(" ", "-")
    if task is not None and task not in TASKS:
        raise UsageError(
            f"no task '{task}'", suggestion(task, TASKS) or f"the tasks are {', '.join(TASKS)}"
        )
    if dialect is not None and dialect not in LIBRARIES:
        raise UsageError(
            f"no dialect '{dialect}'",
            suggestion(dialect, LIBRARIES) or f"the dialects are {', '.join(LIBRARIES)}",
        )
    records = [
        record(loss)
        for loss in known
        if family in (None, loss.family)
        and (task is None or (loss.properties is not None and task == loss.properties.task))
        and kind in (None, loss.kind)
        and (dialect is None or dialect in loss.dialects)
    ]
    if output is not None:
        with saving(output, format_, force) as save:
            save(records, None)
        return
    way = stdout_format(format_)
    if way == "table":
        # On a screen the inputs and parameters are left to `info`.
        shown = ("name", "family", "kind", "dialects", "summary")
        records = [{k: r[k] for k in shown} for r in records]
    show(records, way, color)
