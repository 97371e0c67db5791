"""How files are read, when what is in them does not say it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from losscli.errors import UsageError
from losscli.threads import cores

#: what `--input-format` takes
FORMATS = ("csv", "tsv", "jsonl", "parquet", "arrow", "npy", "npz", "safetensors")


@dataclass(frozen=True)
class ReadOptions:
    """How files are read. All but the format and the words for missing values is about CSV."""

    delimiter: str | None = None
    header: bool | None = None
    #: words that are labels, and so may be the first row of a file without a header
    labels: tuple[str, ...] = ()
    #: one of FORMATS, or None to go by the content
    format: str | None = None
    #: what lines that are left out start with
    comment: str | None = None
    #: words for missing values, besides the usual ones
    null: tuple[str, ...] = ()
    decimal: str = "."
    #: threads that read, and compute what they read
    threads: int = field(default_factory=cores)


def read_options(
    delimiter: str | None, header: bool | None, labels: tuple[str, ...], input_format: str | None,
    comment: str | None, null: str | Sequence[str], decimal: str, threads: int | None,
) -> ReadOptions:  # fmt: skip
    """The options as they were given, checked."""
    if delimiter is not None:
        delimiter = {r"\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
            raise UsageError(
                f"--delimiter: expected one character of ASCII, got '{delimiter}'",
                "such as ';' or tab",
            )
    if input_format is not None and input_format not in FORMATS:
        raise UsageError(
            f"--input-format: expected one of {', '.join(FORMATS)}, got '{input_format}'"
        )
    if comment is not None and (not comment or set(comment) & set('"\r\n')):
        raise UsageError(
            f"--comment: expected what lines of comment start with, got {comment!r}", "such as '#'"
        )
    if decimal not in (".", ","):
        raise UsageError(f"--decimal: expected . or a comma, got '{decimal}'")
    if decimal == delimiter:
        raise UsageError("--decimal and --delimiter are one character, and cannot be told apart")
    words = null.split(",") if isinstance(null, str) else [str(word) for word in null]
    words = [word.strip() for word in words]
    return ReadOptions(
        delimiter,
        header,
        labels,
        input_format,
        comment,
        tuple(filter(None, words)),
        decimal,
        threads or cores(),
    )
