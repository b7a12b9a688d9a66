"""The customers of one partition: their records as bytes, those in use decoded, and which of them is due next.

A record is a few hundred bytes in one piece; decoded, it is dozens of objects all over the memory. Decoding a record
again costs less than fetching these from there, and needs no memory.
"""

from collections import deque
from collections.abc import Generator
from typing import Final

from stream.codec.records import Outgoing
from stream.codec.state import customers as records
from stream.codec.state import keys
from stream.codec.state.customers import CustomerCodec
from stream.core.customer import Customer
from stream.core.model import Model, due
from stream.core.stage_change import StageChange
from stream.errors import StateError
from stream.machine.schedule import Schedule
from stream.machine.stage_index import StageIndex

INDEX_AT_ONCE: Final = 1_000
"""Customers in one slice of the making of an index."""
YIELD_EVERY: Final = 200
"""Records or deadlines after which a generator yields, so that the caller's event loop gets a turn."""


class CustomerStore:
    """The state of a partition's customers, by changelog key."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.schedule = Schedule()
        """When each customer is due, forgetting included."""
        self.stages: dict[tuple[str, str], int] = {}
        """Customers by lifecycle and stage."""
        self.edited = 0
        """Customers whose lifecycles were edited since they were written, and that were not considered again yet."""
        self.edits: deque[bytes] = deque()
        """Those of them that are considered even if nothing happens to them; some may have been considered since."""
        self.indexed: StageIndex | None = None
        """Who is in which stage; None where nobody has asked yet."""
        self._indexing: StageIndex | None = None
        """The next one, which is being made."""
        self._codec = CustomerCodec(model)
        self._committed: dict[bytes, bytes] = {}
        """Every record, but for what the batch at hand has changed."""
        self._changed: dict[bytes, bytes | None] = {}
        """Records that the batch at hand has changed; None: there is none any more."""
        self._touched: dict[bytes, Customer] = {}
        """Customers who were changed since, decoded."""
        self._layouts: list[Outgoing] = [Outgoing(*each) for each in self._codec.layout_records()]
        """Layouts of our lifecycles that the changelog does not have yet: they are written before any customer."""

    def __len__(self) -> int:
        count = len(self._committed)
        for key, value in self._changed.items():
            count += (value is not None) - (key in self._committed)
        return count

    def _record(self, key: bytes) -> bytes | None:
        """The record of a customer as it was last encoded."""
        return self._changed[key] if key in self._changed else self._committed.get(key)

    def customer(self, key: bytes) -> Customer | None:
        """The customer as it is now, to be changed and then kept; None where there is none."""
        customer = self._touched.get(key)
        if customer is None:
            value = self._record(key)
            if value is not None:
                customer = self._codec.decode(key, value)
        return customer

    def committed_customer(self, key: bytes) -> Customer | None:
        """The customer as it was before the batch at hand; None where there was none."""
        value = self._committed.get(key)
        return None if value is None else self._codec.decode(key, value)

    def keep(self, key: bytes, customer: Customer | None) -> None:
        """The customer was changed; None: is no more."""
        if customer is None:
            self._touched.pop(key, None)
            self._changed[key] = None
            return
        self._touched[key] = customer
        time = due(self.model, customer)
        if time is not None:
            self.schedule.put(key, time)

    def count(self, change: StageChange) -> None:
        """A customer moved."""
        stages, source, target = self.stages, change.from_stage, change.to_stage
        if source is not None:
            left = change.lifecycle, source
            stages[left] = stages.get(left, 0) - 1
        if target is not None:
            entered = change.lifecycle, target
            stages[entered] = stages.get(entered, 0) + 1
        if self.indexed is not None:
            self.indexed.moved(change)
        if self._indexing is not None:
            self._indexing.moved(change)

    def index(self) -> Generator[None, None, StageIndex]:
        """Make an index of all customers; yields between slices, in which the store may change."""
        index = self._indexing = StageIndex()
        for number, key in enumerate([*self._committed, *self._changed.keys() - self._committed.keys()]):
            value = self._record(key)
            if value is not None:
                for lifecycle, stage, entered in self._codec.standings(value):
                    index.add(lifecycle, stage, entered, key)
            if number % INDEX_AT_ONCE == 0:
                yield
        self.indexed, self._indexing = index, None
        return index

    def stands(self, key: bytes, lifecycle: str, stage: str, entered: int) -> bool:
        """Whether the customer is in this stage since then."""
        value = self._record(key)
        return value is not None and (lifecycle, stage, entered) in self._codec.standings(value)

    def encode(self) -> int:
        """Encode the customers touched, and keep only their records; called periodically, so that few stay decoded.

        Returns the bytes of the records.
        """
        size = 0
        for key, customer in self._touched.items():
            value = self._codec.encode(customer)
            self._changed[key] = value
            size += len(value)
        self._touched = {}
        return size

    @property
    def is_laid_out(self) -> bool:
        """Every layout that is needed to read the records is in the changelog already."""
        return not self._layouts

    def take_records(self) -> list[Outgoing]:
        """The changelog records of what the batch at hand has changed, each layout before its first customer."""
        records, self._layouts = self._layouts, []
        for key, value in self._changed.items():
            records.append(Outgoing(key, value))
        return records

    def commit(self) -> None:
        """The batch at hand is committed."""
        committed = self._committed
        for key, value in self._changed.items():
            if value is None:
                committed.pop(key, None)
            else:
                committed[key] = value
        self._changed = {}

    def touches(self, key: bytes) -> bool:
        """Whether the batch at hand changed the customer so far; else what is known of it is committed."""
        return key in self._touched or key in self._changed

    def restore(self, changelog: dict[bytes, bytes], *, at_once: bool = True) -> Generator[None, None, None]:
        """Restore from the compacted changelog; `at_once`: customers whom an edit may move go to `edits`, too.

        Raises StateError.
        """
        layouts = {key: value for key, value in changelog.items() if key[:1] == keys.LAYOUT}
        for value in layouts.values():
            self._codec.learn(value)
        self._layouts = [each for each in self._layouts if each.key not in layouts]
        self._committed = {key: value for key, value in changelog.items() if key[:1] in (keys.CUSTOMER, keys.ANONYMOUS)}
        if len(layouts) + len(self._committed) + (keys.POSITION in changelog) < len(changelog):
            kinds = b", ".join(sorted({key[:1] for key in changelog} - keys.KINDS)).decode("utf-8", "replace")
            raise StateError(f"there are records of kind {kinds!r}, which this version does not know: {records.NEWER}")
        running = {lifecycle.id for lifecycle in self.model.lifecycles}
        entries: list[tuple[int, bytes]] = []
        for number, (key, value) in enumerate(self._committed.items()):
            header = self._codec.header(value)
            time = header.due
            self.edited += header.edited
            if header.edited and at_once:
                self.edits.append(key)
                time = None  # it has none before it is considered
            elif not header.current:  # the lifecycles were edited: what time makes true may have changed
                time = due(self.model, self._codec.decode(key, value))
            if time is not None:
                entries.append((time, key))
            for stage in header.stages:
                if stage[0] in running:
                    self.stages[stage] = self.stages.get(stage, 0) + 1
            if number % YIELD_EVERY == 0:
                yield
        self.schedule.load(entries)
