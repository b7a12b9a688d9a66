"""The six calls of the Segment spec, as its libraries and those that follow it send them.

The name is `event` of a track call (also where `type` is missing, as in a body meant for /v1/track), else the call;
the id is `messageId`. Properties are `properties`, of group and identify `traits`, of identify without them
`context.traits`. What a library puts beside them is readable as a property where there is none of that name: `name` and
`category` of page and screen, `groupId` of group, `previousId` of alias.

The time is

- `timestamp` where `originalTimestamp` stands beside it, for then it has been corrected already;
- else `originalTimestamp` or `timestamp`, corrected by what the sender's clock is off (`_correction`);
- else the arrival: `receivedAt`, else the broker's time.

Where one of `timestamp` and `originalTimestamp` cannot be read, the other counts; `sentAt` and `receivedAt` that cannot
be read are as if they were not there. Both is counted.
"""

from typing import Final

from stream.codec.dead_letter_reasons import Reason
from stream.codec.fields import FieldReader
from stream.codec.refusal import Refusal
from stream.core.interaction import Interaction

_CALLS: Final = ("track", "page", "screen", "identify", "group", "alias")
_FIELDS: Final = {"messageId", "originalTimestamp", "timestamp", "sentAt", "receivedAt", "event"}
_BESIDE: Final = {
    "page": ("name", "category"),
    "screen": ("name", "category"),
    "group": ("groupId",),
    "alias": ("previousId",),
}
"""What is a property too, by call."""
_SENDS_AGAIN_UNCHANGED: Final = ("analytics-java", "analytics-node")
"""`context.library.name` of libraries which repeat a request with the first one's `sentAt` (analytics-java, and
RudderStack's for Node, which calls itself so)."""
_LONGEST_UNDERWAY: Final = 86_400_000
"""Milliseconds."""


def is_segment(record: dict[str, object]) -> bool:
    """Whether a record that is not native is of the Segment spec."""
    by_key = "userId" in record or "anonymousId" in record or "batch" in record
    return by_key or (record.get("type") in _CALLS and not _FIELDS.isdisjoint(record))


def read_segment(record: dict[str, object], received: int | None, fields: FieldReader) -> Interaction:
    """The interaction that one call is. Raises Refusal."""
    if "batch" in record:
        raise Refusal(Reason.BAD_SHAPE, "a Segment batch; send each of its calls as a record of its own")
    call = record.get("type")
    if call is not None and call not in _CALLS:
        raise Refusal(Reason.BAD_SHAPE, f"`type` of a Segment record must be one of {', '.join(_CALLS)}")
    name = fields.name(record.get("event"), "event") if call is None or call == "track" else str(call)
    customer, anonymous = fields.subject(record, "userId", "anonymousId")
    own_id = fields.own_id(record.get("messageId"))
    context = fields.mapping(record.get("context"), "context")
    key = "traits" if call in ("identify", "group") else "properties"
    sent = record.get(key)
    if sent is None and call == "identify":
        sent = context.get("traits")
    properties = fields.mapping(sent, key)
    if isinstance(call, str) and call in _BESIDE:
        for each in _BESIDE[call]:
            beside = record.get(each)
            if beside is not None and each not in properties:
                properties = {**properties, each: beside}
    time = _time(record, context, received, fields)
    return Interaction(customer, anonymous, own_id, name, time, properties, context)


def _time(record: dict[str, object], context: dict[str, object], received: int | None, fields: FieldReader) -> int:
    timestamp, original = record.get("timestamp"), record.get("originalTimestamp")
    if timestamp is not None and original is not None:
        corrected = fields.helper(timestamp, "timestamp", received)
        if corrected is not None:
            return fields.time(corrected, None)
        moment = fields.moment(original, "originalTimestamp", received)
    elif original is not None:
        moment = fields.moment(original, "originalTimestamp", received)
    else:
        moment = fields.moment(timestamp, "timestamp", received)
    stated = fields.helper(record.get("receivedAt"), "receivedAt", received)
    arrival = received if stated is None else stated
    if moment is None:
        return fields.time(arrival, None)
    sent = fields.helper(record.get("sentAt"), "sentAt", received)
    if sent is not None and arrival is not None:
        moment += _correction(arrival - sent, stated is not None, context)
    return fields.time(moment, None)


def _correction(late: int, is_stated: bool, context: dict[str, object]) -> int:
    """What the sender's clock is off, to be added to its times, where a request arrived so `late` after its `sentAt`.

    A request that arrives before it was sent shows a clock that is ahead. One that arrives later shows one that is
    behind, but for

    - a library that keeps the first `sentAt` when it sends again: it may only have waited;
    - more than a day, by the broker's time: then old records were put on the topic, and the clock was right. Where
      somebody stated `receivedAt`, that is the arrival, and the clock was off.
    """
    if late >= 0:
        library = context.get("library")
        if isinstance(library, dict) and library.get("name") in _SENDS_AGAIN_UNCHANGED:
            return 0
        if late > _LONGEST_UNDERWAY and not is_stated:
            return 0
    return late
