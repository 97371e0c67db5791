"""Write what follows from the declarations: the man pages, and the README's table of losses.

python scripts/generate_docs.py           rewrite them
python scripts/generate_docs.py --check   fail when one of them is not as it would be written
"""

import inspect
import sys
from pathlib import Path

import click

from losscli import __version__
from losscli.cli.loss_options import (
    common_options,
    dialect_options,
    kind_options,
    parameter_option,
    role_option,
    roles,
)
from losscli.cli.main import COMMANDS, EXIT_STATUS, program
from losscli.cli.options import Option
from losscli.losses import CATALOGUE, Loss

ROOT = Path(__file__).parent.parent
TABLE_START, TABLE_END = "<!-- losses: generated -->\n", "<!-- end of losses -->"


def roff(text: str) -> str:
    """Text that means itself to roff."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return "\n".join(r"\&" + line if line.startswith(".") else line for line in escaped.split("\n"))


def context(command: click.Command, name: str) -> click.Context:
    """The context in which a command's help is written."""
    return click.Context(command, info_name=name, **program.context_settings)


def option_entry(option: click.Parameter, ctx: click.Context) -> str:
    """An option with its help, as a tagged paragraph."""
    record = option.get_help_record(ctx)
    if record is None:
        return ""
    return f".TP\n.B {roff(record[0])}\n{roff(record[1])}\n"


def option_sections(options: list[click.Parameter], ctx: click.Context, heading: str) -> str:
    """Options under the headings of their sections."""
    sections: dict[str, str] = {}
    for option in options:
        name = option.section if isinstance(option, Option) else "Options"
        sections[name] = sections.get(name, "") + option_entry(option, ctx)
    return "".join(f".{heading} {roff(name)}\n{body}" for name, body in sections.items() if body)


def help_text(command: click.Command) -> str:
    """A command's help as paragraphs; lines after a \\b stay as they are."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    parts = []
    for paragraph in paragraphs:
        verbatim, marked, _ = paragraph.partition("\b\n")[::-1]
        if marked:
            parts.append(f".nf\n{roff(verbatim)}\n.fi")
        else:
            parts.append(roff(" ".join(paragraph.split())))
    return "\n.PP\n".join(parts) + "\n"


def page(name: str, summary: str, synopsis: str, body: str) -> str:
    """A man page."""
    title = name.upper().replace("-", r"\-")
    return (
        f'.TH "{title}" "1" "" "losscli {__version__}" "losscli manual"\n'
        f".SH NAME\n{roff(name)} \\- {roff(summary.rstrip('.'))}\n"
        f".SH SYNOPSIS\n.B {roff(synopsis)}\n{body}"
    )


def exit_status() -> str:
    """The exit codes, as a section."""
    return ".SH EXIT STATUS\n" + "".join(
        f".TP\n.B {int(code)}\n{roff(meaning)}\n" for code, meaning in EXIT_STATUS.items()
    )


def main_page() -> str:
    """losscli.1"""
    ctx = context(program, "losscli")
    commands = "".join(
        f".TP\n.BR {roff('losscli-' + name)} (1)\n{roff(summary)}\n"
        for name, summary in COMMANDS.items()
    )
    body = (
        f".SH DESCRIPTION\n{help_text(program)}"
        f".SH COMMANDS\n{commands}"
        f".SH OPTIONS\n{''.join(option_entry(p, ctx) for p in program.get_params(ctx))}"
        f"{exit_status()}"
        ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNo colours, when set.\n"
        ".TP\n.B AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
        "AWS_PROFILE, AWS_NO_SIGN_REQUEST\nWhere objects of s3:// are, and who reads them.\n"
    )
    return page("losscli", "losses of saved predictions", "losscli COMMAND [OPTIONS]", body)


def compute_page(command: click.Command) -> str:
    """losscli-compute.1: the options of every loss, then each loss with its own."""
    ctx = context(command, "losscli compute")
    shared = option_sections(common_options(next(iter(CATALOGUE))), ctx, "SS")
    losses = "".join(loss_entry(loss, ctx) for loss in CATALOGUE)
    body = (
        f".SH DESCRIPTION\n{help_text(command)}"
        f".SH OPTIONS OF EVERY LOSS\n{shared}"
        f".SH LOSSES\n{losses}{exit_status()}"
        ".SH SEE ALSO\n.BR losscli\\-info (1),\n.BR losscli\\-list (1)\n"
    )
    synopsis = "losscli compute LOSS --pred REF --target REF [OPTIONS]"
    return page("losscli-compute", COMMANDS["compute"], synopsis, body)


def loss_entry(loss: Loss, ctx: click.Context) -> str:
    """A loss with its formula, inputs and parameters."""
    own: list[click.Parameter] = [
        role_option(loss, name, role) for name, role in roles(loss) if name != "weight"
    ]
    own += [parameter_option(p, {}) for p in loss.parameters.values()]
    own += [*dialect_options(loss), *kind_options(loss)]
    return (
        f".SS {roff(loss.name)}\n{roff(loss.summary)}\n"
        f".PP\n.nf\n{roff(loss.manual.section('Formula'))}\n.fi\n"
        + "".join(option_entry(option, ctx) for option in own)
    )


def command_page(name: str, command: click.Command) -> str:
    """The page of a command that has only options and arguments."""
    ctx = context(command, f"losscli {name}")
    options = option_sections(command.get_params(ctx), ctx, "SS")
    body = f".SH DESCRIPTION\n{help_text(command)}.SH OPTIONS\n{options}{exit_status()}"
    usage = " ".join(["losscli", name, *command.collect_usage_pieces(ctx)])
    return page(f"losscli-{name}", COMMANDS[name], usage, body)


def readme_table() -> str:
    """The catalogue as Markdown, by family."""
    lines = ["| loss | inputs | parameters | |", "| --- | --- | --- | --- |"]
    for loss in CATALOGUE:
        inputs = ", ".join(f"`{name}`" for name in loss.roles)
        parameters = ", ".join(f"`{p.option}`" for p in loss.parameters.values())
        lines.append(f"| `{loss.name}` | {inputs} | {parameters} | {loss.summary} |")
    return "\n".join(lines) + "\n"


def readme(text: str) -> str:
    """The README with its table as it must be."""
    before, _, rest = text.partition(TABLE_START)
    _, _, after = rest.partition(TABLE_END)
    return f"{before}{TABLE_START}\n{readme_table()}\n{TABLE_END}{after}"


def documents() -> dict[Path, str]:
    """Every generated file and what must be in it."""
    pages = {"losscli": main_page()}
    ctx = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(ctx, name)
        assert command is not None
        text = compute_page(command) if name == "compute" else command_page(name, command)
        pages[f"losscli-{name}"] = text
    found = {ROOT / "man" / f"{name}.1": text for name, text in pages.items()}
    readme_path = ROOT / "README.md"
    found[readme_path] = readme(readme_path.read_text(encoding="utf-8"))
    return found


def main() -> int:
    """Write the files, or say which of them have drifted."""
    check = "--check" in sys.argv[1:]
    drifted = [
        (path, text)
        for path, text in documents().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in drifted:
        print(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and drifted else 0


if __name__ == "__main__":
    sys.exit(main())
