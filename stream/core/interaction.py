"""One interaction of one subject, as the core sees it whatever format it came in."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["customer", "anonymous"]

MAX_TIME = 253_402_300_799_999
"""The last millisecond of the year 9999; nothing happens later."""
MIN_TIME = -62_135_596_800_000
"""The first millisecond of the year 1; nothing happens earlier."""


class Interaction(NamedTuple):
    """What one subject did at one moment.

    At least one of `customer_id` and `anonymous_id` is set; the *subject* is the customer id, else the
    anonymous id, and the two are different name spaces.
    """

    customer_id: str | None
    anonymous_id: str | None
    id: str | None
    """Tells repeats of one interaction from each other; None: never a duplicate."""
    name: str
    """The event name as sent; a lifecycle maps it to its word."""
    time: int
    """Milliseconds since the epoch, UTC."""
    properties: Mapping[str, object]
    context: Mapping[str, object]

    @property
    def kind(self) -> Kind:
        """The name space of the subject."""
        return "anonymous" if self.customer_id is None else "customer"

    @property
    def subject(self) -> str:
        """The id under which the customer's record is kept."""
        return self.customer_id if self.customer_id is not None else self.anonymous_id or ""
