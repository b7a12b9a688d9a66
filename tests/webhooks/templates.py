"""A small template for tests: a tool that takes the stage of a contact, with a key in a header."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from stream.codec.stage_change_reader import SubscribedChange
from stream.core.language.names import unknown
from stream.errors import LifecycleError
from stream.webhooks.endpoint import UnfitChangeError, ValueSpec
from stream.webhooks.exchange import Answer, HttpRequest, Outcome, Verdict


class Pairs(ValueSpec):
    """It may be written as a mapping."""

    @property
    def takes_pairs(self) -> bool:
        return True


@dataclass(frozen=True)
class Contacts:
    """Two requests to its `url`: the field is cleared, then set."""

    name: str = "contacts"
    values: tuple[ValueSpec, ...] = (
        ValueSpec(name="url", help="where the tool is"),
        ValueSpec(name="token", help="the key of its private app", secret=True),
        ValueSpec(name="email", help="the fact that has the address", required=False, default="facts.email"),
        ValueSpec(name="note", help="any words", required=False),
        Pairs(name="stages", help="the tool's names of stages", required=False),
    )

    def host(self, values: Mapping[str, str]) -> str:
        return urlsplit(values["url"]).netloc

    def problems(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {"note": f"{values['note']!r} is too long"} if len(values.get("note", "")) > 30 else {}

    def requests(self, change: SubscribedChange, event_id: str, values: Mapping[str, str]) -> tuple[HttpRequest, ...]:
        email = change.facts.get(values["email"].removeprefix("facts."))
        if not isinstance(email, str):
            raise UnfitChangeError("the change has no e-mail address; the template asks for the fact email")
        url = f"{values['url']}/contacts/{quote(email, safe='')}?key={quote(values['token'], safe='')}"
        headers = (("Authorization", f"Bearer {values['token']}"), ("Content-Type", "application/json"))
        bodies = ({"stage": ""}, {"stage": change.to_stage, "id": event_id, "note": values.get("note", "")})
        return tuple(HttpRequest("PATCH", url, headers, json.dumps(each).encode()) for each in bodies)

    def outcome(self, answer: Answer) -> Outcome:
        verdict = Verdict.DELIVERED if answer.status // 100 == 2 else Verdict.AGAIN
        return Outcome(verdict, f"status {answer.status}")


@dataclass(frozen=True)
class Chat(Contacts):
    """Its address is its secret, as that of Slack's hooks."""

    name: str = "chat"
    values: tuple[ValueSpec, ...] = (ValueSpec(name="url", help="the hook", secret=True),)


@dataclass(frozen=True)
class Silent(Contacts):
    """It asks for nothing."""

    name: str = "silent"
    values: tuple[ValueSpec, ...] = ()


def load_template(name: str, folder: Path) -> Contacts:
    """By name, or a file that holds the name of one."""
    known = {each.name: each for each in (Contacts(), Chat(), Silent())}
    if name.endswith(".yaml"):
        try:
            name = (folder / name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise LifecycleError(f"the template {name} cannot be read: {error.strerror}") from None
    if name not in known:
        raise LifecycleError(unknown(name, list(known), "template"))
    return known[name]
