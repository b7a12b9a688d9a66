"""Customers in slots: what two dictionaries say, of what is committed and of what is now, whatever is asked when."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stream.codec.packed_records import PackedRecords
from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import CUSTOMER
from stream.core.interaction import Interaction
from stream.machine.customer_store import CustomerStore
from stream.settings import Settings
from tests.kit.lifecycles import shop
from tests.kit.machines import compacted, finish, machine, records_of, run_all
from tests.kit.times import DAY, T0

MODEL = shop()
CODEC = CustomerCodec(MODEL)
NUMBERS = st.integers(0, 5)


def records_after(visits: int) -> dict[bytes, bytes]:
    """What the changelog has of six customers after so many visits of each; every record is another one."""
    given = [
        Interaction(f"c{number}", None, None, "page", T0 + visit, {}, {})
        for number in range(6)
        for visit in range(visits + 1)
    ]
    return compacted(run_all(machine(MODEL, Settings(clock="stream", live_from=T0 - DAY)), records_of(given)))


VERSIONS = [records_after(visits) for visits in range(4)]
KEYS = sorted(key for key in VERSIONS[0] if key[:1] == CUSTOMER)
LAYOUTS = {key: value for key, value in VERSIONS[0].items() if key not in KEYS and key != positions.KEY}


class AgainstDictionaries(RuleBasedStateMachine):
    """Batches are begun, changed, written and committed."""

    @initialize(version=st.integers(0, 3), there=st.sets(NUMBERS))
    def restore(self, version: int, there: set[int]) -> None:
        """From a changelog with some of them."""
        self.committed = {KEYS[number]: VERSIONS[version][KEYS[number]] for number in there}
        self.now = dict(self.committed)
        self.changed: list[bytes] = []
        self.store = CustomerStore(MODEL)
        finish(self.store.restore({**LAYOUTS, **self.committed}))

    @rule(number=NUMBERS, version=st.integers(0, 3), find=st.booleans())
    def keep(self, number: int, version: int, find: bool) -> None:
        """The customer changed, whether its slot was looked up before or not."""
        key = KEYS[number]
        value = self.now[key] = VERSIONS[version][key]
        self.store.keep(key, CODEC.decode(key, value), self.store.find(key) if find else None)
        self._changes(key)

    @rule(number=NUMBERS)
    def forget(self, number: int) -> None:
        """The customer is no more."""
        key = KEYS[number]
        if self.store.find(key) is not None:
            self.store.keep(key, None)
            self.now.pop(key, None)
            self._changes(key)

    def _changes(self, key: bytes) -> None:
        if key not in self.changed:
            self.changed.append(key)

    @rule()
    def encode(self) -> None:
        """As it is done now and then within a batch."""
        self.store.encode()

    @rule()
    def write_and_commit(self) -> None:
        """Each that was changed once, in the order in which they were first."""
        self.store.encode()
        records = PackedRecords()
        self.store.write(records)
        assert [(record.key, record.value) for record in records] == [(key, self.now.get(key)) for key in self.changed]
        assert len(self.store) == len(self.now)
        self.store.commit()
        self.committed, self.changed = dict(self.now), []
        for key in KEYS:
            assert (self.store.find(key) is not None) == (key in self.now)

    @invariant()
    def agrees(self) -> None:
        """Of every customer, committed and now."""
        for key in KEYS:
            found, before = self.store.customer(key), self.store.committed_customer(key)
            assert (None if found is None else CODEC.encode(found)) == self.now.get(key)
            assert (None if before is None else CODEC.encode(before)) == self.committed.get(key)
            assert self.store.touches(key) == (key in self.changed)


TestAgainstDictionaries = AgainstDictionaries.TestCase
