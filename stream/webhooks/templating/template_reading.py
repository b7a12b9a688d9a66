"""From the document of a template file to its values, requests and answers; every problem is noted with its place."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from stream.core.language.document import DocumentReader, Entry, kind_of
from stream.core.language.names import unknown
from stream.webhooks.templating.placeholders import Placeholder, PlaceholderError, Text, parse_placeholder, parse_text
from stream.webhooks.templating.retry_after import WaitForm, WaitHeader
from stream.webhooks.templating.template_answers import AnswerRules
from stream.webhooks.templating.template_conditions import Asks, RequestCondition
from stream.webhooks.templating.template_requests import SPREAD, Json, Member, RequestTemplate, Spread
from stream.webhooks.templating.template_values import TemplateValue, ValueKind

METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")
KEYS: Final = ("template", "title", "about", "limits", "values", "at_least_one", "requests", "answers")
VALUE_KEYS: Final = ("help", "kind", "required", "default", "secret", "example")
REQUEST_KEYS: Final = ("only_if", "method", "url", "headers", "bearer", "basic", "needs", "json")
ANSWER_KEYS: Final = ("success", "errors_at", "refused", "gone", "message", "wait")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_VALUE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "user-agent"})
_FIXED_HOST: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/|\Z)")


class TemplateDefinition(NamedTuple):
    """What a template file says."""

    name: str
    title: str
    about: str
    limits: str
    values: tuple[TemplateValue, ...]
    at_least_one: tuple[str, ...]
    """Names of values of which an endpoint gives one or more; empty: all that is required says so itself."""
    requests: tuple[RequestTemplate, ...]
    answers: AnswerRules


class TemplateReader(DocumentReader):
    """Reads one template."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[str, TemplateValue] = {}

    def template(self, document: object) -> TemplateDefinition:
        """All of it; what is wrong is in `problems`. Raises DefinitionError beyond the most that are shown."""
        top = self.mapping(Entry((), document), KEYS)
        name = self.text(top.get("template"), needed="template: its name, such as our-crm")
        if name and not _NAME.fullmatch(name):
            self.problem(top["template"], "a name has lower-case letters, digits and -, and begins with a letter")
        title = self.text(top.get("title"), default=name)
        about, limits = self.text(top.get("about")), self.text(top.get("limits"))
        for key, entry in self.mapping(top.get("values")).items():
            self._asked[key] = self._value(key, entry)
        at_least_one = tuple(str(each.value) for each in self.texts(top.get("at_least_one"), "names of values"))
        for each in at_least_one:
            if each not in self._asked:
                self.problem(top["at_least_one"], unknown(each, list(self._asked), "value of this template"))
        requests = [self._request(each) for each in self.items(top.get("requests"))]
        if not requests and not self.problems:
            self.problem(top.get("requests", Entry((), None)), "requests: a list with at least one request is missing")
        answers = self._answers(top.get("answers"))
        values = tuple(self._asked.values())
        return TemplateDefinition(name, title, about, limits, values, at_least_one, tuple(requests), answers)

    def _value(self, name: str, entry: Entry) -> TemplateValue:
        keys = self.mapping(entry, VALUE_KEYS)
        if not _VALUE_NAME.fullmatch(name):
            self.problem(entry, "a name has lower-case letters, digits and _, and begins with a letter", on_key=True)
        is_url = name == "url" or name.endswith("_url")
        kind = ValueKind.URL if is_url else ValueKind.TEXT
        if "kind" in keys:
            kind = ValueKind(self._one_of(keys["kind"], list(ValueKind), kind))
            if (kind is ValueKind.URL) is not is_url:
                self.problem(
                    keys["kind"], "a value of the kind url is named url, or its name ends with _url, and no other"
                )
        default = self.text(keys.get("default")) or None
        value = TemplateValue(
            name=name,
            help=self.text(keys.get("help")),
            required=self._boolean(keys.get("required"), default is None),
            default=default,
            secret=self._boolean(keys.get("secret"), False),
            kind=kind,
            example=self.text(keys.get("example")),
        )
        if not value.help:
            self.problem(entry, "help: is missing: what the value is, as a phrase", on_key=True)
        if value.required and default is not None:
            self.problem(keys["default"], "what is required has no default", on_key=True)
        if default is not None and (said := value.problem(default)):
            self.problem(keys["default"], said)
        return value

    def _request(self, entry: Entry) -> RequestTemplate:
        keys = self.mapping(entry, REQUEST_KEYS)
        url = self._url(keys.get("url"), entry)
        basic = [self._text(each) for each in self.items(keys.get("basic"))]
        if basic and len(basic) != 2:
            self.problem(keys["basic"], "a list of two was expected: user, password")
        if basic and "bearer" in keys:
            self.problem(keys["bearer"], "there is one kind of credentials: bearer or basic", on_key=True)
        return RequestTemplate(
            method=self._one_of(keys.get("method"), METHODS, "POST"),
            url=url,
            headers=tuple(self._header(name, each) for name, each in self.mapping(keys.get("headers")).items()),
            bearer=self._text(keys["bearer"]) if "bearer" in keys else None,
            basic=(basic[0], basic[1]) if len(basic) == 2 else None,
            json=self._json(keys["json"]) if "json" in keys else None,
            needs=tuple(self._placeholder(each) for each in self.texts(keys.get("needs"), "fields and values")),
            only_if=tuple(self._condition(each) for each in self.items(keys.get("only_if"))),
        )

    def _url(self, entry: Entry | None, request: Entry) -> Text:
        """The host never comes from a change: it stands there, or is the endpoint's."""
        if entry is None:
            self.problem(request, "url: is missing: where the request goes, such as '{values.url}/contacts'")
            return Text(())
        url = self._text(entry)
        first = url.parts[0] if url.parts else ""
        if isinstance(first, Placeholder):
            asked = self._asked.get(first.value)
            fits = asked is not None and asked.kind is ValueKind.URL and not first.filters
        else:
            fits = _FIXED_HOST.match(first) is not None
        if not fits:
            self.problem(entry, "a URL begins with {values.url}, or with https:// and a host without placeholders")
        return url

    def _header(self, name: str, entry: Entry) -> tuple[str, Text]:
        if not _HEADER.fullmatch(name):
            self.problem(entry, f"{name!r} is no name of a header", on_key=True)
        if name.lower() in _OURS or name.lower().startswith("webhook-"):
            self.problem(entry, f"{name} is set by whoever sends; leave it out", on_key=True)
        return name, self._text(entry)

    def _condition(self, entry: Entry) -> RequestCondition:
        keys = self.mapping(entry, tuple(Asks))
        if len(keys) != 1:
            self.problem(entry, "a condition is one of present, absent and backwards, with what it is about")
            return RequestCondition(Asks.PRESENT, (Placeholder("id"),))
        ((asks, about),) = keys.items()
        placeholders = tuple(self._placeholder(each) for each in self.texts(about, "fields and values", single=True))
        for placeholder in placeholders if asks == Asks.BACKWARDS else ():
            asked = self._asked.get(placeholder.value)
            if asked is None or asked.kind is not ValueKind.STAGES:
                self.problem(about, "backwards asks for a value of the kind stages, such as values.stages")
        return RequestCondition(Asks(asks), placeholders)

    def _json(self, entry: Entry) -> Json:
        value = entry.value
        if isinstance(value, str):
            text = self._text(entry)
            return text.parts[0] if len(text.parts) == 1 else text
        if isinstance(value, Mapping):
            return tuple(self._member(key, each) for key, each in self.mapping(entry).items())
        if isinstance(value, list):
            return [self._json(each) for each in self.items(entry)]
        if isinstance(value, bool | int | float):
            return value if isinstance(value, bool) else int(value) if isinstance(value, int) else float(value)
        self.problem(entry, f"a text, number, true or false, list or mapping was expected, not {kind_of(value)}")
        return None

    def _member(self, key: str, entry: Entry) -> Member:
        if key != SPREAD:
            return Member(key, self._json(entry))
        placeholder = self._text(entry).alone
        asked = self._asked.get(placeholder.value) if placeholder else None
        if placeholder is None or asked is None or asked.kind is not ValueKind.FIELDS:
            self.problem(entry, "behind ... stands one value of the kind fields, such as '{values.fields}'")
            return Member(key, None)
        return Member(key, Spread(placeholder))

    def _text(self, entry: Entry) -> Text:
        if entry.value == "" and isinstance(entry.value, str):
            return Text(("",))
        try:
            text = parse_text(self.text(entry))
        except PlaceholderError as error:
            self.problem(entry, str(error))
            return Text(())
        for placeholder in text.placeholders:
            self._check(placeholder, entry)
        return text

    def _placeholder(self, entry: Entry) -> Placeholder:
        try:
            placeholder = parse_placeholder(self.text(entry))
        except PlaceholderError as error:
            self.problem(entry, str(error))
            return Placeholder("id")
        self._check(placeholder, entry)
        return placeholder

    def _check(self, placeholder: Placeholder, entry: Entry) -> None:
        for name in placeholder.asked():
            if name not in self._asked:
                self.problem(entry, unknown(name, list(self._asked), "value of this template"))
        for call in placeholder.filters:
            for name in (each.removeprefix("values.") for each in call.arguments if call.name == "in"):
                if name in self._asked and self._asked[name].kind is not ValueKind.STAGES:
                    self.problem(entry, f"values.{name} is not of the kind stages, in which a stage could be looked up")

    def _answers(self, entry: Entry | None) -> AnswerRules:
        keys = self.mapping(entry, ANSWER_KEYS)
        message = keys.get("message")
        is_text = message is not None and message.value == "text"
        waits = self.mapping(keys.get("wait")).items()
        return AnswerRules(
            success=self._statuses(keys.get("success"), 200),
            errors_at=self._pointers(keys.get("errors_at")),
            refused=self._statuses(keys.get("refused"), 300),
            gone=self._statuses(keys.get("gone"), 300),
            message=() if is_text else self._pointers(message),
            is_text=is_text,
            wait=tuple(
                WaitHeader(name.lower(), WaitForm(self._one_of(each, list(WaitForm), WaitForm.SECONDS)))
                for name, each in waits
            ),
        )

    def _statuses(self, entry: Entry | None, lowest: int) -> frozenset[int]:
        found = [self.whole(each, lowest, 599, default=lowest) for each in self.items(entry)]
        return frozenset(found)

    def _pointers(self, entry: Entry | None) -> tuple[str, ...]:
        found: list[str] = []
        for each in self.texts(entry, "JSON pointers such as /errors/0/detail", single=True):
            if not str(each.value).startswith("/"):
                self.problem(each, f"a JSON pointer begins with /, as in /{each.value}")
            found.append(str(each.value))
        return tuple(found)

    def _one_of(self, entry: Entry | None, known: "list[str] | tuple[str, ...]", default: str) -> str:
        if entry is None:
            return default
        if entry.value not in known:
            self.problem(entry, f"one of {', '.join(known)} was expected, not {kind_of(entry.value)}")
            return default
        return str(entry.value)

    def _boolean(self, entry: Entry | None, default: bool) -> bool:
        if entry is None:
            return default
        if not isinstance(entry.value, bool):
            self.problem(entry, f"true or false was expected, not {kind_of(entry.value)}")
            return default
        return entry.value
