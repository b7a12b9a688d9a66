"""The items of a request, by how they came: each becomes a record, or a dead letter, in its turn."""

from stream.codec.records import Headers
from stream.core.times import format_time
from stream.web.collector.completing import Arrival
from stream.web.collector.intake import Going, Intake, Placed
from stream.web.collector.splitting import Members, split_calls, split_interactions


class Items:
    """What a request holds."""

    def __init__(self, count: int, beside: int, holder: Members) -> None:
        self.count = count
        self.beside = beside
        """Bytes that each may get of its batch."""
        self.holder = holder
        """What may hold a write key."""

    def place(self, intake: Intake, goes: Going, start: int, stop: int) -> list[Placed]:
        """The records of those from number `start` on and before `stop`."""
        raise NotImplementedError


class _OneCall(Items):
    """A call of Segment's."""

    def __init__(self, item: bytes, members: Members, arrival: Arrival) -> None:
        super().__init__(1, 0, members)
        self._item, self._members, self._arrival = item, members, arrival

    def place(self, intake: Intake, goes: Going, start: int, stop: int) -> list[Placed]:
        del start, stop
        return [intake.call(self._item, self._members, self._arrival, goes)]


class _Calls(Items):
    """A batch of them."""

    def __init__(self, items: list[bytes], batch: Members, arrival: Arrival) -> None:
        super().__init__(len(items), arrival.context_bytes, batch)
        self._items, self._arrival = items, arrival

    def place(self, intake: Intake, goes: Going, start: int, stop: int) -> list[Placed]:
        arrival = self._arrival
        return [intake.call_of_batch(item, arrival, goes) for item in self._items[start:stop]]


class _Interactions(Items):
    """Interactions of any format that workers read."""

    def __init__(self, items: list[bytes], arrival: Arrival) -> None:
        super().__init__(len(items), 0, {})
        self._items, self._arrival = items, arrival

    def place(self, intake: Intake, goes: Going, start: int, stop: int) -> list[Placed]:
        arrival = self._arrival
        return [intake.interaction(item, arrival, goes) for item in self._items[start:stop]]


class CloudEvents(Items):
    """CloudEvents, all with the same headers of their records."""

    def __init__(self, items: list[bytes], attributes: Headers) -> None:
        super().__init__(len(items), sum(len(name) + len(text) for name, text in attributes), {})
        self._items, self._attributes = items, attributes

    def place(self, intake: Intake, goes: Going, start: int, stop: int) -> list[Placed]:
        attributes = self._attributes
        return [intake.event(item, attributes, goes) for item in self._items[start:stop]]


def calls_in(body: bytes, call: str, received: int, address: str | None) -> Items:
    """One call of Segment's, or a batch; `call` is the one that the path names. Raises Refused, 400, for neither.

    `received` is epoch milliseconds, `address` the sender's, where it is to be kept.
    """
    found = split_calls(body)
    arrival = Arrival(call, found.batch, format_time(received), address)
    if found.single is not None:
        return _OneCall(found.items[0], found.single, arrival)
    arrival.append_alone(body, found.batch)
    return _Calls(found.items, found.batch, arrival)


def interactions_in(body: bytes, received: int, address: str | None) -> Items:
    """An object, a list, or lines with an object each; as `calls_in` besides."""
    return _Interactions(split_interactions(body), Arrival("", {}, format_time(received), address))
