"""`losscli info LOSS`: the manual of a loss."""

import textwrap
from typing import Any

import click

from losscli.cli import info_dialects, info_edges
from losscli.cli.loss_options import roles, shapes_text
from losscli.cli.messages import aside
from losscli.cli.options import Command, WordType, sentence
from losscli.data.given import option
from losscli.data.inputs import WEIGHT
from losscli.losses import CATALOGUE, Loss
from losscli.losses.domains import number
from losscli.losses.registry import Parameter
from losscli.naming import find
from losscli.report.output import show


def document(loss: Loss) -> dict[str, Any]:
    """All that a loss declares, for programs."""
    texts = {WEIGHT: "the weight of each row, or of each element", **loss.manual.entries("Roles")}
    return {
        "name": loss.name,
        "family": loss.family,
        **(loss.origin.shown if loss.origin else {}),
        "aliases": [alias.name for alias in loss.aliases],
        "summary": loss.summary,
        "notes": loss.manual.notes,
        "formula": loss.manual.section("Formula"),
        "roles": {
            name: {
                "description": texts.get(name, ""),
                "values": shapes_text(role),
                "optional": role.optional,
            }
            for name, role in roles(loss)
        },
        "parameters": {
            p.name: {
                "option": p.option,
                "description": p.help,
                "values": p.kind.expected(),
                "default": p.default,
            }
            for p in loss.parameters.values()
        },
        "row": loss.row,
        "properties": None if loss.properties is None else loss.properties._asdict(),
        "returns": loss.manual.section("Returns"),
        "raises": loss.manual.section("Raises"),
        "source": loss.manual.section("Source"),
        "example": loss.example.command(loss.reference) if loss.example else "",
        "example_value": _example_value(loss),
        "edge_cases": info_edges.documents(loss),
        "dialects": info_dialects.documents(loss),
    }


def page(loss: Loss) -> str:
    """The manual as text."""
    about = document(loss)
    inputs = [
        f"--{option(name)}{' (optional)' if role['optional'] else ''}\n"
        + _indent(_wrap(f"{sentence(role['description'])} {role['values']}".strip()))
        for name, role in about["roles"].items()
    ]
    parameters = [
        f"{_usage(p)}\n{_indent(_wrap((sentence(p.help) + _default(p.default)).strip()))}"
        for p in loss.parameters.values()
    ]
    sections = {
        "Also called": _wrap(", ".join(about["aliases"])),
        "Definition": about["formula"],
        "Inputs": "\n".join(inputs),
        "Parameters": "\n".join(parameters),
        "Returns": about["returns"],
        "Properties": _wrap(_properties(loss)),
        "Errors": about["raises"],
        "Source": about["source"] or _origin(loss),
        "Example": f"{about['example']}\n→ {about['example_value']}"
        if loss.example
        else loss.manual.section("Example"),
        "Edge cases": info_edges.section(loss),
        "Dialects": info_dialects.section(loss),
    }
    notes = f"\n\n{about['notes']}" if about["notes"] else ""
    parts = [f"{loss.name} ({loss.family})\n\n{_indent(about['summary'] + notes)}"]
    parts += [f"{title}\n{_indent(text)}" for title, text in sections.items() if text]
    return "\n\n".join(parts)


def _example_value(loss: Loss) -> Any:
    """The value of the loss's example, where it has one."""
    if loss.example is None:
        return None
    return info_dialects.value_of(loss, loss.example, **loss.example.inputs())[0]


def _origin(loss: Loss) -> str:
    """Where a loss comes from that is not of the catalogue."""
    shown = loss.origin.shown if loss.origin else {}
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def _properties(loss: Loss) -> str:
    """What a loss is like, in one sentence after another."""
    about = loss.properties
    if about is None:
        return ""
    words = [f"For {about.task}.", f"Units: {about.units}."]
    if about.bounds is not None:
        low, high = (number(x).replace("-inf", "−∞").replace("inf", "∞") for x in about.bounds)
        words.append(f"From {low} to {high}.")
    claims = [
        (about.convex, "convex", "not convex"),
        (about.differentiable, "differentiable", "not everywhere differentiable"),
        (about.robust, "robust (at most linear in the error)", "not robust"),
    ]
    said = [no if claim is False else yes for claim, yes, no in claims if claim is not None]
    if said:
        words.append(f"In --{option(about.role)}: {', '.join(said)}.")
    return " ".join(words)


def _usage(parameter: Parameter) -> str:
    return f"{parameter.option} {parameter.kind.metavar}".rstrip()


def _wrap(text: str) -> str:
    return textwrap.fill(text, 84, break_long_words=False, break_on_hyphens=False)


def _indent(text: str) -> str:
    return textwrap.indent(text, "    ")


def _default(value: Any) -> str:
    """How a parameter's default reads at the end of its description."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f" Default: {'on' if value else 'off'}."
    return f" Default: {value:g}." if isinstance(value, float) else f" Default: {value}."


class LossName(WordType):
    """The name of a loss, completed by the shell."""

    def __init__(self) -> None:
        super().__init__(tuple(loss.name for loss in CATALOGUE))


@click.command("info", cls=Command)
@click.argument("loss", type=LossName())
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json"]), default="text",
              help="A page to read, or JSON.")  # fmt: skip
def command(loss: str, format_: str) -> None:
    """Explain a loss: definition, inputs, parameters, sources, an example."""
    with aside():
        found, _ = find(loss)
        about = document(found) if format_ == "json" else page(found)
    if format_ == "json":
        show([], "json", "auto", about)
    else:
        click.echo(about)
