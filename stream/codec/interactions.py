r"""Interaction records to the core's Interaction: the native format, and the six calls of the Segment spec.

Native (`schemas/interaction.schema.json`):

    {"id", "type", "customer_id", "anonymous_id", "time", "properties", "context"}

`type` is the event name; one of the two subject ids is needed, everything else may be missing or null.
The format is decided record by record: one with the key `customer_id` or `anonymous_id` is native; else one
with `userId`, `anonymousId` or `batch`, or with a call's name as its `type` and another field that only the
Segment spec knows, is Segment; all others are read as native. Unknown keys are ignored. In both formats:

- An id is text, kept as it was sent, or a whole number, read as its decimal text: clients do send `42` for
  `"42"`. Null, empty and blank mean that there is none.
- Of a key that stands twice in one object, the last counts.
- `\u0000` is a character like any other. A lone surrogate is no text and makes the record `not_json`, as does
  a number beyond what a double can hold (1e999). A whole number beyond 64 bits is read as the nearest double.
"""

from typing import Final, NoReturn

import orjson

from stream.codec.rejected import MAX_BYTES, MAX_DEPTH, MAX_ID_BYTES, Reason, Rejected
from stream.codec.times import parse_time
from stream.core.interaction import MAX_TIME, MIN_TIME, Interaction

DEFAULT_BLOCKED: Final = frozenset(
    {
        # How languages and exports spell "nothing", and what stands for nobody in particular.
        *("null", "(null)", "<null>", "nil", "<nil>", "none", "undefined", "nan", "n/a", "na"),
        *("false", "true", "-1", "{}", "[]", "[object object]"),
        *("anon", "anonymous", "guest", "unknown", "not_authenticated"),
        # The name of a field where its value was meant.
        *("id", "email", "distinct_id", "distinctid"),
        # What phones answer when they may not pass on the advertising id.
        *("00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"),
    }
)
"""Subject ids that stand for nobody, lower-case.

One of them gathers the behaviour of thousands in one customer, and merges all once identities are tied.
PostHog and Mixpanel refuse nearly all of these as a user's id; they refuse `0` too, which here may be the
first customer.
"""


class _Refusal(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        self.rejected = Rejected(reason, detail)


_CALLS: Final = ("track", "page", "screen", "identify", "group", "alias")
_SEGMENT_FIELDS: Final = {"messageId", "originalTimestamp", "timestamp", "sentAt", "receivedAt", "event"}
_KINDS: Final = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}
_SURELY_SHORT: Final = MAX_ID_BYTES // 4  # characters: none has more than four bytes
_NESTED_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} objects and lists"


def decode(value: bytes | None, received: int | None, blocked: frozenset[str]) -> Interaction | Rejected:
    """Read one record of the interactions topic; never raises, whatever the bytes.

    `received` is the broker's time of the record in epoch ms, None offline: the interaction's time where the
    record names none, and what a Segment sender's clock is corrected by. `blocked` are the ids that stand for
    nobody, lower-case; ids are compared without case and surrounding white space. A record whose subject is
    blocked is rejected; beside a good customer id, a blocked anonymous id is read as absent.

    Segment: the name is `event` of a track call (also where `type` is missing, as in a body meant for
    /v1/track), else the call; the id is `messageId`; properties are `properties`, of group and identify
    `traits`, of identify without them `context.traits`. The time is

    - `timestamp` where `originalTimestamp` stands beside it, for then it has been corrected already;
    - else, with `sentAt`: arrival - (sentAt - (`originalTimestamp` or `timestamp`)), which takes the error of
      the sender's clock out; the arrival is `receivedAt`, else the broker's time, without both: uncorrected;
    - else `originalTimestamp` or `timestamp` as it is, else the arrival.
    """
    try:
        record = _read(value)
        if "customer_id" not in record and "anonymous_id" not in record and _is_segment(record):
            return _segment(record, received, blocked)
        return _native(record, received, blocked)
    except _Refusal as refusal:
        return refusal.rejected


def encode_native(interaction: Interaction) -> bytes:
    """Write an interaction in the native format: decoding it, with nothing blocked, gives it back.

    Its properties and context must hold what JSON can: TypeError for anything else, whole numbers beyond 64
    bits and lone surrogates among it; NaN and the infinities become null.
    """
    record = {
        "customer_id": interaction.customer_id,
        "anonymous_id": interaction.anonymous_id,
        "id": interaction.id,
        "time": interaction.time,
        "properties": interaction.properties,
        "context": interaction.context,
        "type": interaction.name,
    }
    present = {key: value for key, value in record.items() if value is not None}
    return orjson.dumps(present, default=dict)  # for a mapping that is no dict


def _read(value: bytes | None) -> dict[str, object]:
    if value is None:
        raise _Refusal(Reason.NULL_VALUE, "the record has no value; an interaction is a JSON object")
    if len(value) > MAX_BYTES:
        raise _Refusal(Reason.TOO_LARGE, f"{len(value)} bytes; at most {MAX_BYTES} are read")
    try:
        record: object = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        _refuse_unreadable(value, str(error))
    # Few records have brackets enough to be too deep. `replace` finds them twice as fast as `count`.
    brackets = len(value) - len(value.replace(b"{", b"").replace(b"[", b""))
    if brackets > MAX_DEPTH and _is_too_deep(record):
        raise _Refusal(Reason.TOO_DEEP, _NESTED_TOO_DEEP)
    if not isinstance(record, dict):
        raise _Refusal(Reason.NOT_AN_OBJECT, f"an interaction is a JSON object; this is {_kind(record)}")
    return record


