"""Options that commands share, and help that groups options by what they are about."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from losscli.data.reading import FORMATS as INPUT_FORMATS
from losscli.report.formats import FORMATS


class Option(click.Option):
    """An option that belongs to a section of the help."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Command(click.Command):
    """A command whose help lists its options by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                section = getattr(parameter, "section", "Output")
                sections.setdefault(section, []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


class ReferenceType(click.ParamType):  # type: ignore[type-arg]
    """A reference to data; the shell completes the file."""

    name = "reference"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A name that is empty, as of a variable that is not set, is none."""
        if value == "":
            self.fail("the name is empty", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


class WordType(click.ParamType):  # type: ignore[type-arg]
    """One of some words, checked by whoever declared them; the shell completes them."""

    name = "word"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


def file_options() -> list[click.Parameter]:
    """How files are read, where what is in them does not say it."""
    return [
        Option(
            ["--input-format"],
            metavar="FORMAT",
            type=WordType(INPUT_FORMATS),
            section="Reading",
            help=f"What all files are: {', '.join(INPUT_FORMATS)}.  [default: by their content]",
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
        Option(
            ["--decimal"],
            metavar=".|,",
            type=WordType((".", ",")),
            default=".",
            section="Reading",
            help="The decimal mark of a CSV; with a comma, fields are separated by tabs, "
            "semicolons or bars.  [default: .]",
        ),
        Option(
            ["--comment"],
            metavar="PREFIX",
            section="Reading",
            help="Leave out the lines of a CSV that start with this, such as #.",
        ),
        Option(
            ["--null"],
            metavar="WORD[,WORD…]",
            default="",
            section="Reading",
            help="Words for missing values: in a CSV, besides no text at all, NA, N/A, n/a, #N/A, "
            "NULL, Null, null, None and <NA>; in JSON, besides null.",
        ),
    ]


def output_options(section: str = "Output") -> list[click.Parameter]:
    """`--format`, `--output`, `--force`, `--color` and `--traceback`, the same everywhere."""
    return [
        Option(
            ["--format", "-f", "format_"],
            type=click.Choice(FORMATS),
            section=section,
            help="How results are written. By default a table on a terminal and TSV in a pipe; "
            "a file's suffix decides for files. `value` is the bare number.",
        ),
        Option(
            ["--output", "-o"],
            metavar="FILE",
            type=ReferenceType(),
            section=section,
            help="Write to a file instead of standard output: .json, .jsonl, .csv, .tsv, .md, "
            ".tex, .txt, .parquet or .arrow.",
        ),
        Option(["--force"], is_flag=True, section=section, help="Replace files that exist."),
        Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            section=section,
            help="Colour the table: on a terminal (auto), always, or never. NO_COLOR is heeded.",
        ),
        Option(
            ["--traceback"],
            is_flag=True,
            expose_value=False,
            section=section,
            help="Show where in the program an error came from.",
        ),
    ]


def writing_options() -> list[click.Parameter]:
    """The options of where losses of rows and reduced values go."""
    return [
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


def running_options() -> list[click.Parameter]:
    """The options of how a computation runs."""
    from losscli.engine.backend import DEVICES, NAMES  # it loads NumPy, which help does without

    return [
        Option(
            ["--threads"],
            metavar="N",
            type=click.IntRange(min=1),
            section="Running",
            help="How many threads read and compute; the result has the same bits for any number.  "
            "[default: one a core]",
        ),
        Option(
            ["--profile"],
            is_flag=True,
            section="Running",
            help="Say on standard error how long each stage took, over all threads.",
        ),
        Option(
            ["--progress/--no-progress"],
            default=True,
            section="Running",
            help="Show a bar on standard error, when that is a terminal and it takes over a "
            "second.  [default: on]",
        ),
        Option(
            ["--backend"],
            type=click.Choice(NAMES),
            default="auto",
            section="Running",
            help="The library that computes; auto is NumPy unless the device is a GPU.  "
            "[default: auto]",
        ),
        Option(
            ["--device"],
            type=click.Choice(DEVICES),
            default="cpu",
            section="Running",
            help="Where torch computes.  [default: cpu]",
        ),
    ]


def sentence(text: str) -> str:
    """A text as a sentence; a symbol it starts with keeps its case."""
    if not text:
        return ""
    first = text.split(" ", 1)[0]
    start = text[:1].upper() if first.isascii() and first.isalpha() else text[:1]
    return f"{start}{text[1:].rstrip('.')}."
