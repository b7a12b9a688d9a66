"""The six calls of the Segment spec, as its libraries and those that follow it send them.

The name is `event` of a track call (also where `type` is missing, as in a body meant for /v1/track), else the call;
the id is `messageId`. Properties are `properties`, of group and identify `traits`, of identify without them
`context.traits`. What a library puts beside them is readable as a property where there is none of that name: `name` and
`category` of page and screen, `groupId` of group, `previousId` of alias.

The time is

- `timestamp` where `originalTimestamp` stands beside it, for then it has been corrected already;
- else `originalTimestamp` or `timestamp`, corrected by what the sender's clock is off (`_correction`);
- else the arrival: `receivedAt`, else the broker's time.

What only helps never costs a call, nor moves it where it cannot belong. It is left out, and counted, where it cannot be
read, and

- `timestamp` beside `originalTimestamp`, and `receivedAt`, where they are not believed: before the setting
  `earliest_time`, or more than 5 minutes after the broker's time;
- `sentAt` where it is more than a second before the call's own time: a call is sent after it was made;
- the correction where the time that it gives is not believed.
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
_CUT_OFF: Final = 1_000
"""Milliseconds that `sentAt` may be before the call's own time: some senders leave out fractions of a second."""


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
    event = record.get("event")
    if call is None and event is None:
        raise Refusal(
            Reason.NO_EVENT_NAME,
            f"neither `type` ({', '.join(_CALLS)}) says which call of Segment it is, nor `event` what was tracked",
        )
    name = fields.name(event, "event") if call is None or call == "track" else str(call)
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
        corrected = fields.believed(timestamp, "timestamp", received)
        if corrected is not None:
            return corrected
        moment = fields.moment(original, "originalTimestamp", received)
    elif original is not None:
        moment = fields.moment(original, "originalTimestamp", received)
    else:
        moment = fields.moment(timestamp, "timestamp", received)
    stated = record.get("receivedAt")
    arrived = None if stated is None else fields.believed(stated, "receivedAt", received)
    if moment is None:
        return fields.time(arrived, received)
    sent = record.get("sentAt")
    return fields.time(moment if sent is None else _corrected(moment, sent, arrived, received, context, fields), None)


def _corrected(
    moment: int,
    stated: object,
    arrived: int | None,
    received: int | None,
    context: dict[str, object],
    fields: FieldReader,
) -> int:
    """The call's own time without what the sender's clock is off, as far as `stated`, its `sentAt`, tells."""
    sent = fields.helper(stated, "sentAt", received)
    if sent is None:
        return moment
    if sent < moment - _CUT_OFF:
        fields.flaw("sentAt")
        return moment
    arrival = received if arrived is None else arrived
    if arrival is None:
        return moment
    moved = moment + _correction(arrival - sent, arrived is not None, context)
    if moved != moment and not fields.believes(moved):
        fields.flaw("sentAt")
        return moment
    return moved


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