def _refuse_unreadable(value: bytes, error: str) -> NoReturn:
    try:
        value.decode()
    except UnicodeDecodeError as problem:
        raise _Refusal(Reason.NOT_UTF8, f"byte {problem.start} is not UTF-8; JSON is UTF-8") from None
    # orjson stops at 1,024 levels, however much stack is left, and says so in these words.
    if "depth limit" in error:
        raise _Refusal(Reason.TOO_DEEP, _NESTED_TOO_DEEP)
    raise _Refusal(Reason.NOT_JSON, error)


def _is_too_deep(record: object) -> bool:
    level: list[dict[str, object] | list[object]] = [[record]]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if child.__class__ is dict or child.__class__ is list
        ]
    return bool(level)


def _native(record: dict[str, object], received: int | None, blocked: frozenset[str]) -> Interaction:
    name = _name(record.get("type"), "type")
    customer, anonymous, own_id = _ids(record, "customer_id", "anonymous_id", "id", blocked)
    properties = _object(record.get("properties"), "properties")
    context = _object(record.get("context"), "context")
    time = _time(record.get("time"), "time")
    if time is None:
        time = _possible(received)
    return Interaction(customer, anonymous, own_id, name, time, properties, context)


def _is_segment(record: dict[str, object]) -> bool:
    by_key = "userId" in record or "anonymousId" in record or "batch" in record
    return by_key or (record.get("type") in _CALLS and not _SEGMENT_FIELDS.isdisjoint(record))


def _segment(record: dict[str, object], received: int | None, blocked: frozenset[str]) -> Interaction:
    if "batch" in record:
        raise _Refusal(Reason.BAD_SHAPE, "a Segment batch; send each of its calls as a record of its own")
    call = record.get("type")
    if call is not None and call not in _CALLS:
        raise _Refusal(Reason.BAD_SHAPE, f"`type` of a Segment record must be one of {', '.join(_CALLS)}")
    name = _name(record.get("event"), "event") if call is None or call == "track" else str(call)
    customer, anonymous, own_id = _ids(record, "userId", "anonymousId", "messageId", blocked)
    context = _object(record.get("context"), "context")
    key = "traits" if call in ("identify", "group") else "properties"
    properties = record.get(key)
    if properties is None and call == "identify":
        properties = context.get("traits")
    time = _segment_time(record, received)
    return Interaction(customer, anonymous, own_id, name, time, _object(properties, key), context)


def _segment_time(record: dict[str, object], received: int | None) -> int:
    timestamp = _time(record.get("timestamp"), "timestamp")
    original = _time(record.get("originalTimestamp"), "originalTimestamp")
    if timestamp is not None and original is not None:
        return timestamp
    arrival = _time(record.get("receivedAt"), "receivedAt")
    if arrival is None:
        arrival = received
    moment = timestamp if original is None else original
    if moment is None:
        return _possible(arrival)
    sent = _time(record.get("sentAt"), "sentAt")
    return moment if sent is None or arrival is None else _possible(arrival - (sent - moment))


def _name(name: object, key: str) -> str:
    if not isinstance(name, str) or not name or name.isspace():
        raise _Refusal(Reason.NO_EVENT_NAME, f"`{key}` must be the event name, as text; it is {_kind(name)}")
    if len(name) > _SURELY_SHORT and len(name.encode()) > MAX_ID_BYTES:
        raise _Refusal(Reason.ID_TOO_LONG, f"`{key}`, the event name, has more than {MAX_ID_BYTES} bytes")
    return name


def _ids(
    record: dict[str, object], customer_key: str, anonymous_key: str, own_key: str, blocked: frozenset[str]
) -> tuple[str | None, str | None, str | None]:
    customer = _id(record.get(customer_key), customer_key)
    anonymous = _id(record.get(anonymous_key), anonymous_key)
    own_id = _id(record.get(own_key), own_key)
    subject = anonymous if customer is None else customer
    if subject is None:
        raise _Refusal(Reason.NO_SUBJECT, f"neither `{customer_key}` nor `{anonymous_key}` says whose it is")
    if subject.strip().lower() in blocked:
        raise _Refusal(Reason.BLOCKED_SUBJECT, f"the subject is {subject.strip()!r}, which stands for nobody")
    if anonymous is not None and anonymous is not subject and anonymous.strip().lower() in blocked:
        anonymous = None
    return customer, anonymous, own_id


def _id(value: object, key: str) -> str | None:
    if isinstance(value, str):
        if len(value) > _SURELY_SHORT and len(value.encode()) > MAX_ID_BYTES:
            raise _Refusal(Reason.ID_TOO_LONG, f"`{key}` has more than {MAX_ID_BYTES} bytes")
        return None if not value or value.isspace() else value
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        reason = Reason.BAD_SHAPE if key in ("id", "messageId") else Reason.BAD_SUBJECT
        raise _Refusal(reason, f"`{key}` must be text or a whole number; it is {_kind(value)}")
    return str(value)


def _object(value: object, key: str) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    if value is not None:
        raise _Refusal(Reason.BAD_SHAPE, f"`{key}` must be an object; it is {_kind(value)}")
    return {}


def _time(value: object, key: str) -> int | None:
    time = parse_time(value)
    if time is None and value is not None:
        found = repr(value[:40]) if isinstance(value, str) else _kind(value)
        raise _Refusal(Reason.BAD_TIME, f"`{key}` must be a time from year 1 to 9999; it is {found}")
    return time


def _possible(time: int | None) -> int:
    if time is None:
        raise _Refusal(Reason.BAD_TIME, "no time in the record, and no broker's time to use instead")
    if not MIN_TIME <= time <= MAX_TIME:
        raise _Refusal(Reason.BAD_TIME, f"the time comes out as {time}, which is outside years 1 to 9999")
    return time


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text" if value.strip() else "blank"
    return _KINDS.get(type(value), "missing or null")
