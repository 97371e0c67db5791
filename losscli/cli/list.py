"""`losscli list`: the catalogue."""

from typing import Any

import click

from losscli.cli.options import Command, Option, output_options
from losscli.errors import UsageError
from losscli.losses import CATALOGUE
from losscli.losses.registry import Loss, suggestion
from losscli.report.output import saving, show, stdout_format


def record(loss: Loss) -> dict[str, Any]:
    """A loss as a row of the list."""
    return {
        "name": loss.name,
        "family": loss.family,
        "inputs": " ".join(loss.roles),
        "parameters": " ".join(loss.parameters),
        "summary": loss.summary,
    }


@click.command(
    "list",
    cls=Command,
    params=[
        Option(["--family"], metavar="NAME", section="Selection", help="Only this family."),
        *output_options(),
    ],
)
def command(
    family: str | None, format_: str | None, output: str | None, force: bool, color: str
) -> None:
    """List the losses of the catalogue."""
    families = list(dict.fromkeys(loss.family for loss in CATALOGUE))
    if family is not None and family not in families:
        raise UsageError(
            f"no family '{family}'",
            suggestion(family, families) or f"the families are {', '.join(families)}",
        )
    records = [record(loss) for loss in CATALOGUE if family in (None, loss.family)]
    if output is not None:
        with saving(output, format_, force) as save:
            save(records, None)
        return
    kind = stdout_format(format_)
    if kind == "table":
        # On a screen the parameters are left to `info`.
        records = [{k: r[k] for k in ("name", "family", "summary")} for r in records]
    show(records, kind, color)
