"""Official clients of marketing tools and our templates send the same requests to the doubles of `tests/webhooks`."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from stream.core.times import parse_time
from stream.webhooks.exchange import Verdict
from stream.webhooks.templating.template_file import load_template
from tests.bench import children
from tests.sdks.installing import TOOLS_PYTHON
from tests.sdks.sdks import SENDERS
from tests.webhooks.delivering import deliver
from tests.webhooks.doubles.double import Kept
from tests.webhooks.tool_cases import CASES, Case
from tests.webhooks.tool_changes import change

NAME: Final = "tools"
"""Of the part, after `--only`."""
CLIENTS: Final = {
    "hubspot": "hubspot-api-client",
    "hubspot-upsert": "hubspot-api-client",
    "hubspot-event": "hubspot-api-client",
    "activecampaign": "activecampaign-python",
    "braze": "braze-client",
    "customerio": "customerio",
    "customerio-pipelines": "customerio-cdp-analytics",
    "klaviyo": "klaviyo-api",
    "brevo": "brevo-python",
    "mailchimp": "mailchimp-marketing",
    "slack": "slack_sdk",
}
"""By template the client's package. Mautic has none in Python that speaks as its routes are."""
_ADDED: Final = {
    "braze": {".purchases"},
    "customerio-pipelines": {".sentAt", ".batch[0].integrations", ".batch[0].context", ".batch[0].anonymousId"},
    "klaviyo": {".data.attributes.backfill"},
}
"""Members that clients send besides, all of which a tool can do without."""
_OTHER_USER: Final = frozenset({"mailchimp"})
"""Any user's name does beside the key."""
_SECONDS: Final = 120


@dataclass
class ToolOutcome:
    """How it went for one template."""

    case: Case
    requests: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def client(self) -> str:
        """The package and its pinned release."""
        package = CLIENTS[self.case.template]
        return f"{package} {pins()[package]}"


def pins() -> dict[str, str]:
    """The pinned release of each package."""
    files = (SENDERS / "tools_requirements.txt", SENDERS / "tools_alone.txt")
    lines = [line for file in files for line in file.read_text(encoding="ascii").splitlines()]
    return dict(line.partition("==")[::2] for line in lines)


async def check_tools(say: Callable[[str], None]) -> list[ToolOutcome]:
    """Let each template and each client tell a double of its own of the same change, and compare."""
    outcomes: list[ToolOutcome] = []
    for case in CASES:
        if case.template in CLIENTS:
            outcome = ToolOutcome(case)
            say(f"{case.template}: {outcome.client}")
            await _check(outcome)
            outcomes.append(outcome)
    return outcomes


async def _check(outcome: ToolOutcome) -> None:
    case = outcome.case
    async with case.double() as ours, case.double() as theirs:
        answered = await deliver(case.template, {**case.values, "url": ours.url + case.path}, change())
        if answered is None or answered.verdict is not Verdict.DELIVERED:
            outcome.differences.append(f"the double does not take what the template sends: {answered}")
        command = [str(TOOLS_PYTHON), str(SENDERS / "tools.py"), case.template, theirs.url]
        ended = await children.run(command, SENDERS, {"PYTHONSAFEPATH": "", "PYTHONPATH": ""}, seconds=_SECONDS)
        if ended.code:
            outcome.differences.append(f"the client failed: {ended.why}")
            return
        outcome.requests = len(theirs.kept)
        outcome.differences += [*_hosts(case, json.loads(ended.output)), *differences(case, ours.kept, theirs.kept)]


def _hosts(case: Case, hosts: list[str]) -> Iterator[str]:
    """The URL that a template has by itself is that of the client."""
    template = load_template(case.template, SENDERS)
    defaults = {value.name: value.default for value in template.values if value.default}
    if "url" in defaults and hosts != [template.host(defaults)]:
        yield f"the client sends to {hosts}, the template to {template.host(defaults)}"


def differences(case: Case, ours: list[Kept], theirs: list[Kept]) -> Iterator[str]:
    """Where the requests of a template are not those of the client, in a sentence each."""
    if len(ours) != len(theirs):
        yield f"the template sends {len(ours)} requests, the client {len(theirs)}"
    for number, (own, client) in enumerate(zip(ours, theirs, strict=False), start=1):
        for what in ("method", "place", "query", "media_type"):
            if getattr(own, what) != getattr(client, what) and (own.body or what != "media_type"):
                yield f"request {number}: its {what} is {getattr(own, what)}, the client's {getattr(client, what)}"
        for name in case.headers:
            is_user = name == "authorization" and case.template in _OTHER_USER
            if own.headers.get(name) != client.headers.get(name) and not is_user:
                yield f"request {number}: its {name} is not the client's"
        added = _ADDED.get(case.template, set())
        for said in _unlike(own.json, client.json, "", added):
            yield f"request {number}: {said}"


def _unlike(own: Any, client: Any, path: str, added: set[str]) -> Iterator[str]:
    """Times may be written otherwise; what only the client has must be named in `added`."""
    if isinstance(own, dict) and isinstance(client, dict):
        for key in sorted(own.keys() | client.keys()):
            where = f"{path}.{key}"
            if key not in own and where not in added:
                yield f"only the client has {where}, {client[key]!r}"
            elif key in own and key not in client:
                yield f"only the template has {where}, {own[key]!r}"
            elif key in own:
                yield from _unlike(own[key], client[key], where, added)
    elif isinstance(own, list) and isinstance(client, list) and len(own) == len(client):
        for index, (left, right) in enumerate(zip(own, client, strict=True)):
            yield from _unlike(left, right, f"{path}[{index}]", added)
    elif (own, type(own)) != (client, type(client)) and not _same_time(own, client):
        yield f"{path} is {own!r}, the client's {client!r}"


def _same_time(own: Any, client: Any) -> bool:
    texts = isinstance(own, str) and isinstance(client, str)
    return texts and parse_time(own) is not None and parse_time(own) == parse_time(client)
