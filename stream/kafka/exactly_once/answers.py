"""What brokers answer to the requests of a transaction, read field by field.

Raises KafkaError where an answer ends too early or too late, or names what was not asked for.
"""

import struct
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError, ProducerFenced, for_code

from stream.kafka.exactly_once.requests import Place

DONE: Final = 0
UNKNOWN_PARTITION: Final = 3
"""To this broker: it led it before, or has not heard of it yet."""
NO_LEADER: Final = 5
NOT_LEADER: Final = 6
COORDINATOR_LOADS: Final = 14
COORDINATOR_AWAY: Final = 15
NOT_COORDINATOR: Final = 16
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


What = Place | str
"""What is asked for: of a partition, or of what these words name."""
Outcomes = dict[What, Outcome]
Hindered = dict[What, int]
"""What could not be done yet, with the error."""


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


def of_commit_offset(answer: bytes, place: Place, what: str) -> Outcomes:
    """Of the one partition that is asked for, whose offset is `what`."""
    outcomes = of_add_partitions(answer)  # the two are alike
    return {what if each == place else each: outcome for each, outcome in outcomes.items()}


def of_add_offsets(answer: bytes, what: str) -> Outcomes:
    """Of all of it, which is `what`."""
    fields = _Fields(answer)
    fields.take(_THROTTLE)
    outcomes: Outcomes = {what: Outcome(fields.int16())}
    fields.end()
    return outcomes


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


def hindered(outcomes: Outcomes, asked: Collection[What], again: Collection[int]) -> Hindered:
    """What is to be asked for again, since its error is one of `again`, or another was refused with it.

    Raises KafkaError where something else failed, or the broker speaks of something else.
    """
    if outcomes.keys() != set(asked):
        said, wanted = (", ".join(sorted(map(_named, each))) for each in (outcomes, asked))
        raise KafkaError(f"a broker answered for {said or 'nothing'} where it was asked for {wanted}")
    hindered, failed = Hindered(), list[What]()
    for what, (code, _) in outcomes.items():
        if code in again or code == NOT_ATTEMPTED:
            hindered[what] = code
        elif code != DONE:
            failed.append(what)
    if failed:
        worst = min(failed, key=lambda what: outcomes[what].code not in _RIVAL)  # which explains whatever else failed
        raise error_of(worst, *outcomes[worst])
    return hindered


def hindrance(hindered: Mapping[What, int]) -> KafkaError:
    """The error, where it cannot be asked for again any more."""
    what = min(hindered, key=lambda what: hindered[what] == NOT_ATTEMPTED)  # which explains nothing
    return error_of(what, hindered[what])


def error_of(what: What, code: int, words: str = "") -> KafkaError:
    """The error that a broker means; ProducerFenced where somebody came later with the same id."""
    if code in _RIVAL:
        return ProducerFenced()
    return for_code(code)(f"{_named(what)}: {words or f'error {code}'}")


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


def _named(what: What) -> str:
    return what if isinstance(what, str) else f"{what[0]}, partition {what[1]}"


def _note(outcomes: Outcomes, place: Place, outcome: Outcome) -> None:
    if place in outcomes:
        raise KafkaError(f"a broker answered twice for partition {place[1]} of {place[0]}")
    outcomes[place] = outcome
