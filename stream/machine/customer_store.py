"""The customers of one partition: their records as bytes, those in use decoded, and which of them is due next.

A record is a few hundred bytes in one piece; decoded, it is dozens of objects all over the memory. Decoding a record
again costs less than fetching these from there, and needs no memory.
"""

from collections import deque
from collections.abc import Generator
from typing import Final

from mypy_extensions import i64

from stream.codec.packed_records import NO_HEADERS, PackedRecords
from stream.codec.state import customers as records
from stream.codec.state import keys
from stream.codec.state.customers import CustomerCodec
from stream.core.customer import Customer
from stream.core.model import Model, due
from stream.core.stage_change import StageChange
from stream.errors import StateError
from stream.machine.schedule import Schedule
from stream.machine.slot import Slot
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
        self._slots: dict[bytes, Slot] = {}
        """By changelog key."""
        self._count: i64 = 0
        """Slots with a record."""
        self._touched: list[Slot] = []
        """Slots whose customers were changed and not encoded since; some may stand here twice, or be none any more."""
        self._changed: list[Slot] = []
        """Slots that the batch at hand has changed."""
        self._before: list[bytes | None] = []
        """At the same places, their records before."""
        self._layouts: list[tuple[bytes, bytes]] = self._codec.layout_records()
        """Layouts of our lifecycles that the changelog does not have yet: they are written before any customer."""

    def __len__(self) -> int:
        return self._count

    def find(self, key: bytes) -> Slot | None:
        """Where the customer is kept; None where there is none."""
        return self._slots.get(key)

    def customer(self, key: bytes) -> Customer | None:
        """The customer as it is now, to be changed and then kept; None where there is none."""
        slot = self._slots.get(key)
        return None if slot is None else self.customer_in(slot)

    def customer_in(self, slot: Slot) -> Customer | None:
        """The same, of a slot."""
        customer = slot.customer
        if customer is None:
            value = slot.value
            if value is not None:
                customer = self._codec.decode(slot.key, value)
        return customer

    def committed_customer(self, key: bytes) -> Customer | None:
        """The customer as it was before the batch at hand; None where there was none."""
        slot = self._slots.get(key)
        if slot is None:
            return None
        value = self._before[slot.changed - 1] if slot.changed else slot.value
        return None if value is None else self._codec.decode(key, value)

    def keep(self, key: bytes, customer: Customer | None, slot: Slot | None = None) -> None:
        """The customer was changed; None: is no more. `slot` is what `find` gives."""
        if slot is None:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = Slot(key, None)
        if not slot.changed:
            self._changed.append(slot)
            self._before.append(slot.value)
            slot.changed = len(self._changed)
        if customer is None:
            slot.customer = None
            if slot.value is not None:
                slot.value = None
                self._count -= 1
            return
        if slot.customer is None:
            self._touched.append(slot)
        slot.customer = customer
        time = due(self.model, customer)
        if time is not None:
            self.schedule.put(slot, time)

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
        for number, slot in enumerate([*self._slots.values()]):
            value = slot.value
            if value is not None:
                for lifecycle, stage, entered in self._codec.standings(value):
                    index.add(lifecycle, stage, entered, slot.key)
            if number % INDEX_AT_ONCE == 0:
                yield
        self.indexed, self._indexing = index, None
        return index

    def stands(self, key: bytes, lifecycle: str, stage: str, entered: int) -> bool:
        """Whether the customer is in this stage since then."""
        slot = self._slots.get(key)
        value = None if slot is None else slot.value
        return value is not None and (lifecycle, stage, entered) in self._codec.standings(value)

    def encode(self) -> int:
        """Encode the customers touched, and keep only their records; called periodically, so that few stay decoded.

        Returns the bytes of the records.
        """
        size = 0
        for slot in self._touched:
            customer = slot.customer
            if customer is not None:
                value = self._codec.encode(customer)
                if slot.value is None:
                    self._count += 1
                slot.value = value
                slot.customer = None
                size += len(value)
        self._touched = []
        return size

    @property
    def is_laid_out(self) -> bool:
        """Every layout that is needed to read the records is in the changelog already."""
        return not self._layouts

    def write(self, records: PackedRecords) -> None:
        """Add the changelog records of what the batch at hand has changed, each layout before its first customer."""
        for key, layout in self._layouts:
            records.add(key, layout, NO_HEADERS)
        self._layouts = []
        for slot in self._changed:
            records.add(slot.key, slot.value, NO_HEADERS)

    def commit(self) -> None:
        """The batch at hand is committed."""
        for slot in self._changed:
            slot.changed = 0
            if slot.value is None:
                del self._slots[slot.key]
        self._changed, self._before = [], []

    def touches(self, key: bytes) -> bool:
        """Whether the batch at hand changed the customer so far; else what is known of it is committed."""
        slot = self._slots.get(key)
        return slot is not None and slot.changed > 0

    def restore(self, changelog: dict[bytes, bytes], *, at_once: bool = True) -> Generator[None, None, None]:
        """Restore from the compacted changelog; `at_once`: customers whom an edit may move go to `edits`, too.

        Raises StateError.
        """
        layouts = {key: value for key, value in changelog.items() if key[:1] == keys.LAYOUT}
        for value in layouts.values():
            self._codec.learn(value)
        self._layouts = [(key, value) for key, value in self._layouts if key not in layouts]
        slots = self._slots = {}
        for key, value in changelog.items():
            if key[:1] in (keys.CUSTOMER, keys.ANONYMOUS):
                slots[key] = Slot(key, value)
        self._count = len(slots)
        if len(layouts) + len(slots) + (keys.POSITION in changelog) < len(changelog):
            kinds = b", ".join(sorted({key[:1] for key in changelog} - keys.KINDS)).decode("utf-8", "replace")
            raise StateError(f"there are records of kind {kinds!r}, which this version does not know: {records.NEWER}")
        running = {lifecycle.id for lifecycle in self.model.lifecycles}
        scheduled: list[Slot] = []
        for number, slot in enumerate(slots.values()):
            record = slot.value
            assert record is not None
            header = self._codec.header(record)
            time = header.due
            self.edited += header.edited
            if header.edited and at_once:
                self.edits.append(slot.key)
                time = None  # it has none before it is considered
            elif not header.current:  # the lifecycles were edited: what time makes true may have changed
                time = due(self.model, self._codec.decode(slot.key, record))
            if time is not None:
                slot.scheduled = time
                scheduled.append(slot)
            for stage in header.stages:
                if stage[0] in running:
                    self.stages[stage] = self.stages.get(stage, 0) + 1
            if number % YIELD_EVERY == 0:
                yield
        self.schedule.load(scheduled)
