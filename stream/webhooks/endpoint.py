"""An endpoint as its file describes it, with what the file only names put in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.exchange import Answer, HttpRequest, Outcome

Wants = Callable[[SubscribedChange], bool]
"""Whether an endpoint wants a change."""

TIMEOUT: Final = 15.0
CONCURRENCY: Final = 16
MOST_WAITING: Final = 100_000
MOST_WAITING_OF_ONE: Final = 1_000
"""Of one customer at one endpoint; the oldest are given up beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSpec:
    """A value that a template asks for, under `values` of the endpoint."""

    name: str
    """One that is `url`, or ends with `_url`, is the address of a request, http or https."""
    help: str
    """What it is, for people: a phrase that a message can go on with."""
    required: bool = True
    default: str | None = None
    """What it is where the file does not say; only of one that is not required."""
    secret: bool = False
    """It opens doors: the file only names where it is, and it is never shown."""

    @property
    def takes_pairs(self) -> bool:
        """Whether a mapping may stand in place of its text: `{a: b, c: d}` for `a=b, c=d`."""
        return False


class Template(Protocol):
    """How one tool is told of a stage change."""

    @property
    def name(self) -> str:
        """As endpoints name it."""

    @property
    def values(self) -> tuple[ValueSpec, ...]:
        """What it asks for; `requests` gets each that has a value, by its name."""

    def host(self, values: Mapping[str, str]) -> str:
        """The host that its requests go to, with its port where that is not the usual one: for lists of endpoints."""

    def problems(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """By name, what is wrong with values that an endpoint gives, or is missing, and what would be right."""

    def requests(self, change: SubscribedChange, event_id: str, values: Mapping[str, str]) -> tuple[HttpRequest, ...]:
        """The requests that tell the tool, to be sent one after the other; mostly one.

        `values` are those of the endpoint that the template asks for, credentials among them. Raises UnfitChangeError
        where the change lacks what the tool needs, such as an e-mail address: no repetition would help.
        """

    def outcome(self, answer: Answer) -> Outcome:
        """What the tool's answer to one of the requests means."""


class UnfitChangeError(Exception):
    """A change lacks what its template needs; the message says what, and holds no value of the customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where stage changes are sent to."""

    name: str
    """Lower-case letters, digits, `-`: names it in commands, metrics and state."""
    enabled: bool = True
    """False: changes are neither kept for it nor sent to it."""
    template: Template
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the template asks for: the URL, credentials, names of fields in the tool."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Besides those of the template."""
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """To sign with, the newest first; empty: nothing is signed."""
    when: str | None = None
    """The condition as it is written."""
    wants: Wants = field(default=lambda _change: True, repr=False, compare=False)
    only_latest: bool = False
    """A later change of a customer takes the place of one that still waits."""
    rate: float | None = None
    """Most requests a second; None: no bound."""
    timeout: float = TIMEOUT
    """Seconds for one request, all of it."""
    concurrency: int = CONCURRENCY
    """Most requests at once, of one process."""
    most_waiting: int = MOST_WAITING
    """Deliveries on one partition; the oldest are given up beyond it."""
    hidden: frozenset[str] = field(default=frozenset(), repr=False)
    """Texts that came from the environment or from a file: nothing shows more of them than their last four signs."""
