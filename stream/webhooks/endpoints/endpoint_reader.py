"""One endpoint of `webhooks.yaml`, key by key."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stream.codec.lifecycle_yaml.located_yaml import LocatedProblem, YamlFileError
from stream.core.durations import parse_duration
from stream.core.expressions import ConditionError
from stream.core.language.document import DocumentReader, Entry, kind_of
from stream.core.language.names import unknown
from stream.errors import LifecycleError
from stream.webhooks.endpoint import CONCURRENCY, MOST_WAITING, TIMEOUT, Endpoint, Template, ValueSpec, Wants
from stream.webhooks.endpoints.change_conditions import compile_change_condition
from stream.webhooks.endpoints.change_names import KnownNames
from stream.webhooks.endpoints.hidden_texts import without
from stream.webhooks.endpoints.references import HOW, References, is_reference
from stream.webhooks.endpoints.request_parts import (
    CREDENTIALS,
    wrong_with_header,
    wrong_with_header_value,
    wrong_with_url,
)
from stream.webhooks.endpoints.signing_secrets import SecretError, read_secret

KEYS: Final = (
    *("template", "when", "secrets", "values", "headers", "only", "rate", "timeout", "concurrency", "most_waiting"),
    "enabled",
)
MOST_SECRETS: Final = 4
MOST_HEADERS: Final = 32
MOST_CONCURRENCY: Final = 1_000
MOST_MOST_WAITING: Final = 10_000_000
SHORTEST_TIMEOUT: Final = 100
LONGEST_TIMEOUT: Final = 300_000
"""Milliseconds."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_RATE: Final = re.compile(r"([1-9][0-9]{0,5})/([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600}


def is_file(template: str) -> bool:
    """Whether an endpoint names a template by its file, and not one that comes with the product."""
    return "/" in template or template.endswith((".yaml", ".yml"))


class EndpointReader:
    """Reads endpoints; problems go to the reader, those of a template's own file to `findings`."""

    def __init__(
        self,
        reader: DocumentReader,
        references: References,
        load_template: Callable[[str, Path], Template],
        folder: Path,
        known: KnownNames | None,
    ) -> None:
        self.findings: list[LocatedProblem] = []
        self._reader = reader
        self._references = references
        self._load_template = load_template
        self._folder = folder
        self._known = known

    def read(self, entry: Entry) -> Endpoint | None:
        """The endpoint that stands there; None where something is not right."""
        before = len(self._reader.problems) + len(self.findings)
        name = str(entry.path[-1])
        if not _NAME.fullmatch(name):
            said = f"{name!r} is no name of an endpoint: a to z, 0 to 9 and -, a letter first, at most 64"
            self._reader.problem(entry, said, on_key=True)
        keys = self._mapping(entry, KEYS, f"the keys {', '.join(KEYS)}")
        template = self._template(entry, keys)
        hidden: set[str] = set()
        values = self._values(entry, keys.get("values"), template, hidden)
        headers = self._headers(keys.get("headers"), hidden)
        secrets = self._secrets(keys.get("secrets"), hidden)
        wants = self._wants(keys.get("when"))
        rate, timeout = self._rate(keys.get("rate")), self._timeout(keys.get("timeout"))
        only = self._only(keys.get("only"))
        enabled = self._enabled(keys.get("enabled"))
        concurrency = self._reader.whole(keys.get("concurrency"), 1, MOST_CONCURRENCY, default=CONCURRENCY)
        most_waiting = self._reader.whole(keys.get("most_waiting"), 1, MOST_MOST_WAITING, default=MOST_WAITING)
        if template is None or len(self._reader.problems) + len(self.findings) > before:
            return None
        condition = {} if wants is None else {"wants": wants[1]}
        return Endpoint(
            name=name,
            enabled=enabled,
            template=template,
            values=values,
            headers=headers,
            secrets=secrets,
            when=None if wants is None else wants[0],
            only_latest=only,
            rate=rate,
            timeout=timeout,
            concurrency=concurrency,
            most_waiting=most_waiting,
            hidden=frozenset(hidden),
            **condition,
        )

    def _mapping(self, entry: Entry | None, keys: tuple[str, ...], what: str) -> dict[str, Entry]:
        """The entries of a mapping; what stands there in its place is not repeated, for it may be a secret."""
        if entry is None or entry.value is None or isinstance(entry.value, Mapping):
            return self._reader.mapping(entry, keys, empty=True)
        self._reader.problem(entry, f"a mapping was expected: {what}")
        return {}

    def _template(self, entry: Entry, keys: Mapping[str, Entry]) -> Template | None:
        named = keys.get("template")
        if named is None:
            if not self._reader.misspelt(entry, keys):
                said = "template: is missing: the tool that is told, such as hubspot or generic, or ./file.yaml"
                self._reader.problem(entry, said, on_key=True)
            return None
        name = self._reader.text(named)
        if not name:
            return None
        try:
            return self._load_template(name, self._folder)
        except YamlFileError as error:
            if is_file(name):
                self.findings += error.findings
            else:
                self._reader.problem(named, error.findings[0].message)
        except LifecycleError as error:
            self._reader.problem(named, str(error))
        return None

    def _values(
        self, endpoint: Entry, entry: Entry | None, template: Template | None, hidden: set[str]
    ) -> dict[str, str]:
        specs = {} if template is None else {each.name: each for each in template.values}
        if template is not None and not specs and entry is not None:
            self._reader.problem(entry, f"the template {template.name} asks for no values", on_key=True)
            return {}
        before = len(self._reader.problems)
        given = self._mapping(entry, tuple(specs), "names of values, and what they are")
        values = {name: found for name, each in given.items() if (found := self._value(each, specs.get(name), hidden))}
        misspelt = entry is not None and self._reader.misspelt(entry, given)
        for spec in specs.values():
            if spec.name not in given and spec.required and spec.default is None and not misspelt:
                said = f"{spec.name}: is missing among the values: {spec.help}"
                self._reader.problem(entry or endpoint, said, on_key=True)
        if template is not None and len(self._reader.problems) == before:
            for name, said in template.problems(values).items():
                place = given.get(name)
                self._reader.problem(place or entry or endpoint, without(said, hidden), on_key=place is None)
        return {name: each.default for name, each in specs.items() if each.default is not None} | values

    def _value(self, entry: Entry, spec: ValueSpec | None, hidden: set[str]) -> str | None:
        if spec is not None and spec.takes_pairs and isinstance(entry.value, Mapping) and not is_reference(entry.value):
            return self._pairs(entry)
        text = self._text(entry, f"{entry.path[-1]} is a secret" if spec is not None and spec.secret else "", hidden)
        is_url = spec is not None and (spec.name == "url" or spec.name.endswith("_url"))
        if text and is_url and (said := wrong_with_url(text)):
            self._reader.problem(entry, said)
        return text

    def _pairs(self, entry: Entry) -> str:
        """A mapping as the text that says the same."""
        pairs: list[str] = []
        for name, each in self._reader.mapping(entry).items():
            value = str(each.value) if isinstance(each.value, int) and not isinstance(each.value, bool) else None
            value = self._reader.text(each) if value is None else value
            if value and any(sign in name + value for sign in ',="'):
                said = "a comma, an equals sign or a quote is written in the text of all pairs: 'a=b, c=d'"
                self._reader.problem(each, said)
            pairs.append(f"{name}={value}")
        return ", ".join(pairs)

    def _text(self, entry: Entry, secret: str, hidden: set[str]) -> str | None:
        """A text, or one that is named; `secret` is what is said of one that must be named."""
        if isinstance(entry.value, Mapping):
            found = self._references.text(entry)
            hidden |= {found} if found else set()
            return found
        if secret:
            self._reader.problem(entry, f"{secret}, which never stands in this file: name it, by {HOW}")
            return None
        return self._reader.text(entry) or None

    def _headers(self, entry: Entry | None, hidden: set[str]) -> tuple[tuple[str, str], ...]:
        headers: list[tuple[str, str]] = []
        given = self._mapping(entry, (), "names of headers, and their values")
        if entry is not None and len(given) > MOST_HEADERS:
            self._reader.problem(entry, f"at most {MOST_HEADERS} headers are sent, these are {len(given):,}")
            return ()
        seen: set[str] = set()
        for name, each in given.items():
            if said := wrong_with_header(name):
                self._reader.problem(each, said, on_key=True)
                continue
            if name.lower() in seen:
                said = f"the header {name} stands here a second time; capitals make no difference"
                self._reader.problem(each, said, on_key=True)
            seen.add(name.lower())
            value = self._text(each, f"{name} holds a secret" if name.lower() in CREDENTIALS else "", hidden)
            if value and (said := wrong_with_header_value(value)):
                self._reader.problem(each, said)
            headers.append((name, value or ""))
        return tuple(headers)

    def _secrets(self, entry: Entry | None, hidden: set[str]) -> tuple[bytes, ...]:
        keys: list[bytes] = []
        items = [] if entry is None or entry.value is None else self._listed(entry)
        if entry is not None and len(items) > MOST_SECRETS:
            self._reader.problem(entry, f"at most {MOST_SECRETS} secrets sign, these are {len(items):,}")
            return ()
        for each in items:
            if not isinstance(each.value, Mapping):
                self._reader.problem(each, f"a secret never stands in this file: name it, by {HOW}")
                continue
            text = self._references.text(each)
            if text is None:
                continue
            hidden.add(text)
            try:
                key = read_secret(text)
            except SecretError as error:
                self._reader.problem(each, str(error))
                continue
            if key in keys:
                self._reader.problem(each, "the same secret as one before it")
            keys.append(key)
        return tuple(keys)

    def _listed(self, entry: Entry) -> list[Entry]:
        """The items of a list of secrets, whose own text is never repeated."""
        if isinstance(entry.value, list):
            return self._reader.items(entry)
        example = "[{env: WEBHOOK_SECRET}, {file: old-secret.txt}]"
        self._reader.problem(entry, f"a list was expected that names the secrets, newest first: {example}")
        return []

    def _wants(self, entry: Entry | None) -> tuple[str, Wants] | None:
        """The condition as it is written, and as it runs; None where every change is wanted."""
        text = self._reader.condition(entry)
        if entry is None or not text:
            return None
        try:
            return text, compile_change_condition(text, self._known)
        except ConditionError as error:
            self._reader.problem(entry, error.message, offset=error.offset)
            return None

    def _only(self, entry: Entry | None) -> bool:
        if entry is None or entry.value in ("latest", "all"):
            return entry is not None and entry.value == "latest"
        if isinstance(entry.value, str) and entry.value:
            self._reader.problem(entry, unknown(entry.value, ["latest", "all"], "choice"))
        else:
            self._reader.problem(entry, f"latest or all was expected, not {kind_of(entry.value)}")
        return False

    def _rate(self, entry: Entry | None) -> float | None:
        if entry is None:
            return None
        match = _RATE.fullmatch(entry.value) if isinstance(entry.value, str) else None
        if match is None:
            self._reader.problem(entry, f"a rate such as 10/s, 100/m or 500/h was expected, not {kind_of(entry.value)}")
            return None
        return int(match[1]) / _SECONDS[match[2]]

    def _timeout(self, entry: Entry | None) -> float:
        if entry is None:
            return TIMEOUT
        length = parse_duration(entry.value) if isinstance(entry.value, str) else None
        if length is None or not SHORTEST_TIMEOUT <= length <= LONGEST_TIMEOUT:
            self._reader.problem(entry, f"a duration from 100ms to 5m was expected, not {kind_of(entry.value)}")
            return TIMEOUT
        return length / 1_000

    def _enabled(self, entry: Entry | None) -> bool:
        if entry is None or isinstance(entry.value, bool):
            return entry is None or bool(entry.value)
        self._reader.problem(entry, f"true or false was expected, not {kind_of(entry.value)}")
        return True
