"""Deliveries of stage changes as records: those that wait, on the changelog; those that were given up; commands.

Changelog keys begin with a byte that says what the record is: a delivery (`d`, the endpoint's name, a zero byte, the id
of the change), what is known of an endpoint (`e`, its name), or the position (`p`).
"""

from typing import Final, Literal, NamedTuple, TypeVar

import msgspec

from stream.codec.records import Headers, Outgoing
from stream.codec.stage_changes import in_header
from stream.codec.trace_context import TraceContext, context_of
from stream.errors import StateError

DELIVERY: Final = b"d"
ENDPOINT: Final = b"e"
FORMAT: Final = 1
_UNTRACED: Final = 6
"""Fields of a delivery before those of its trace."""

GivenUp = Literal["refused", "exhausted", "overflow", "unprocessable"]
"""Why a delivery was given up: the tool refused it for good, or it lacks what the tool needs; the last attempt failed;
too many waited; our code failed on it."""
Action = Literal["pause", "resume", "disable", "redeliver"]


class WaitingDelivery(msgspec.Struct, array_like=True):
    """A delivery that waits; times are epoch milliseconds."""

    format: int
    order: int
    """Deliveries of one customer are sent in this order."""
    came: int
    """When it began to wait."""
    attempts: int
    due: int
    """When it may be tried again; means nothing before the first attempt."""
    value: bytes
    """The change, as on the topic of stage changes."""
    traceparent: bytes = b""
    tracestate: bytes = b""
    """The trace that it belongs to. Releases before there were traces read what stands before these two."""

    @property
    def context(self) -> TraceContext | None:
        """The same; None where it belongs to none."""
        return context_of(self.traceparent, self.tracestate) if self.traceparent else None


class EndpointState(msgspec.Struct, array_like=True):
    """What a partition knows of an endpoint; times are epoch milliseconds."""

    format: int = FORMAT
    paused_at: int | None = None
    disabled_at: int | None = None
    disabled_reason: str = ""
    failing_since: int | None = None
    """Each attempt since then failed."""
    not_before: int = 0
    """The endpoint asked to be left alone until then."""

    @property
    def is_open(self) -> bool:
        """Whether anything may be sent."""
        return self.paused_at is None and self.disabled_at is None

    def but(self, **changes: int | str | None) -> "EndpointState":
        """The same with other values in these fields."""
        return msgspec.structs.replace(self, **changes)


class DeliveryCommand(msgspec.Struct, omit_defaults=True):
    """What an operator, or a process of this role, wants of the deliveries of one partition."""

    command: Action
    endpoint: str
    at: int
    """When it was given, epoch milliseconds."""
    reason: str = ""
    id: str = ""
    """Of the change to be delivered again, for people: the change says it itself."""
    change: msgspec.Raw = msgspec.Raw(b"null")
    """The change to be delivered again, as on the topic of stage changes."""


class GivenUpDelivery(NamedTuple):
    """A delivery that was given up, as its record says."""

    endpoint: str
    event_id: str
    reason: str
    """One of `GivenUp`, or one that this version does not know."""
    detail: str
    attempts: int
    at: int
    """When, epoch milliseconds."""
    value: bytes


R = TypeVar("R", WaitingDelivery, EndpointState)

_waiting_decoder = msgspec.msgpack.Decoder(WaitingDelivery)
_endpoint_decoder = msgspec.msgpack.Decoder(EndpointState)
_command_decoder = msgspec.json.Decoder(DeliveryCommand)
_packer = msgspec.msgpack.Encoder()


def delivery_key(endpoint: str, event_id: str) -> bytes:
    """The changelog key of a delivery."""
    return DELIVERY + endpoint.encode() + b"\0" + event_id.encode()


def split_delivery_key(key: bytes) -> tuple[str, str]:
    """Endpoint and id of the change."""
    endpoint, _, event_id = key[1:].partition(b"\0")
    return endpoint.decode(), event_id.decode()


def endpoint_key(endpoint: str) -> bytes:
    """The changelog key of what is known of an endpoint."""
    return ENDPOINT + endpoint.encode()


def subject_of(event_id: str) -> str:
    """Kind and id of the subject whose change has this id, such as `customer:42`."""
    return event_id.split(":", 1)[1].rsplit(":", 2)[0]


def lifecycle_of(event_id: str) -> str:
    """The lifecycle whose change has this id."""
    return event_id.partition(":")[0]


def place_of(event_id: str) -> tuple[int, int, int]:
    """Orders the changes of one subject in one lifecycle: generation, where the life began, number in the life."""
    _, born, sequence = event_id.rsplit(":", 2)
    generation, dot, began = born.rpartition(".")
    return int(generation) if dot else 1, int(began.partition("-")[2]), int(sequence)


def encode(value: WaitingDelivery | EndpointState) -> bytes:
    """The value of a changelog record; a delivery without a trace is as it was before there were any."""
    if isinstance(value, WaitingDelivery) and not value.traceparent:
        return _packer.encode(msgspec.structs.astuple(value)[:_UNTRACED])
    return _packer.encode(value)


def decode_waiting(value: bytes) -> WaitingDelivery:
    """A delivery that waits. Raises StateError."""
    return _decode(_waiting_decoder, value)


def decode_endpoint(value: bytes) -> EndpointState:
    """What is known of an endpoint. Raises StateError."""
    return _decode(_endpoint_decoder, value)


def _decode(decoder: "msgspec.msgpack.Decoder[R]", value: bytes) -> R:
    try:
        found = decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"a record of deliveries cannot be read: {error}") from None
    if found.format != FORMAT:
        raise StateError(
            f"a record of deliveries has format {found.format}, this version reads {FORMAT}: it was written by a newer "
            "version; upgrade this process to that one"
        )
    return found


def encode_command(command: DeliveryCommand) -> bytes:
    """The value of a record on the topic of commands."""
    return msgspec.json.encode(command)


def decode_command(value: bytes | None) -> DeliveryCommand | None:
    """A command; None where the record holds none that this version knows."""
    try:
        return _command_decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def given_up(
    endpoint: str, event_id: str, value: bytes, reason: GivenUp, detail: str, attempts: int, at: int
) -> Outgoing:
    """The dead letter of a delivery: key and value as on the topic of stage changes, the rest in headers."""
    headers = [
        ("webhook_endpoint", endpoint.encode()),
        ("webhook_id", in_header(event_id)),
        ("webhook_reason", reason.encode()),
        ("webhook_detail", in_header(detail)),
        ("webhook_attempts", b"%d" % attempts),
        ("webhook_at", b"%d" % at),
    ]
    return Outgoing(subject_of(event_id).partition(":")[2].encode(), value, headers)


def read_given_up(value: bytes | None, headers: Headers) -> GivenUpDelivery | None:
    """A delivery that was given up; None where the record is none."""
    found = dict(headers)
    try:
        return GivenUpDelivery(
            found["webhook_endpoint"].decode(),
            found["webhook_id"].decode(),
            found["webhook_reason"].decode(),
            found["webhook_detail"].decode(),
            int(found["webhook_attempts"]),
            int(found["webhook_at"]),
            value or b"",
        )
    except (KeyError, ValueError):
        return None
