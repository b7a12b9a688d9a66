"""Answers of lookups, held against what is committed, what was published, and the oracle.

An answer names the offset up to which it is right. It must be what the partition's owner had committed there: the
changelog, as it was written, says what that was, transaction by transaction. Only of a customer whom a transaction
leaves as it was may an answer name its end before it is committed, and if it never is. No answer is older than what a
subscriber had read when the question was asked. Each stage in it must be the one into which the published changes lead
at that offset. With clock `stream` the customer at an offset is a function of the records, so that it must be the
oracle's, too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from stream.codec.explanations import customer_data
from stream.codec.stage_changes import current_key_of
from stream.codec.state import positions
from stream.codec.state.keys import ANONYMOUS, CUSTOMER
from stream.codec.state.positions import Position, decode_position
from stream.core.explain import explain
from stream.kafka.partitioner import partition_of
from tests.faults.askers import Asked
from tests.faults.oracle import Place
from tests.faults.stints import Versions
from tests.kit.topics import Records

_SHOWN = 400
_SLACK_MS = 1_000
"""By which clocks of one machine may seem to differ."""
Changes = Mapping[str, Sequence[Mapping[str, Any]]]
"""Values of stage changes in the order in which they were published, by key of the topic of current stages."""


@dataclass
class Committed:
    """One partition of the changelog: the position of each transaction, and what it wrote of which customer."""

    applied: list[int] = field(default_factory=list)
    """By transaction: so many records of the source were applied. Never descending."""
    positions: list[Position] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    """By transaction: when its position was written, epoch milliseconds."""
    history: dict[bytes, list[tuple[int, bytes | None]]] = field(default_factory=dict)
    """By customer: in which transactions it was written, and as what."""

    def value(self, key: bytes, transaction: int) -> bytes | None:
        """A customer's record after a transaction."""
        history = self.history.get(key, [])
        at = bisect_right(history, transaction, key=lambda each: each[0])
        return history[at - 1][1] if at else None

    def writes(self, key: bytes, transaction: int) -> bool:
        """Whether a transaction wrote a customer."""
        return any(at == transaction for at, _ in self.history.get(key, ()))


