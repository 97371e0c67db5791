"""Text of others, made harmless where it is shown, printed or opened."""

#: what makes a spreadsheet take a cell for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def inert(text: str, keep: str = "") -> str:
    """Text with its control characters spelled out: a file must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def encoded(text: str) -> bytes:
    """Text as UTF-8; the bytes of a file's name that are no text are spelled out."""
    return text.encode(errors="backslashreplace")


def unformulated(text: str) -> str:
    """A text as a cell of CSV or TSV that no spreadsheet runs: an apostrophe marks it as text.

    Numbers stay as they are, whatever their sign.
    """
    if not text.startswith(_FORMULA) or len(text) == 1:
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text
