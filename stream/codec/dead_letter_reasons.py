"""Why a record of the interactions topic is no interaction, and the bounds that it must keep."""

from enum import StrEnum
from typing import Final, NamedTuple

MAX_BYTES: Final = 1_048_576
"""The largest record that is read: 1 MiB, Kafka's own default for a message."""
MAX_DEPTH: Final = 64
"""Objects and lists inside one another, the record itself being the first."""
MAX_ID_BYTES: Final = 256
"""The longest subject or interaction id, in bytes of UTF-8: keys and state records stay small."""


class Reason(StrEnum):
    """Why a record is no interaction; where several hold, the first one found."""

    NULL_VALUE = "null_value"
    """The record has no value at all (a tombstone)."""
    TOO_LARGE = "too_large"
    """More than MAX_BYTES."""
    NOT_UTF8 = "not_utf8"
    """Not text in UTF-8, the only encoding of JSON."""
    NOT_JSON = "not_json"
    """Not JSON as of RFC 8259, NaN and other numbers aside; a byte order mark and lone surrogates are not."""
    TOO_DEEP = "too_deep"
    """Nested deeper than MAX_DEPTH; said without reading on where it is far deeper."""
    NOT_AN_OBJECT = "not_an_object"
    """JSON, but a list, text, number, boolean or null."""
    NO_EVENT_NAME = "no_event_name"
    """`type` (of a Segment track call: `event`) is missing, blank or not text."""
    BAD_SUBJECT = "bad_subject"
    """A customer or anonymous id is neither text nor a whole number."""
    ID_TOO_LONG = "id_too_long"
    """The id of a subject, or the event name, has more than MAX_ID_BYTES."""
    NO_SUBJECT = "no_subject"
    """Neither a customer id nor an anonymous id."""
    BLOCKED_SUBJECT = "blocked_subject"
    """The subject's id stands for nobody (`null`, `undefined`, …)."""
    BAD_SHAPE = "bad_shape"
    """Properties, context or traits are not an object, a Segment record is none of the six calls (a batch), or the
    headers or the envelope of a CloudEvent are not what they say."""
    BAD_TIME = "bad_time"
    """A time that cannot be read, is not believed (`earliest_time`) or lies outside years 1 to 9999; offline, none."""
    UNPROCESSABLE = "unprocessable"
    """It was read, but processing it failed twice: a bug of ours. Never given by `decode`."""
    UNREADABLE = "unreadable"
    """A whole batch of records that could not be read and was skipped by `lifecycle skip`: damaged, or of an unknown
    codec. The dead letter's value is the batch as Kafka keeps it. Never given by `decode`."""


class Rejected(NamedTuple):
    """A record that is no interaction."""

    reason: Reason
    detail: str
    """What was wrong and what would be right, for people; of ids, only blocked ones are quoted."""
