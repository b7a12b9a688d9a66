"""The fields that an interaction has in every format: its name, ids, time, properties."""

from typing import Final, Literal, NamedTuple, cast

from stream.codec.dead_letter_reasons import MAX_ID_BYTES, Reason
from stream.codec.refusal import Refusal, is_number, kind_of
from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.times import EARLIEST_TIME, epoch_time, format_time, parse_time

AHEAD: Final = 300_000
"""Milliseconds that an interaction may be ahead of its broker time."""
Ids = Literal["exact", "trimmed", "folded"]
"""How ids are compared: as they were sent, without white space around them, or without case as well."""

_SURELY_SHORT: Final = MAX_ID_BYTES // 4  # characters: none has more than four bytes
_EXACT_DOUBLE: Final = 2.0**53
_BEYOND_64_BITS: Final = 2.0**63


FLAWS: Final = {
    "not_a_number": "a number that JSON does not have (NaN, Infinity) was read as null",
    "id": "an interaction's own id cannot be used, so that it is not known again when it comes twice",
    "time_unit": "times are in seconds, microseconds or nanoseconds, and are read as such; send milliseconds",
    "timestamp": "one of `timestamp` and `originalTimestamp` cannot be read or is not believed, and the other counts",
    "sentAt": "`sentAt` cannot be read, or cannot be when it was sent: the sender's clock is not corrected",
    "receivedAt": "`receivedAt` cannot be read or is not believed, and is left out",
}
"""What may be wrong with a record that is taken all the same, by the name under which it is counted; for people."""


class Reading(NamedTuple):
    """How records are read."""

    blocked: frozenset[str]
    """Subject ids that stand for nobody, lower-case; compared without case and surrounding white space."""
    ids: Ids = "exact"
    earliest_time: int | None = EARLIEST_TIME
    """Earlier times are not believed (epoch ms); None: every time is, and every number is milliseconds."""


