"""One interaction of one subject, as the core sees it, whatever its format was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Kind = Literal["customer", "anonymous"]

MAX_TIME: Final = 253_402_300_799_999
"""The last millisecond of the year 9999; nothing happens later."""
MIN_TIME: Final = -62_135_596_800_000
"""The first millisecond of the year 1; nothing happens earlier."""


class ImportedRow(NamedTuple):
    """Where an interaction stands in the import that wrote it: rows of one import ascend by time, then by number."""

    source: bytes
    """The hash of the import's name: 8 bytes."""
    time: int
    """The interaction's time as it was written, where the import is sorted by time; else 0."""
    number: int
    """The row's number in its file."""


@dataclass(init=False)
class Interaction:
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
    row: ImportedRow | None
    """Its row in the import that wrote it; None where no import did."""

    def __init__(
        self,
        customer_id: str | None,
        anonymous_id: str | None,
        id: str | None,  # noqa: A002 - the field's name in every format
        name: str,
        time: int,
        properties: Mapping[str, object],
        context: Mapping[str, object],
        row: ImportedRow | None = None,
    ) -> None:
        self.customer_id = customer_id
        self.anonymous_id = anonymous_id
        self.id = id
        self.name = name
        self.time = time
        self.properties = properties
        self.context = context
        self.row = row

    @property
    def kind(self) -> Kind:
        """The name space of the subject."""
        return "anonymous" if self.customer_id is None else "customer"

    @property
    def subject(self) -> str:
        """The id under which the customer's record is kept."""
        return self.customer_id if self.customer_id is not None else self.anonymous_id or ""
