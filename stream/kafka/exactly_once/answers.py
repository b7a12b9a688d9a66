"""What brokers answer to the requests of a transaction, read field by field.

Raises KafkaError where an answer ends too early or too late, or names what was not asked for.
"""

import struct
from collections.abc import Collection
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError, ProducerFenced, for_code

from stream.kafka.exactly_once.requests import Place

DONE: Final = 0
COORDINATOR_LOADS: Final = 14
COORDINATOR_AWAY: Final = 15
NOT_ENOUGH_REPLICAS: Final = 19
EARLIER_EPOCH: Final = 47
CONCURRENT: Final = 51
"""The transaction before is being ended still, or another request of this one is at work."""
NOT_ATTEMPTED: Final = 55
"""Of this partition, since another one was refused."""
FENCED: Final = 90
_RIVAL: Final = (EARLIER_EPOCH, FENCED)

_THROTTLE: Final = 4
_LONG: Final = 8
_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")


class Outcome(NamedTuple):
    """Of one partition."""

    code: int
    words: str = ""
    """What the broker says of it."""


Outcomes = dict[Place, Outcome]


def of_add_partitions(answer: bytes) -> Outcomes:
    """By partition."""
    fields, outcomes = _Fields(answer), Outcomes()
    fields.take(_THROTTLE)
    for _ in range(fields.int32()):
        topic = fields.text()
        for _ in range(fields.int32()):
            _note(outcomes, (topic, fields.int32()), Outcome(fields.int16()))
    fields.end()
    return outcomes


of_commit_offset: Final = of_add_partitions
"""The two are alike."""


def of_add_offsets(answer: bytes) -> int:
    """The error, or DONE."""
    fields = _Fields(answer)
    fields.take(_THROTTLE)
    code = fields.int16()
    fields.end()
    return code


of_end: Final = of_add_offsets
"""The two are alike."""


def of_produce(answer: bytes, version: int) -> Outcomes:
    """By partition."""
    fields, outcomes = _Fields(answer), Outcomes()
    for _ in range(fields.int32()):
        topic = fields.text()
        for _ in range(fields.int32()):
            partition, code, words = fields.int32(), fields.int16(), ""
            fields.take(2 * _LONG if version < 5 else 3 * _LONG)  # offset, time of appending, where the log begins
            if version >= 8:
                for _ in range(fields.int32()):  # of single records
                    fields.int32()
                    fields.text()
                words = fields.text()
            _note(outcomes, (topic, partition), Outcome(code, words))
    fields.take(_THROTTLE)
    fields.end()
    return outcomes


def require(outcomes: Outcomes, asked: Collection[Place]) -> None:
    """Raise unless all that was asked for was done, and nothing else."""
    if outcomes.keys() != set(asked):
        raise KafkaError(f"a broker answered for {sorted(outcomes)} where it was asked for {sorted(asked)}")
    failed = {place: outcome for place, outcome in outcomes.items() if outcome.code != DONE}
    if failed:
        # A rival explains whatever else failed, and what was not tried explains nothing.
        worst = min(failed, key=lambda place: (failed[place].code not in _RIVAL, failed[place].code == NOT_ATTEMPTED))
        raise error_of(failed[worst].code, f"{worst[0]}, partition {worst[1]}", failed[worst].words)


def error_of(code: int, of: str, words: str = "") -> KafkaError:
    """The error that a broker means; ProducerFenced where somebody came later with the same id."""
    if code in _RIVAL:
        return ProducerFenced()
    return for_code(code)(f"{of}: {words or f'error {code}'}")


class _Fields:
    """An answer, read from its begin to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int16(self) -> int:
        return self._number(_SHORT)

    def int32(self) -> int:
        return self._number(_INT)

    def text(self) -> str:
        """Empty where there is none."""
        size = self._number(_SHORT)
        return self.take(size).decode("utf-8", "replace") if size >= 0 else ""

    def take(self, size: int) -> bytes:
        begin, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise KafkaError("an answer of a broker ends too early")
        return self._data[begin : self._at]

    def end(self) -> None:
        if self._at != len(self._data):
            raise KafkaError("an answer of a broker is longer than it says")

    def _number(self, form: struct.Struct) -> int:
        (number,) = form.unpack(self.take(form.size))
        return int(number)


def _note(outcomes: Outcomes, place: Place, outcome: Outcome) -> None:
    if place in outcomes:
        raise KafkaError(f"a broker answered twice for partition {place[1]} of {place[0]}")
    outcomes[place] = outcome
