"""Objects of JSON as interactions: lines, or the elements of a list."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import orjson

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.files.column_mapping import NESTED_TARGETS, ColumnMapping
from stream.codec.files.notation import NotATime
from stream.codec.files.rejected_rows import RECORD
from stream.codec.files.source_file import Record, SourceFile
from stream.codec.files.survey import ColumnsSeen
from stream.codec.files.text_lines import Lines, LineTooLongError
from stream.codec.json_objects import JsonReader
from stream.codec.refusal import Refusal
from stream.core.interaction import Interaction
from stream.core.times import parse_time

_TIMES: Final = ("time", "timestamp", "originalTimestamp")
"""Where the native and the Segment format have the time of an interaction."""
_IDS: Final = ("customer_id", "anonymous_id", "id", "userId", "anonymousId", "messageId")
_PROPERTIES: Final = ("properties", "context", "traits")


def json_lines(lines: Lines) -> Iterator[tuple[int, bytes | Rejected]]:
    """Each line that is not empty, with its number."""
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except LineTooLongError as error:
            yield lines.number, Rejected(Reason.TOO_LARGE, f"the line is {error}")
            continue
        if not line.isspace():
            yield lines.number, line


def json_records(texts: Iterable[tuple[int, bytes | Rejected]], source: SourceFile) -> Iterator[Record]:
    """Yield the interaction of each text, or why it is none."""
    objects = _Objects(source)
    for line, text in texts:
        record = text if isinstance(text, Rejected) else objects.record(line, text)
        if isinstance(record, Rejected):
            raw = text.rstrip(b"\r\n").decode("utf-8", "surrogateescape") if isinstance(text, bytes) else ""
            source.refuse(line, record, RECORD, (raw,))
        yield line, record


class _Objects:
    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._flaws: dict[str, int] = {}
        self._json = JsonReader(self._flaws)
        self._seen = ColumnsSeen(source.survey)
        self._as_it_is = source.mapping is None and source.notation.plain
        for place, pair in enumerate(source.mapping.pairs if source.mapping is not None else ()):
            if pair.constant is None:
                self._seen.add(place, pair.target, pair.column)

    def record(self, line: int, text: bytes) -> Interaction | Rejected:
        source = self._source
        if self._as_it_is:
            record = source.decode(text)
            if isinstance(record, Rejected) and record.reason is Reason.BAD_TIME:
                self._note_times(line, text)
            return record
        self._flaws.clear()
        try:
            item = self._json.loads(text)
        except Refusal:
            return source.decode(text)  # which says why
        if not isinstance(item, dict):
            return source.decode(text)
        try:
            native = self._native(item) if source.mapping is None else self._mapped(line, item, source.mapping)
            if any(isinstance(native.get(key), float) for key in _IDS):
                self._keep_digits(native, text)
            record = source.decode(orjson.dumps(native))
        except NotATime as error:
            return Rejected(Reason.BAD_TIME, str(error))
        except orjson.JSONEncodeError as error:
            # What came from JSON can be written as JSON, but not as deep as it can be read.
            return Rejected(Reason.TOO_DEEP, str(error))
        if not isinstance(record, Rejected):
            source.count(self._flaws)
        return record

    def _keep_digits(self, native: dict[str, object], text: bytes) -> None:
        """Ids of more digits than 64 bits hold, as they stand in the text."""
        self._json.keeps_digits = True
        exact = self._json.loads(text)
        self._json.keeps_digits = False
        assert isinstance(exact, dict)  # as it was before
        mapping = self._source.mapping
        if mapping is None:
            native.update({key: exact[key] for key in _IDS if key in exact})
            return
        for pair in mapping.pairs:
            if pair.target[0] in _IDS and (found := pair.found_in(exact)) is not None:
                native[pair.target[0]] = found

    def _mapped(self, line: int, item: dict[str, object], mapping: ColumnMapping) -> dict[str, object]:
        notation, where = self._source.notation, self._source.where
        values: list[object] = []
        failed: NotATime | None = None
        for place, pair in enumerate(mapping.pairs):
            found = pair.found_in(item)
            if not isinstance(found, str) or pair.constant is not None:
                values.append(found)
                if place in self._seen.numbers and isinstance(found, int | float):
                    self._seen.numbers[place].number("")
                continue
            if place in self._seen.times:
                times = self._seen.times[place]
                try:
                    time = notation.time(found)
                except NotATime as error:
                    time, failed = found, error
                if failed is not None or parse_time(time) is None:
                    times.text(found, where, line)
                else:
                    self._source.survey.read += 1
                values.append(time)
                continue
            value = notation.value(found) if notation.says_numbers and pair.target[0] in NESTED_TARGETS else found
            if place in self._seen.numbers and isinstance(value, str):
                self._note_number(place, value, line)
            values.append(value)
        if failed is not None:
            raise failed
        return mapping.record(values)

    def _note_number(self, place: int, text: str, line: int) -> None:
        """Text that is exactly a number of JSON counts as that number, here as on the topic."""
        column = self._seen.numbers[place]
        try:
            number: object = orjson.loads(text)
        except orjson.JSONDecodeError:
            number = None
        if isinstance(number, int | float) and not isinstance(number, bool):
            column.number(text)
        else:
            column.text(text, self._source.where, line)

    def _native(self, item: dict[str, object]) -> dict[str, object]:
        """The same object, with times and numbers in text read as the notation says."""
        notation = self._source.notation
        for key in _TIMES:
            if isinstance(text := item.get(key), str):
                item[key] = notation.time(text)
        if notation.says_numbers:
            for key in _PROPERTIES:
                if isinstance(inner := item.get(key), Mapping):
                    item[key] = {
                        name: notation.value(value) if isinstance(value, str) else value
                        for name, value in inner.items()
                    }
        return item

    def _note_times(self, line: int, text: bytes) -> None:
        item = orjson.loads(text)  # it was an object, or there would be another reason
        for key in _TIMES:
            if isinstance(found := item.get(key), str) and parse_time(found) is None:
                self._source.survey.time_column(key).text(found, self._source.where, line)
