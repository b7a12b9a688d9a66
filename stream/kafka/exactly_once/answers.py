"""What brokers answer to the requests of a transaction, read field by field.

Raises KafkaError where an answer ends too early or too late, or names what was not asked for.
"""

import struct
from collections.abc import Collection, Mapping
from typing import Final

from aiokafka.errors import KafkaError, ProducerFenced, for_code

from stream.kafka.exactly_once.requests import Place

NO_ERROR: Final = 0
COORDINATOR_LOADS: Final = 14
COORDINATOR_AWAY: Final = 15
NOT_COORDINATOR: Final = 16
EARLIER_EPOCH: Final = 47
CONCURRENT: Final = 51
"""The transaction before is being ended still, or another request of this one is at work."""
NOT_ATTEMPTED: Final = 55
"""Of this partition, since another one was refused."""
FENCED: Final = 90
_THROTTLE: Final = 4
_LONG: Final = 8
_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")


class _Fields:
    """An answer, read from its begin to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int16(self) -> int:
        return self._number(_SHORT)

    def int32(self) -> int:
        return self._number(_INT)

    def text(self) -> str | None:
        size = self._number(_SHORT)
        if size < 0:
            return None
        return self.take(size).decode("utf-8", "replace")

    def take(self, size: int) -> bytes:
        begin, self._at = self._at, self._at + size
        if size < 0 or self._at > len(self._data):
            raise KafkaError("an answer of a broker ends too early")
        return self._data[begin : self._at]

    def end(self) -> None:
        if self._at != len(self._data):
            raise KafkaError("an answer of a broker is longer than it says")

    def _number(self, form: struct.Struct) -> int:
        if self._at + form.size > len(self._data):
            raise KafkaError("an answer of a broker ends too early")
        (number,) = form.unpack_from(self._data, self._at)
        self._at += form.size
        return int(number)


def of_add_partitions(answer: bytes) -> dict[Place, int]:
    """The error of each partition."""
    fields = _Fields(answer)
    fields.take(_THROTTLE)
    return _of_partitions(fields)


def of_add_offsets(answer: bytes) -> int:
    """The error."""
    return _throttled_error(answer)


def of_commit_offset(answer: bytes) -> dict[Place, int]:
    """The error of each partition."""
    return of_add_partitions(answer)


def of_end(answer: bytes) -> int:
    """The error."""
    return _throttled_error(answer)


def of_produce(answer: bytes, version: int) -> tuple[dict[Place, int], dict[Place, str]]:
    """The error of each partition, and what the broker says of those that it has words for."""
    fields, codes, words = _Fields(answer), dict[Place, int](), dict[Place, str]()
    for _ in range(fields.int32()):
        topic = fields.text()
        for _ in range(fields.int32()):
            place = topic or "", fields.int32()
            _note(codes, place, fields.int16())
            fields.take(2 * _LONG if version < 5 else 3 * _LONG)  # base offset, time of appending, begin of the log
            if version >= 8:
                for _ in range(fields.int32()):
                    fields.int32()
                    fields.text()
                said = fields.text()
                if said:
                    words[place] = said
    fields.take(_THROTTLE)
    fields.end()
    return codes, words


def require(codes: Mapping[Place, int], asked: Collection[Place], words: Mapping[Place, str] | None = None) -> None:
    """Raise unless all that was asked for was done, and nothing else."""
    if codes.keys() != set(asked):
        raise KafkaError(f"a broker answered for {sorted(codes)} where it was asked for {sorted(asked)}")
    failed = {place: code for place, code in codes.items() if code != NO_ERROR}
    if failed:
        # A rival explains whatever else failed, and what was not tried explains nothing.
        place = min(
            failed, key=lambda each: (failed[each] not in (EARLIER_EPOCH, FENCED), failed[each] == NOT_ATTEMPTED)
        )
        raise error_of(failed[place], f"{place[0]}, partition {place[1]}", (words or {}).get(place, ""))


def error_of(code: int, of: str, words: str = "") -> KafkaError:
    """The error that a broker means, for our error policy; who came later with the same id is always ProducerFenced."""
    if code in (EARLIER_EPOCH, FENCED):
        return ProducerFenced()
    return for_code(code)(f"{of}: {words or f'error {code}'}")


def _of_partitions(fields: _Fields) -> dict[Place, int]:
    codes: dict[Place, int] = {}
    for _ in range(fields.int32()):
        topic = fields.text()
        for _ in range(fields.int32()):
            place = topic or "", fields.int32()
            _note(codes, place, fields.int16())
    fields.end()
    return codes


def _note(codes: dict[Place, int], place: Place, code: int) -> None:
    if place in codes:
        raise KafkaError(f"a broker answered twice for partition {place[1]} of {place[0]}")
    codes[place] = code


def _throttled_error(answer: bytes) -> int:
    fields = _Fields(answer)
    fields.take(_THROTTLE)
    code = fields.int16()
    fields.end()
    return code
