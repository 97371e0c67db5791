"""Small tables of records as text, in every format."""

import math
import os
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from losscli.errors import UsageError
from losscli.report.inert import inert, unformulated

FORMATS = ("table", "tsv", "csv", "json", "jsonl", "markdown", "latex", "value")
SUFFIXES = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".tex": "latex",
    ".txt": "value",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
Record = dict[str, Any]


def by_suffix(path: str) -> str:
    """The format that a file's name asks for."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{path}: no format has the suffix '{suffix}'", f"one of {', '.join(SUFFIXES)}"
        )
    return SUFFIXES[suffix]


def cell(value: Any) -> str:
    """A value as text that reads back as the same value; nothing where there is none."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def sheet_cell(value: Any) -> str:
    """A cell of CSV or TSV, which a spreadsheet may open: a text is never a formula."""
    return unformulated(value) if isinstance(value, str) else cell(value)


def plain(value: Any) -> Any:
    """A value as JSON can carry it: what is not finite becomes the word for it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def dumps(document: Any, indent: int | None = None) -> str:
    """JSON, with every digit and no escapes of letters that are not ASCII."""
    import json

    return json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=indent)


def render(records: Sequence[Record], kind: str, document: Any = None) -> str:
    """Records as text in a format; `document` is what JSON shows when it has more to say."""
    if kind == "json":
        return dumps(list(records) if document is None else document, indent=2) + "\n"
    if kind == "jsonl":
        return "".join(dumps(record) + "\n" for record in records)
    if kind == "value":
        return "".join(cell(_value(record)) + "\n" for record in records)
    if kind in ("tsv", "csv"):
        return _delimited(records, "\t" if kind == "tsv" else ",")
    if kind == "markdown":
        return _markdown(records)
    if kind == "latex":
        return _latex(records)
    raise UsageError(f"no text format '{kind}'", f"one of {', '.join(FORMATS)}")


def _value(record: Record) -> Any:
    return record["value"] if "value" in record else next(iter(record.values()))


def _header(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def _delimited(records: Sequence[Record], delimiter: str) -> str:
    header = _header(records)
    return delimited([header, *([r.get(key) for key in header] for r in records)], delimiter)


def delimited(rows: Iterable[Sequence[Any]], delimiter: str) -> str:
    """Rows as CSV or TSV, a line each."""
    import csv

    lines: list[str] = []
    # What may end a line is quoted, of which the writer knows by the end that it writes.
    out: Any = SimpleNamespace(write=lines.append)
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(
        map(sheet_cell, row) for row in rows
    )
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


def _markdown(records: Sequence[Record]) -> str:
    header = _header(records)
    rows = [[inert(cell(r.get(key))).replace("|", r"\|") for key in header] for r in records]
    numeric = [all(isinstance(r.get(k), (int, float)) for r in records) for k in header]
    widths = [max(len(row[i]) for row in [header, *rows, ["---"] * len(header)])
              for i in range(len(header))]  # fmt: skip
    rule = ["-" * (w - 1) + ":" if n else "-" * w for w, n in zip(widths, numeric, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True)
        ]
        return f"| {' | '.join(padded)} |\n"

    return "".join(map(line, [header, rule, *rows]))


_LATEX = str.maketrans(
    {c: "\\" + c for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


def _latex(records: Sequence[Record]) -> str:
    header = _header(records)
    numeric = [all(isinstance(r.get(k), (int, float)) for r in records) for k in header]
    columns = "".join("r" if n else "l" for n in numeric)
    lines = [f"\\begin{{tabular}}{{{columns}}}", r"\hline"]
    lines.append(" & ".join(key.translate(_LATEX) for key in header) + r" \\ \hline")
    lines += [
        " & ".join(cell(record.get(key)).translate(_LATEX) for key in header) + r" \\"
        for record in records
    ]
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"
