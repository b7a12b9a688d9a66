"""Which records are about one person, and what they say, as JSON. Without I/O."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import orjson

from stream.codec import dead_letters
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.dead_letters import DeadLetter
from stream.codec.deliveries import DELIVERY, decode_command, decode_waiting, read_given_up, split_delivery_key
from stream.codec.deliveries import subject_of as subject_of_delivery
from stream.codec.interactions import InteractionDecoder
from stream.codec.records import Headers, SourceRecord
from stream.codec.stage_changes import split_current_key
from stream.codec.state.keys import customer_key
from stream.core.interaction import Kind

Found = dict[str, Any]
"""What one record says, with the topic, partition, offset and time where it stands."""
Look = Callable[[SourceRecord, int], Found | None]
"""Of a record and its partition; None: it is not about the person."""

_ESCAPE: Final = b"\\u"
"""Begins a letter of JSON that is not written as itself: an id may be spelled so, too."""


class Person:
    """One customer, or one anonymous visitor."""

    def __init__(self, kind: Kind, subject: str, *, exact: bool) -> None:
        """`exact`: ids are compared as they are written."""
        self.kind, self.subject = kind, subject
        self.key: bytes = customer_key(kind, subject)
        """Of the record in the changelog."""
        self.field: str = f"{kind}_id"
        """What JSON of ours calls the id."""
        self._id = subject.encode()
        self._quoted = orjson.dumps(subject)
        self._exact = exact

    def interaction(self, decoder: InteractionDecoder) -> Look:
        """An interaction of theirs."""

        def look(record: SourceRecord, _partition: int) -> Found | None:
            if not self._may_name(record):
                return None
            read = decoder.decode(record.value, record.timestamp, record.headers)
            if isinstance(read, Rejected):  # a dead letter, by now
                return None
            theirs = read.customer_id if self.kind == "customer" else read.anonymous_id
            return {"value": shown(record.value), **_beside(record.headers)} if theirs == self.subject else None

        return look

    def change(self, record: SourceRecord, _partition: int) -> Found | None:
        """A stage change of theirs."""
        if record.key != self._id or not self._says_so(record.value):
            return None
        return {"value": shown(record.value), **_beside(record.headers)}

    def current_stage(self, record: SourceRecord, _partition: int) -> Found | None:
        """Their latest stage change in a lifecycle."""
        if record.key is None or record.value is None or split_current_key(record.key)[1] != self.key:
            return None
        return {"value": shown(record.value)}

    def dead_letter(self, record: SourceRecord, partition: int) -> Found | None:
        """One whose key is their id, or whose text names it: nobody knows what is in a dead letter."""
        letter = dead_letters.read(record, partition)
        if not isinstance(letter, DeadLetter):
            return None
        matched = "key" if letter.key == self._id else "text" if self._quoted in (letter.value or b"") else None
        if matched is None:
            return None
        return {
            "matched": matched,
            "reason": letter.reason,
            "detail": letter.detail,
            "source": str(letter.source),
            "value": shown(letter.value),
            **_beside(letter.headers),
        }

    def waiting_delivery(self, record: SourceRecord, _partition: int) -> Found | None:
        """A stage change of theirs that waits to be sent to an endpoint."""
        if record.key is None or record.value is None or record.key[:1] != DELIVERY:
            return None
        endpoint, event_id = split_delivery_key(record.key)
        if subject_of_delivery(event_id) != f"{self.kind}:{self.subject}":
            return None
        waiting = decode_waiting(record.value)
        return {"endpoint": endpoint, "attempts": waiting.attempts, "value": shown(waiting.value)}

    def attempt(self, record: SourceRecord, _partition: int) -> Found | None:
        """An attempt to send a stage change of theirs, and what was answered."""
        if record.key != self._id or not self._says_so(record.value):
            return None
        return {"value": shown(record.value)}

    def given_up(self, record: SourceRecord, _partition: int) -> Found | None:
        """A stage change of theirs that could not be sent."""
        if record.key != self._id or not self._says_so(record.value):
            return None
        lost = read_given_up(record.value, record.headers)
        why = {} if lost is None else {"endpoint": lost.endpoint, "reason": lost.reason, "detail": lost.detail}
        return {**why, "value": shown(record.value)}

    def command(self, record: SourceRecord, _partition: int) -> Found | None:
        """A stage change of theirs that somebody let be sent again."""
        command = decode_command(record.value)
        if command is None or not self._says_so(bytes(command.change)):
            return None
        return {"value": shown(record.value)}

    def _may_name(self, record: SourceRecord) -> bool:
        """Whether it is worth reading: an interaction of theirs has the id somewhere, or an escaped letter."""
        if not self._exact or not self.subject.isascii():
            return True
        value = record.value or b""
        if self._id in value or _ESCAPE in value or record.key == self._id:
            return True
        return any(self._id in (text or b"") for _, text in record.headers)

    def _says_so(self, value: bytes | None) -> bool:
        """Whether JSON of ours is about them: a customer and a visitor may have the same id."""
        try:
            read = orjson.loads(value or b"null")
        except orjson.JSONDecodeError:
            return False
        return isinstance(read, dict) and read.get(self.field) == self.subject


def shown(value: bytes | None) -> object:
    """Bytes as they are where they are JSON, else as text, else as base64."""
    if value is None:
        return None
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        try:
            return {"text": value.decode()}
        except UnicodeDecodeError:
            return {"base64": b64encode(value).decode()}
    return orjson.Fragment(value)


def _beside(headers: Headers) -> Found:
    """The headers of a record, where it has any."""
    if not headers:
        return {}
    return {"headers": {name: (text or b"").decode("utf-8", "replace") for name, text in headers}}
