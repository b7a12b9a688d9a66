"""What the placeholders of a template stand for at one endpoint, as functions of a change."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast
from uuid import NAMESPACE_URL, uuid5

import orjson

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.endpoint import UnfitChangeError
from stream.webhooks.templating.change_fields import reader_of
from stream.webhooks.templating.filters import FILTERS, UnfitValueError, as_text
from stream.webhooks.templating.placeholders import VALUES, FilterCall, Placeholder, Text, parse_field, parse_text
from stream.webhooks.templating.template_values import TemplateValue, ValueKind, fields, stages

Read = Callable[[SubscribedChange, str], object]
"""A value, of a change and its id; None where there is nothing."""
Convert = Callable[[object], object]

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_LONGEST_EMAIL: Final = 320
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Constant:
    """What is the same for each change, read already."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __call__(self, _change: SubscribedChange, _event_id: str) -> object:
        return self.value


def folded(read: Read, made_of: Iterable[Read]) -> Read:
    """The same, read now where all that it is made of is constant; not where that fails: then each change is unfit."""
    if all(isinstance(each, Constant) for each in made_of):
        with suppress(UnfitChangeError):
            return Constant(read(cast("SubscribedChange", None), ""))
    return read


@dataclass(frozen=True, slots=True)
class Material:
    """An endpoint's values, with what the template says of them: placeholders become functions of a change.

    So what is the same for each change is looked at once. Every function raises UnfitChangeError where a value is there
    and is not what it must be, such as an e-mail address.
    """

    values: Mapping[str, str]
    asked: Mapping[str, TemplateValue]

    def value(self, placeholder: Placeholder) -> Read:
        """What a placeholder stands for, of its own type; None where there is nothing."""
        read = self._named(placeholder)
        for call in placeholder.filters:
            read = _through(self._filter(call, placeholder), read)
        return read

    def text(self, text: Text) -> Read:
        """A text with everything put in; None where a placeholder stands for nothing."""
        parts = [Constant(part) if isinstance(part, str) else self.value(part) for part in text.parts]

        def read(change: SubscribedChange, event_id: str) -> str | None:
            put: list[str] = []
            for part in parts:
                found = part(change, event_id)
                if found is None:
                    return None
                put.append(found if isinstance(found, str) else as_text(found))
            return "".join(put)

        return folded(read, parts)

    def what(self, placeholder: Placeholder) -> str:
        """A placeholder as it is named to whoever wrote the endpoint; it holds nothing of the customer."""
        name = placeholder.value
        if not name or name not in self.asked:
            return placeholder.name
        kind = self.asked[name].kind
        by_field = kind in (ValueKind.FIELD, ValueKind.EMAIL) and name in self.values
        return f"{name}: {self.values[name]}" if by_field else name

    def _named(self, placeholder: Placeholder) -> Read:
        if name := placeholder.value:
            return self._of_endpoint(name, placeholder)
        match placeholder.name:
            case "id":
                return lambda _change, event_id: event_id
            case "ulid":
                return lambda change, event_id: ulid_of(event_id, change.at)
            case "uuid":
                return lambda _change, event_id: str(uuid5(NAMESPACE_URL, event_id))
            case "change":
                return lambda change, _event_id: orjson.Fragment(change.value)
        field = reader_of(placeholder.name)
        return lambda change, _event_id: field(change)

    def _of_endpoint(self, name: str, placeholder: Placeholder) -> Read:
        text = self.values.get(name)
        if text is None:
            return Constant(None)
        match self.asked[name].kind:
            case ValueKind.FIELD:
                return self.value(parse_field(text))
            case ValueKind.EMAIL:
                return _through(self._email(placeholder), self.value(parse_field(text)))
            case ValueKind.FIELDS:
                return _object({key: self.value(field) for key, field in fields(text).items()})
            case ValueKind.MESSAGE:
                return self._message(text, placeholder.filters)
            case _:
                return Constant(text)

    def _message(self, text: str, filters: tuple[FilterCall, ...]) -> Read:
        """What stands in the message itself is meant as it is: filters are for what is put in."""
        parts = [
            part if isinstance(part, str) else part._replace(filters=(*part.filters, *filters))
            for part in parse_text(text, values=False).parts
        ]
        return self.text(Text(tuple(parts)))

    def _email(self, placeholder: Placeholder) -> Convert:
        what = self.what(placeholder)

        def convert(found: object) -> str | None:
            if found is None:
                return None
            text = as_text(found).strip()
            if len(text) > _LONGEST_EMAIL or not _EMAIL.fullmatch(text):
                raise UnfitChangeError(
                    f"{what} holds no e-mail address; name a field that does, as in email: facts.email"
                )
            return text

        return convert

    def _filter(self, call: FilterCall, placeholder: Placeholder) -> Convert:
        if call.name == "or":
            other = call.arguments[0]
            return lambda found: other if found is None else found
        asked = self.asked.get(placeholder.value)
        if asked is not None and asked.kind is ValueKind.MESSAGE:
            return lambda found: found  # they are for what is put in, which has passed them
        if call.name == "in":
            known = self._stages(call)
            return lambda found: None if found is None else known.get(as_text(found))
        apply, arguments, what = FILTERS[call.name].apply, call.arguments, self.what(placeholder)
        is_whole = call.name == "rows"

        def convert(found: object) -> object:
            if found is None:
                return None
            if isinstance(found, dict) and not is_whole:
                return {key: convert(each) for key, each in found.items()}
            try:
                return apply(found, arguments)
            except UnfitValueError as error:
                raise UnfitChangeError(f"{what} {error}") from None

        return convert

    def _stages(self, call: FilterCall) -> Mapping[str, str]:
        text = self.values.get(call.arguments[0].removeprefix(VALUES))
        return stages(text) if text is not None else {}


def _through(convert: Convert, read: Read) -> Read:
    """What is made of a value."""
    return folded(lambda change, event_id: convert(read(change, event_id)), [read])


def _object(members: Mapping[str, Read]) -> Read:
    """Those members that there is something for."""

    def read(change: SubscribedChange, event_id: str) -> dict[str, object]:
        found = ((key, member(change, event_id)) for key, member in members.items())
        return {key: each for key, each in found if each is not None}

    return read


def ulid_of(event_id: str, at: int) -> str:
    """The change's id as a ULID, the same each time: its time, in epoch ms, and 80 bits of a hash of its id."""
    number = (max(at, 0) << 80) | int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:10])
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
