"""What the placeholders of a template stand for, of one change at one endpoint."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.endpoint import UnfitChangeError
from stream.webhooks.templating.change_fields import field_of
from stream.webhooks.templating.filters import FILTERS, UnfitValueError, as_text
from stream.webhooks.templating.placeholders import VALUES, FilterCall, Placeholder, Text, parse_field, parse_text
from stream.webhooks.templating.template_values import TemplateValue, ValueKind, fields, stages

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_LONGEST_EMAIL: Final = 320
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Material:
    """A change, its id, and the endpoint's values with what the template says of them.

    Every method raises UnfitChangeError where a value is there and is not what it must be, such as an e-mail address.
    """

    change: SubscribedChange
    event_id: str
    values: Mapping[str, str]
    asked: Mapping[str, TemplateValue]

    def value(self, placeholder: Placeholder) -> object:
        """What a placeholder stands for, of its own type; None where there is nothing."""
        found = self._named(placeholder)
        for call in placeholder.filters:
            found = self._filtered(found, call, placeholder)
        return found

    def text(self, text: Text) -> str | None:
        """A text with everything put in; None where a placeholder stands for nothing."""
        if len(text.parts) == 1 and isinstance(text.parts[0], str):
            return text.parts[0]
        put: list[str] = []
        for part in text.parts:
            found = part if isinstance(part, str) else self.value(part)
            if found is None:
                return None
            put.append(as_text(found))
        return "".join(put)

    def what(self, placeholder: Placeholder) -> str:
        """A placeholder as it is named to whoever wrote the endpoint; it holds nothing of the customer."""
        name = placeholder.value
        if not name or name not in self.asked:
            return placeholder.name
        kind = self.asked[name].kind
        by_field = kind in (ValueKind.FIELD, ValueKind.EMAIL) and name in self.values
        return f"{name}: {self.values[name]}" if by_field else name

    def _named(self, placeholder: Placeholder) -> object:
        if name := placeholder.value:
            return self._of_endpoint(name, placeholder)
        match placeholder.name:
            case "id":
                return self.event_id
            case "ulid":
                return ulid_of(self.event_id, self.change.at)
            case "uuid":
                return str(uuid5(NAMESPACE_URL, self.event_id))
            case "change":
                return orjson.Fragment(self.change.value)
        return field_of(self.change, placeholder.name)

    def _of_endpoint(self, name: str, placeholder: Placeholder) -> object:
        text = self.values.get(name)
        if text is None:
            return None
        match self.asked[name].kind:
            case ValueKind.FIELD:
                return self.value(parse_field(text))
            case ValueKind.EMAIL:
                return self._email(self.value(parse_field(text)), placeholder)
            case ValueKind.FIELDS:
                found = {key: self.value(field) for key, field in fields(text).items()}
                return {key: each for key, each in found.items() if each is not None}
            case ValueKind.MESSAGE:
                return self._message(text, placeholder.filters)
            case _:
                return text

    def _message(self, text: str, filters: tuple[FilterCall, ...]) -> str | None:
        """What stands in the message itself is meant as it is: filters are for what is put in."""
        parts = [
            part if isinstance(part, str) else part._replace(filters=(*part.filters, *filters))
            for part in parse_text(text, values=False).parts
        ]
        return self.text(Text(tuple(parts)))

    def _email(self, found: object, placeholder: Placeholder) -> str | None:
        if found is None:
            return None
        text = as_text(found).strip()
        if len(text) > _LONGEST_EMAIL or not _EMAIL.fullmatch(text):
            raise UnfitChangeError(
                f"{self.what(placeholder)} holds no e-mail address; name a field that does, as in email: facts.email"
            )
        return text

    def _filtered(self, found: object, call: FilterCall, placeholder: Placeholder) -> object:
        if call.name == "or":
            return call.arguments[0] if found is None else found
        if found is None:
            return None
        asked = self.asked.get(placeholder.value)
        if asked is not None and asked.kind is ValueKind.MESSAGE:
            return found  # they are for what is put in, which has passed them
        if call.name == "in":
            return self._stages(call).get(as_text(found))
        if isinstance(found, dict) and call.name != "rows":
            return {key: self._filtered(each, call, placeholder) for key, each in found.items()}
        try:
            return FILTERS[call.name].apply(found, call.arguments)
        except UnfitValueError as error:
            raise UnfitChangeError(f"{self.what(placeholder)} {error}") from None

    def _stages(self, call: FilterCall) -> Mapping[str, str]:
        text = self.values.get(call.arguments[0].removeprefix(VALUES))
        return stages(text) if text is not None else {}


def ulid_of(event_id: str, at: int) -> str:
    """The change's id as a ULID, the same each time: its time, in epoch ms, and 80 bits of a hash of its id."""
    number = (max(at, 0) << 80) | int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:10])
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
