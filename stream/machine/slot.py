"""What the state keeps of one customer: everything in one place, since each place more is one more miss of a cache."""

from typing import Final

from mypy_extensions import i64, mypyc_attr

from stream.core.customer import Customer

NEVER: Final[i64] = 1 << 62


@mypyc_attr(acyclic=True)
class Slot:
    """A customer's record, and what the batch at hand and the schedule note about it."""

    __slots__ = ("changed", "customer", "key", "scheduled", "value")

    def __init__(self, key: bytes, value: bytes | None) -> None:
        self.key = key
        """The changelog key."""
        self.value = value
        """The record as it was last encoded; None: there is none, or none any more."""
        self.customer: Customer | None = None
        """The customer, decoded, where it was changed since."""
        self.scheduled: i64 = NEVER
        """The time with which it is in the schedule; NEVER: it is not, or only with times that count no more."""
        self.changed: i64 = 0
        """Its place, from 1 on, among the slots that the batch at hand has changed; 0: it is none of them."""
