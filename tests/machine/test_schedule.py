"""Which customer is due next: what a plain dictionary of times says, whatever was put, moved and taken out before."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stream.machine.schedule import Schedule
from stream.machine.slot import NEVER, Slot

KEYS = st.sampled_from([b"c%d" % number for number in range(12)])
TIMES = st.integers(-5, 30)


class AgainstADictionary(RuleBasedStateMachine):
    """A customer that is put at a later time keeps its earlier one, as the schedule says."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule()
        self.slots: dict[bytes, Slot] = {}
        self.expected: dict[bytes, int] = {}

    @rule(key=KEYS, time=TIMES)
    def put(self, key: bytes, time: int) -> None:
        """For the first time, at an earlier time, or at a later one."""
        self.schedule.put(self.slots.setdefault(key, Slot(key, None)), time)
        self.expected[key] = min(time, self.expected.get(key, time))

    @rule(until=TIMES)
    def pop(self, until: int) -> None:
        """The earliest up to a time; of those of one time the least key."""
        due = [(time, key) for key, time in self.expected.items() if time <= until]
        found = self.schedule.pop(until)
        if not due:
            assert found is None
            return
        time, key = min(due)
        assert found is not None
        assert (found[0], found[1].key) == (time, key)
        del self.expected[key]

    @rule(loaded=st.dictionaries(KEYS, TIMES, max_size=12))
    def load(self, loaded: dict[bytes, int]) -> None:
        """All of them anew."""
        self.slots = {key: Slot(key, None) for key in loaded}
        for key, slot in self.slots.items():
            slot.scheduled = loaded[key]
        self.schedule.load(self.slots.values())
        self.expected = dict(loaded)

    @rule(key=KEYS)
    def begin_again(self, key: bytes) -> None:
        """A customer that is gone and comes again gets a slot of its own; the old one stays until it is popped."""
        if key in self.expected and key in self.slots:
            self.schedule.put(self.slots[key], -6)
            assert self.schedule.pop(-6) == (-6, self.slots.pop(key))
            del self.expected[key]

    @invariant()
    def agrees(self) -> None:
        """Nobody is due before `earliest`; `next` knows exactly."""
        first = min(self.expected.values(), default=None)
        assert len(self.schedule) == len(self.expected)
        assert self.schedule.earliest <= (NEVER if first is None else first)
        assert self.schedule.next() == first


TestAgainstADictionary = AgainstADictionary.TestCase


@given(st.lists(st.tuples(KEYS, TIMES), max_size=60))
def test_they_come_in_the_order_of_their_times_and_keys(given_: list[tuple[bytes, int]]) -> None:
    """So that what is due at once is fired in one order, whatever happened before."""
    schedule, slots = Schedule(), dict[bytes, Slot]()
    for key, time in given_:
        schedule.put(slots.setdefault(key, Slot(key, None)), time)
    found = []
    while (each := schedule.pop(100)) is not None:
        found.append((each[0], each[1].key))
    earliest = {key: min(time for other, time in given_ if other == key) for key, _ in given_}
    assert found == sorted((time, key) for key, time in earliest.items())
    assert schedule.next() is None
