"""Cells with bytes that are not UTF-8, kept as lone surrogates, and what they were probably meant as."""

from typing import Final

LIKELY_ENCODING: Final = "windows-1252"
"""What nearly every export is in that is not UTF-8, Excel's own CSV among them."""


def is_foreign(cell: str) -> bool:
    """Whether a cell holds bytes that are not UTF-8, as lone surrogates."""
    if cell.isascii():
        return False
    try:
        cell.encode()
    except UnicodeEncodeError:
        return True
    return False


def meant(cell: str) -> str:
    """A cell as it was probably meant, where it holds bytes that are not UTF-8; else, and where none can be, itself."""
    if not is_foreign(cell):
        return cell
    try:
        return cell.encode("utf-8", "surrogateescape").decode(LIKELY_ENCODING)
    except UnicodeError:
        return cell
