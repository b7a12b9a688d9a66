"""The header that `lifecycle import` gives each interaction: of which import it is, and which row.

`lifecycle_import: <name>:<time>:<row>`. The name is of printable ASCII without colons and spaces, up to MAX_NAME
characters. The time is that of the interaction as it was written, epoch milliseconds, where the import is sorted by
time, else 0; the row is the number of the line in the file. Within one import both together only ascend.
"""

import re
from collections.abc import Sequence
from typing import Final

from xxhash import xxh3_64_digest

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.core.interaction import MAX_TIME, MIN_TIME, ImportedRow

HEADER: Final = "lifecycle_import"
MAX_NAME: Final = 64
MAX_ROW: Final = 2**53
_LONGEST: Final = MAX_NAME + 34
_NAME: Final = re.compile(rf"[!-9;-~]{{1,{MAX_NAME}}}")
_WRONG: Final = "the header lifecycle_import is <name>:<time in epoch ms>:<row>, as `lifecycle import` writes it"


def is_name(text: str) -> bool:
    """Whether this can be the name of an import."""
    return _NAME.fullmatch(text) is not None


def encode_row(name: str, time: int, number: int) -> bytes:
    """The header's value."""
    return f"{name}:{time}:{number}".encode()


def row_of(headers: Sequence[tuple[str, bytes | None]]) -> ImportedRow | Rejected | None:
    """Which row of which import a record is; None where it is of none. A header of Kafka may have no value.

    A replay of a dead letter comes without the header: it stands behind rows that it would have to stand before.
    """
    for name, value in headers:
        if name == HEADER:
            return _read(value or b"")
    return None


def _read(value: bytes) -> ImportedRow | Rejected:
    parts = value.split(b":") if len(value) <= _LONGEST else []
    if len(parts) == 3 and parts[0] and parts[1].removeprefix(b"-").isdigit() and parts[2].isdigit():
        time, number = int(parts[1]), int(parts[2])
        if MIN_TIME <= time <= MAX_TIME and number <= MAX_ROW:
            return ImportedRow(xxh3_64_digest(parts[0]), time, number)
    return Rejected(Reason.BAD_SHAPE, _WRONG)
