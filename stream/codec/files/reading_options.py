"""What has to be said of files that do not say it themselves."""

from dataclasses import dataclass, field
from typing import Final

from stream.codec.files.notation import PLAIN, Notation
from stream.errors import InputFileError


@dataclass(frozen=True)
class ReadingOptions:
    """How the files of one run are read. `InputFileError`: no text encoding has this name."""

    notation: Notation = field(default=PLAIN)
    encoding: str | None = None
    """Name of a text encoding, as Python knows them; None: UTF-8."""
    sheet: str | None = None
    """Which sheet of a workbook is read; None: its only one."""

    def __post_init__(self) -> None:
        if self.encoding is None:
            return
        try:
            _ = b"".decode(self.encoding)
            _ = "".encode(self.encoding)
        except (LookupError, ValueError, UnicodeError) as error:
            raise InputFileError(
                f"no text encoding is called {self.encoding!r}; right is for example windows-1252, utf-16 or latin-1"
            ) from error

    @property
    def identity(self) -> list[object]:
        """All that decides what rows say, for the name of an import; empty where nothing was said."""
        if self == FROM_THE_FILE:
            return []
        notation = self.notation
        return [
            [notation.decimal, notation.thousands, sorted(notation.currencies)],
            [list(notation.time_formats), notation.time_zone],
            [self.encoding, self.sheet],
        ]


FROM_THE_FILE: Final = ReadingOptions()
"""Nothing was said."""
