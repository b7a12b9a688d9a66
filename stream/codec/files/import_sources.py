"""What an import reads, and the names under which its rows are known when it is repeated.

Each file is an import of its own, so that it does not matter which files are given together. Where there are more than
a customer remembers, all of them together are one.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import orjson
from xxhash import xxh3_64, xxh3_64_hexdigest

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import Reading
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.input_files import read_interactions
from stream.codec.files.reading_options import FROM_THE_FILE, ReadingOptions
from stream.codec.files.rejected_rows import RejectedRows
from stream.codec.files.survey import Survey
from stream.codec.import_rows import is_name
from stream.codec.interactions import DEFAULT_READING
from stream.core.imported import REMEMBERED
from stream.core.interaction import ImportedRow, Interaction
from stream.errors import InputFileError

MAX_GIVEN: Final = 40
"""Characters of a name that somebody chose; what is put behind it leaves it a name."""


class Sources:
    """The files of one import, in their order."""

    def __init__(
        self,
        files: Sequence[str],
        mapping: ColumnMapping | None,
        reading: Reading,
        *,
        as_is: bool,
        name: str | None,
        options: ReadingOptions = FROM_THE_FILE,
        survey: Survey | None = None,
        rejected: RejectedRows | None = None,
    ) -> None:
        """`survey` and `rejected` are as for `read_interactions`.

        `as_is`: the interactions are sent in this order, not in that of their times.

        `InputFileError`: the name that is given cannot be one, or a file cannot be read.
        """
        if name is not None and not (is_name(name) and len(name) <= MAX_GIVEN):
            raise InputFileError(
                f"an import cannot be named {name!r}: right is up to {MAX_GIVEN} letters, digits and signs, "
                "without space and colon, such as orders-2025"
            )
        self._files = files
        self._mapping = mapping
        self._reading = reading
        self._options = options
        self._survey = survey
        self._rejected = rejected
        self._as_is = as_is
        self._given = name
        self._together = len(files) > REMEMBERED
        self.flaws: dict[str, int] = {}
        """What could not be used of records that were taken, by its name in `FLAWS`."""
        self._digests: list[bytes | None] = []
        if as_is and name is None:  # they are sent while they are read
            self._digests = [content_hash(file) for file in files]

    @property
    def names(self) -> list[str | None]:
        """By the `source` of a row; None: rows of this file are not known again.

        Complete once all files were read; for `as_is` from the beginning.
        """
        count = 1 if self._together else len(self._files)
        if self._given is not None:
            end = ".as-is" if self._as_is else ""
            return [f"{self._given}{f'.{number}' if number > 1 else ''}{end}" for number in range(1, count + 1)]
        if self._together:
            whole = None if None in self._digests else b"".join(each or b"" for each in self._digests)
            return [self._name(whole)]
        return [self._name(each) for each in self._digests]

    def _name(self, content: bytes | None) -> str | None:
        """Names what decides which rows there are, and in which order: the same rows have the same name."""
        if content is None:
            return None
        order = "as-is" if self._as_is else "by time"
        return name_of(content, self._mapping, order, self._options, self._reading)

    def read(self) -> Iterator[tuple[str, int, Interaction | Rejected]]:
        """Every record with its file and line; an interaction has its row, whose `source` is a place in `names`."""
        before = 0
        for place, file in enumerate(self._files):
            digest = None if self._as_is or self._given is not None else xxh3_64()
            source = (0 if self._together else place).to_bytes(4, "big")
            line = 0
            records = read_interactions(
                file,
                mapping=self._mapping,
                reading=self._reading,
                digest=digest,
                options=self._options,
                survey=self._survey,
                rejected=self._rejected,
                flaws=self.flaws,
            )
            for line, record in records:
                if not isinstance(record, Rejected):
                    record.row = ImportedRow(source, 0 if self._as_is else record.time, before + line)
                yield file, line, record
            if self._together:
                before += line
            if digest is not None:
                self._digests.append(digest.digest())


def name_of(
    content: bytes,
    mapping: ColumnMapping | None,
    order: str,
    options: ReadingOptions = FROM_THE_FILE,
    reading: Reading = DEFAULT_READING,
) -> str:
    """The name of an import of this content: 16 hexadecimal digits.

    Options that say how numbers or times are written are part of it as the mapping is: other rows come of them. So are
    the settings `ids`, by which they have other customers, and `earliest_time`, by which others are rejected. What was
    left as it is by itself is no part, so that names of earlier releases stay.
    """
    pairs = sorted(tuple(pair) for pair in mapping.pairs) if mapping is not None else []
    parts: list[object] = [order, pairs]
    said = options.identity
    settings = [reading.ids, reading.earliest_time]
    if settings != [DEFAULT_READING.ids, DEFAULT_READING.earliest_time]:
        parts += [said, settings]
    elif said:
        parts.append(said)
    return xxh3_64_hexdigest(content + orjson.dumps(parts))