class FieldReader:
    """Reads fields as `reading` says; what it cannot use of a record, and can do without, is counted in `flaws`."""

    def __init__(self, reading: Reading) -> None:
        self.flaws: dict[str, int] = {}
        self.lost_digits = False
        """An id was a whole number of more than 64 bits, whose digits the reader of JSON did not keep."""
        self.digits_are_text = False
        """The record is read once more, such whole numbers being text."""
        self._blocked = reading.blocked
        self._exact = reading.ids == "exact"
        self._folded = reading.ids == "folded"
        self._believes_all = reading.earliest_time is None
        self._earliest = MIN_TIME if reading.earliest_time is None else reading.earliest_time
        # Records that came in one request follow each other, and say the same of when that was sent and received.
        self._last_helper: str | None = None
        self._last_helper_time = 0
        self._last_believed: str | None = None
        self._last_believed_time = 0

    def flaw(self, what: str) -> None:
        """Something of a record could not be used, and the record is taken."""
        self.flaws[what] = self.flaws.get(what, 0) + 1

    def name(self, name: object, key: str) -> str:
        """The event name."""
        if not isinstance(name, str) or not name or name.isspace():
            raise Refusal(Reason.NO_EVENT_NAME, f"`{key}` must be the event name, as text; it is {kind_of(name)}")
        if len(name) > _SURELY_SHORT and len(name.encode()) > MAX_ID_BYTES:
            raise Refusal(Reason.ID_TOO_LONG, f"`{key}`, the event name, has more than {MAX_ID_BYTES} bytes")
        return name

    def subject(
        self, record: dict[str, object], customer_key: str, anonymous_key: str
    ) -> tuple[str | None, str | None]:
        """Customer id and anonymous id, of which one at least is there."""
        customer = self._id(record.get(customer_key), customer_key)
        anonymous = self._id(record.get(anonymous_key), anonymous_key)
        subject = anonymous if customer is None else customer
        if subject is None:
            raise Refusal(Reason.NO_SUBJECT, f"neither `{customer_key}` nor `{anonymous_key}` says whose it is")
        if subject.strip().lower() in self._blocked:
            raise Refusal(Reason.BLOCKED_SUBJECT, f"the subject is {subject.strip()!r}, which stands for nobody")
        if anonymous is not None and anonymous is not subject and anonymous.strip().lower() in self._blocked:
            anonymous = None
        return customer, anonymous

    def _id(self, value: object, key: str) -> str | None:
        if isinstance(value, str):
            text = value
        elif value is None:
            return None
        else:
            number = self._whole(value)
            if number is None:
                raise Refusal(Reason.BAD_SUBJECT, f"`{key}` must be text or a whole number; it is {_sort_of(value)}")
            return number
        if len(text) > _SURELY_SHORT and len(text.encode()) > MAX_ID_BYTES:
            raise Refusal(Reason.ID_TOO_LONG, f"`{key}` has more than {MAX_ID_BYTES} bytes")
        if not text or text.isspace():
            return None
        if self._exact:
            return text
        return text.strip().casefold() if self._folded else text.strip()

    def _whole(self, value: object) -> str | None:
        """A whole number in decimal; also one that was written as 3146.0. None where it is none."""
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return str(value)
        if not isinstance(value, float) or value != value // 1:
            return None
        if abs(value) >= _BEYOND_64_BITS and not self.digits_are_text:
            self.lost_digits = True
            return str(int(value))
        return str(int(value)) if abs(value) < _EXACT_DOUBLE else None

    def own_id(self, value: object) -> str | None:
        """The interaction's own id; one that cannot be used is none, and counted."""
        if value is None:
            return None
        text = value if isinstance(value, str) else self._whole(value)
        if text is None or (len(text) > _SURELY_SHORT and len(text.encode()) > MAX_ID_BYTES):
            self.flaw("id")
            return None
        return None if not text or text.isspace() else text

    def mapping(self, value: object, key: str) -> dict[str, object]:
        """An object, empty where there is none."""
        if isinstance(value, dict):
            return value
        if value is not None:
            raise Refusal(Reason.BAD_SHAPE, f"`{key}` must be an object; it is {kind_of(value)}")
        return {}

    def moment(self, value: object, key: str, received: int | None) -> int | None:
        """A time as it was sent; None where there is none. It may be too early to be believed."""
        if value.__class__ is int and self._earliest <= value <= MAX_TIME:
            return value
        if value is None:
            return None
        if not self._believes_all and not isinstance(value, str) and is_number(value):
            return self._epoch(cast("int | float", value), key, received)
        time = parse_time(value)
        if time is None:
            shown = repr(value[:40]) if isinstance(value, str) else kind_of(value)
            raise Refusal(
                Reason.BAD_TIME,
                f"`{key}` must be a time from year 1 to 9999, such as 2026-03-01T09:30:00Z or epoch milliseconds; "
                f"it is {shown}",
            )
        return time

    def _epoch(self, number: int | float, key: str, received: int | None) -> int:  # noqa: PYI041 - see epoch_time
        found = epoch_time(number, self._earliest, None if received is None else received + AHEAD)
        if isinstance(found, str):
            raise Refusal(Reason.BAD_TIME, f"`{key}` is {kind_of(number)}: {found}")
        if found != number // 1:
            self.flaw("time_unit")
        return found

    def helper(self, value: object, key: str, received: int | None) -> int | None:
        """A time that only helps to find another: where it cannot be read it is none, and counted."""
        if isinstance(value, str) and value == self._last_helper:
            return self._last_helper_time
        try:
            time = self.moment(value, key, received)
        except Refusal:
            self.flaw(key)
            return None
        if isinstance(value, str) and time is not None:
            self._last_helper, self._last_helper_time = value, time
        return time

    def believes(self, time: int) -> bool:
        """Whether a time is neither before the earliest nor outside the calendar."""
        return self._earliest <= time <= MAX_TIME

    def believed(self, value: object, key: str, received: int | None) -> int | None:
        """A time that only helps: none, and counted, where it is before the earliest or far ahead of the broker's."""
        time: int | None
        if isinstance(value, str) and value == self._last_believed:
            time = self._last_believed_time
        else:
            try:
                time = self.moment(value, key, received)
            except Refusal:
                self.flaw(key)
                return None
            if isinstance(value, str) and time is not None:
                self._last_believed, self._last_believed_time = value, time
        if time is None or self._earliest <= time <= (MAX_TIME if received is None else received + AHEAD):
            return time
        self.flaw(key)
        return None

    def time(self, time: int | None, received: int | None) -> int:
        """When an interaction happened, where that is believed; without a time of its own, when it was received."""
        if time is not None and self._earliest <= time <= MAX_TIME:
            return time
        if time is None:
            time = received
        elif MIN_TIME <= time < self._earliest:
            raise Refusal(
                Reason.BAD_TIME,
                f"the time is {format_time(time)}, before {format_time(self._earliest)}: a clock that was never set? "
                "Earlier times are believed with the setting earliest_time",
            )
        if time is None:
            raise Refusal(Reason.BAD_TIME, "no time in the record, and no broker's time to use instead")
        if not MIN_TIME <= time <= MAX_TIME:
            raise Refusal(Reason.BAD_TIME, f"the time comes out as {time}, which is outside years 1 to 9999")
        return time


def _sort_of(value: object) -> str:
    """As `kind_of`, but with nothing of an id in it."""
    if isinstance(value, float):
        return "a number with a fraction" if value != value // 1 else "a number too large to be exact"
    return kind_of(value)


def spelled(text: str, ids: Ids) -> str:
    """An id that somebody asks for, as the setting `ids` has ids compared."""
    if ids == "exact":
        return text
    return text.strip().casefold() if ids == "folded" else text.strip()