class Answers:
    """Judges answers of one run."""

    def __init__(
        self, versions: Versions, topic: str, source: Records, changelog: Records, published: Changes, *, by_wall: bool
    ) -> None:
        self._versions, self._topic, self._published, self._by_wall = versions, topic, published, by_wall
        self._offsets = {number: [each.offset for each in records] for number, records in source.items()}
        self._committed = {number: self._read(number, records) for number, records in changelog.items()}
        written = (each.lifecycles for committed in self._committed.values() for each in committed.positions)
        self._lifecycles = list({tuple(each.items()): each for each in written}.values())
        """Digests by lifecycle, of each version of the run."""
        self.committed: dict[Place, set[bytes]] = {}
        """What answers were found to be, by place: the oracle must have the same there."""

    def _read(self, number: int, records: Iterable[Any]) -> Committed:
        found = Committed()
        for record in records:
            if record.key == positions.KEY:
                position = decode_position(record.value)
                found.positions.append(position)
                found.applied.append(bisect_left(self._offsets[number], position.offsets[self._topic]))
                found.written.append(record.timestamp)
            elif record.key[:1] in (CUSTOMER, ANONYMOUS):
                found.history.setdefault(record.key, []).append((len(found.positions), record.value))
        return found

    def judge(self, asked: Asked) -> str | None:
        """What is wrong with an answer; None: nothing."""
        wrong = self._wrong_without(asked) if asked.status == 404 else self._wrong_with(asked, orjson.loads(asked.body))
        return None if wrong is None else f"{asked.worker} answered {asked.status} of {asked.key!r}: {wrong}"

    def _wrong_without(self, asked: Asked) -> str | None:
        """A customer whom nobody knows must not have been there ever since the question was asked."""
        number = partition_of(asked.key[1:], len(self._offsets))
        committed = self._committed[number]
        known = asked.transactions.get(number, 0)
        if committed.value(asked.key, known - 1) is None:
            return None
        if any(at >= known and value is None for at, value in committed.history[asked.key]):
            return None
        return f"it had been there since transaction {committed.history[asked.key][0][0]} of {known} that were read"

    def _wrong_with(self, asked: Asked, body: Mapping[str, Any]) -> str | None:
        number = partition_of(asked.key[1:], len(self._offsets))
        if body["partition"] != number:
            return f"partition {body['partition']} instead of {number}"
        committed, offset, clock = self._committed[number], body["offset"], body["clock"]
        applied = bisect_left(self._offsets[number], offset + 1)
        first, end = bisect_left(committed.applied, applied), bisect_right(committed.applied, applied)
        known = asked.transactions.get(number, 0)
        if end < known:
            past = committed.positions[known - 1].offsets[self._topic]
            return f"is of offset {offset}; before it was asked for, {past - 1} was committed and read"
        if end == 0:
            return f"nothing was ever committed up to offset {offset}"
        ended = first < end
        if ended and asked.at < committed.written[first] and committed.writes(asked.key, first):
            return f"was there {committed.written[first] - asked.at} ms before its transaction was written"
        if not ended and self._left_out(asked.key, committed, end, offset):
            return f"lacks what had happened up to offset {offset}, at which no transaction ended"
        oldest = max(first if ended else end - 1, known - 1)
        clocks = [each.clock or 0 for each in committed.positions[oldest : end if ended else end + 1]]
        if not self._may_be_clock(clock, asked.at, clocks, exactly=ended):
            return f"its clock is {clock}; those of its transactions {clocks}"
        return (
            self._wrong_state(asked.key, body, committed, range(oldest, end), Place(number, applied, asked.key))
            or self._older_than_changes(asked, body)
            or self._wrong_stages(asked.key, body, offset)
        )

    def _left_out(self, key: bytes, committed: Committed, transaction: int, offset: int) -> bool:
        """Whether a transaction that went beyond an offset changed a customer by an interaction up to it."""
        value = committed.value(key, transaction)
        if value is None or not committed.writes(key, transaction):
            return False
        customer = self._versions.codec(committed.positions[transaction].lifecycles).decode(key, value)
        return committed.positions[transaction - 1].offsets[self._topic] <= customer.offset <= offset

    def _may_be_clock(self, clock: int, at: int, allowed: Sequence[int], *, exactly: bool) -> bool:
        """Wall time goes on in a partition in which nothing happens."""
        if self._by_wall:
            return allowed[0] <= clock <= at + _SLACK_MS
        return clock in allowed if exactly else allowed[0] <= clock <= allowed[-1]

    def _wrong_state(
        self, key: bytes, body: Mapping[str, Any], committed: Committed, allowed: range, place: Place
    ) -> str | None:
        """The whole answer must be what follows from the customer's record after one of its transactions."""
        shown = ""
        for transaction in allowed:
            value = committed.value(key, transaction)
            if value is None:
                shown = "there was no record of it"
                continue
            # In an edit a worker of another version answers from what one before it has written.
            own = committed.positions[transaction].lifecycles
            for lifecycles in (own, *(each for each in self._lifecycles if each != own)):
                must = self._explained(lifecycles, key, value, body)
                if must == body:
                    self.committed.setdefault(place, set()).add(value)
                    return None
                shown = shown or _first_difference(body, must)
        return f"at offset {body['offset']}: {shown}"

    def _explained(self, lifecycles: Mapping[str, str], key: bytes, value: bytes, body: Mapping[str, Any]) -> object:
        model, codec = self._versions.model(lifecycles), self._versions.codec(lifecycles)
        customer = codec.decode(key, value)
        clock = body["clock"]
        must = customer_data(
            customer,
            explain(model, customer, clock),
            partition=body["partition"],
            offset=body["offset"],
            clock=clock,
            at=max([clock, *(life.clock for life in customer.lives.values())]),
        )
        return orjson.loads(orjson.dumps(must))

    def _older_than_changes(self, asked: Asked, body: Mapping[str, Any]) -> str | None:
        """A stage change that a subscriber had read is in the answer."""
        for life in body["lifecycles"]:
            move = asked.moves.get(life["lifecycle"])
            if move is not None and life["born"] == move.born and life["sequence"] < move.sequence:
                return f"{life['lifecycle']} is at change {life['sequence']}; before, {move.sequence} was read"
        return None

    def _wrong_stages(self, key: bytes, body: Mapping[str, Any], offset: int) -> str | None:
        """Each stage is where the published changes lead at this offset."""
        for life in body["lifecycles"]:
            name, born, sequence = life["lifecycle"], life["born"], life["sequence"]
            changes = self._published.get(current_key_of(name, key).decode(), ())
            mine = {each["sequence"]: each for each in changes if each["born"] == born}
            change, following = mine.get(sequence), mine.get(sequence + 1)
            if change is None:
                return f"{name} is at change {sequence}, which was never published"
            if (change["to"], change["at"]) != (life["stage"], life["entered"]):
                return (
                    f"{name} is in {life['stage']} since {life['entered']}; "
                    f"published was {change['to']} at {change['at']}"
                )
            if change["source"]["offset"] > offset + 1:
                return f"{name} is at change {sequence}, which came of offset {change['source']['offset']}"
            if following is not None and following["source"]["offset"] <= offset:
                return f"{name} is at change {sequence}; the next one came of offset {following['source']['offset']}"
        return None


def compare_with_oracle(committed: Mapping[Place, set[bytes]], oracle: Mapping[Place, set[bytes]]) -> list[str]:
    """A line for each state that answers showed and that the oracle does not have at their place."""
    return [
        f"{place.key!r} was answered after {place.applied} records of partition {place.partition}; the oracle differs"
        for place, values in committed.items()
        if not values <= oracle.get(place, set())
    ]


def _first_difference(one: Any, two: Any, where: str = "") -> str:
    """Where two answers differ first."""
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        for name in one:
            if one[name] != two[name]:
                return _first_difference(one[name], two[name], f"{where}.{name}")
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (a, b) in enumerate(zip(one, two, strict=True)):
            if a != b:
                return _first_difference(a, b, f"{where}[{number}]")
    return f"{where} is {str(one)[:_SHOWN]} instead of {str(two)[:_SHOWN]}"
