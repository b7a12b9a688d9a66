"""What an item lacks that only the door knows: its call, what its batch says for all, when it arrived, its id.

Everything else of an item stays as it was sent, byte by byte; what is put in stands behind it.
"""

import re
from typing import Final
from uuid import uuid4

import msgspec
from xxhash import xxh3_128_hexdigest

from stream.web.collector.splitting import NULL, Members, Raw, members_of

_ENCODER: Final = msgspec.json.Encoder()
_NOT_OF_THE_CALL: Final = ("sentAt", "receivedAt", "writeKey")
"""What another attempt to send the same call has another of."""
_AT_THE_DOOR: Final = ("writeKey", "sentAt", "receivedAt")
"""What is taken out of a call of a batch, or put in."""
_ESCAPED_LETTER: Final = re.compile(rb"\\u00[4-7]").search
"""JSON can write each letter of a key so."""
_EMPTY: Final = b"{}"
_LEVELS: Final = 8


class Arrival:
    """What is the same for all items of a request of Segment's."""

    def __init__(self, call: str, batch: Members, received: str, address: str | None) -> None:
        """`call` is the one that the path says, empty where it says none; `received` is RFC 3339."""
        self._call = Raw(_ENCODER.encode(call)) if call else None
        self._sent = _present(batch, "sentAt")
        context = _present(batch, "context")
        self.context_bytes = len(context or b"")
        """What the batch's context may add to each item."""
        self._context = None if context is None or members_of(bytes(context)) is None else context
        self._received = Raw(_ENCODER.encode(received))
        self.address = None if address is None else _ENCODER.encode(address)
        """The sender's, as JSON, where it is to be put in."""
        self._behind: bytes | None = None
        """Where no call of a batch needs more than that: what is put behind its last member, and its end."""

    def append_alone(self, body: bytes, batch: Members) -> None:
        """Let `appended_to` complete the calls of this batch, which stands in `body`, where they need no more."""
        if self._call is None and self._context is None and self.address is None and not _says_more(body, batch):
            sent = b"" if self._sent is None else b',"sentAt":' + bytes(self._sent)
            self._behind = sent + b',"receivedAt":' + bytes(self._received) + b"}"

    def appended_to(self, item: bytes) -> bytes | None:
        """As `complete` leaves the item, which is not taken apart; None where it must be.

        What was no object is none afterwards either.
        """
        behind = self._behind
        if behind is None or not item.startswith(b"{") or not item.endswith(b"}"):
            return None
        return item[:-1] + behind

    def complete(self, members: Members) -> None:
        """Put in what the call lacks; take out its write key, which nobody behind the door needs."""
        members.pop("writeKey", None)
        if self._call is not None and _present(members, "type") is None:
            members["type"] = self._call
        if self._sent is not None and _present(members, "sentAt") is None:
            members["sentAt"] = self._sent
        if self._context is not None:
            own = _present(members, "context")
            if own is None or bytes(own) == _EMPTY:
                members["context"] = self._context
            else:
                members["context"] = Raw(merged(bytes(own), bytes(self._context)))
        if self.address is not None:
            put_address(members, self.address)
        members["receivedAt"] = self._received


def _says_more(body: bytes, batch: Members) -> bool:
    """Whether a call of the batch may have what is taken out or put in: it stands in the body more than once."""
    if b"\\" in body and _ESCAPED_LETTER(body) is not None:
        return True
    for key in _AT_THE_DOOR:
        if body.count(b'"%s"' % key.encode()) != (1 if key in batch else 0):
            return True
    return False


def put_address(members: Members, address: bytes) -> None:
    """Put the sender's IP address, as JSON, into the item's context, where that has none."""
    own = _present(members, "context")
    context = {} if own is None else members_of(bytes(own))
    if context is not None and _present(context, "ip") is None:
        context["ip"] = Raw(address)
        members["context"] = Raw(encoded(context))


def merged(own: bytes, beside: bytes, levels: int = _LEVELS) -> bytes:
    """An object with what another one has besides, so many levels deep; where both have a value, its own."""
    mine, other = members_of(own), members_of(beside)
    if mine is None or other is None:
        return own
    for key, value in other.items():
        held = mine.get(key)
        if held is None:
            mine[key] = value
        elif levels > 0:
            mine[key] = Raw(merged(bytes(held), bytes(value), levels - 1))
    return encoded(mine)


def encoded(members: Members) -> bytes:
    """The bytes of an object."""
    return _ENCODER.encode(members)


def id_of(members: Members, times: tuple[str, ...]) -> str:
    """The id of an item that has none.

    Made of its bytes, where it has a time of its own among `times`: an attempt to send it again has the same. Else
    drawn: two equal calls without a time are two.
    """
    if any(_present(members, each) is not None for each in times):
        kept = {key: value for key, value in members.items() if key not in _NOT_OF_THE_CALL}
        return xxh3_128_hexdigest(encoded(kept))
    return uuid4().hex


def _present(members: Members, key: str) -> Raw | None:
    """What is there, and not null."""
    value = members.get(key)
    return None if value is None or bytes(value) == NULL else value
