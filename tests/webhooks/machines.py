"""The machine of deliveries without Kafka: what it hears, the batches it makes, the changelog they leave."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from stream.codec.deliveries import DeliveryCommand, encode_command
from stream.machine.batch import Batch
from stream.machine.source_partition import SourcePartition
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Attempted, Commanded, Taken
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.exchange import Outcome, Verdict
from tests.kit.machines import Record, finish
from tests.webhooks.changes import AT, value_of
from tests.webhooks.templates import Silent

SOURCE = SourcePartition("stage-changes", 0, 1, "topic-id")
COMMANDS = "commands"
NOW = AT
"""When tests begin, epoch milliseconds."""


def endpoint(name: str = "crm", **more: Any) -> Endpoint:
    """One that wants all changes; `more` are its own fields."""
    return Endpoint(name=name, template=Silent(), **more)


def named(*endpoints: Endpoint) -> dict[str, Endpoint]:
    """As a file names them."""
    return {each.name: each for each in endpoints or (endpoint(),)}


def value(customer: str, sequence: int = 1, **fields: Any) -> bytes:
    """A stage change as on the topic."""
    return orjson.dumps(value_of(customer_id=customer, sequence=sequence, **fields))


def id_of(customer: str, sequence: int = 1, lifecycle: str = "shop") -> str:
    """The id of the change that `value` makes."""
    return f"{lifecycle}:customer:{customer}:0-39:{sequence}"


def machine(
    endpoints: Mapping[str, Endpoint] | None = None,
    changelog: Mapping[bytes, bytes] | None = None,
    source: SourcePartition = SOURCE,
) -> DeliveryMachine:
    """A restored one, which leaves `changelog` as it is."""
    made = DeliveryMachine(named() if endpoints is None else endpoints, source, COMMANDS)
    finish(made.restore(dict(changelog or {})))
    return made


def run(
    made: DeliveryMachine, values: Sequence[bytes | None] = (), *news: object, wall: int = NOW, first: int | None = None
) -> Batch:
    """One batch of changes and what else is heard."""
    begin = (made.next_offset or 0) if first is None else first
    records = [Record(offset, wall, None, each) for offset, each in enumerate(values, begin)]
    made.hear(news)
    return finish(made.run(records, begin + len(records), wall=wall, caught_up=True))


def ended(taken: Taken, verdict: Verdict = Verdict.DELIVERED, **more: Any) -> Attempted:
    """What became of an attempt; `more` are fields of `Attempted`, and `wait`, seconds."""
    status = {Verdict.DELIVERED: 200, Verdict.GONE: 410, Verdict.REFUSED: 400}.get(verdict, 500)
    outcome = Outcome(verdict, f"{status} said the tool", more.pop("wait", None))
    return Attempted(taken, outcome, **{"status": status, "at": NOW, "seconds": 0.25, **more})


def commanded(*commands: DeliveryCommand, first: int = 0, **more: Any) -> Commanded:
    """Commands as records of their topic."""
    records = tuple(Record(offset, NOW, None, encode_command(each)) for offset, each in enumerate(commands, first))
    return Commanded(records, first + len(records), **more)


def ids(taken: Iterable[Taken]) -> list[str]:
    """Of what was taken."""
    return [each.event_id for each in taken]
