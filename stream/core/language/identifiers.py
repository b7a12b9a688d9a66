"""Names that a lifecycle gives to what it measures, and that conditions may use."""

import re
from typing import Final

from stream.core.language.document import DocumentReader, Entry
from stream.core.language.parser import RESERVED

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def check_identifier(reader: DocumentReader, entry: Entry, name: str) -> None:
    """Note a problem where the name of a score, ledger, signal or fact is none."""
    if not _IDENTIFIER.fullmatch(name):
        reader.problem(entry, f"{name!r} is not a name: a to z, A to Z, 0 to 9 and _, a letter first", on_key=True)
    elif name in RESERVED:
        reader.problem(entry, f"{name!r} has a meaning in conditions already; choose another name", on_key=True)
