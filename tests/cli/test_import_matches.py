"""What `lifecycle import` says of the interactions: which names came, and what of the lifecycles would not match."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stream.kafka.embedded.broker import EmbeddedBroker
from tests.cli.commands import Run
from tests.cli.on_kafka import environment_of, settings_of

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SHOP = """\
lifecycle: wollshop
interactions:
  visit: [page]
  purchase: [Order Completed]
  refund: [Order Refunded]
facts:
  orders: {count: purchase}
  revenue: {sum: properties.totl, each: purchase}
stages: {lead: {}, customer: {}}
transitions: [{from: lead, to: customer, when: orders >= 1}]
"""


@pytest.fixture
async def environment(topic_prefix: str) -> AsyncIterator[dict[str, str]]:
    """Of the embedded broker, which is enough: what is said is known before anything is sent."""
    async with EmbeddedBroker() as broker:
        yield environment_of(settings_of(broker.bootstrap, topic_prefix))


@pytest.fixture
def file(tmp_path: Path) -> str:
    names = ["Order Completed", "page", "Bestellung", "Bestellung", "order refunded"]
    lines = [
        json.dumps({"type": name, "time": T + day * 86_400_000, "customer_id": "ann", "properties": {"total": 1}})
        for day, name in enumerate(names)
    ]
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    return "in.jsonl"


async def rows(run: Run, environment: dict[str, str], *arguments: str) -> list[str]:
    done = await asyncio.to_thread(run, "import", *arguments, environment=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return [" ".join(line.split()) for line in done.stderr.splitlines()]


async def test_the_event_names_that_came_are_shown_and_nothing_of_lifecycles_that_it_does_not_know(
    lifecycle: Run, environment: dict[str, str], file: str
) -> None:
    found = await rows(lifecycle, environment, file)
    at = found.index("Event names")
    assert found[at + 2 : at + 6] == ["Bestellung 2", "Order Completed 1", "page 1", "order refunded 1"]
    assert found[-1].startswith("5 interactions sent in ")
    assert "from 2026-01-01T00:00:00.000Z to 2026-01-05T00:00:00.000Z" in found[-1]
    assert "nothing matched" not in " ".join(found)


async def test_where_the_setting_names_lifecycles_what_of_them_would_not_match_is_shown(
    lifecycle: Run, environment: dict[str, str], file: str
) -> None:
    """As a variable that workers have, too."""
    found = await rows(lifecycle, environment | {"LIFECYCLE_LIFECYCLES": "shop.yaml"}, file)
    at = found.index("Event names that no word of wollshop covers")
    assert found[at + 2 : at + 4] == ["Bestellung 2", "order refunded 1 Order Refunded"]
    at = found.index("What of wollshop nothing matched")
    assert found[at + 1 : at + 3] == [
        "words refund",
        "properties properties.totl, in 0 of 1 interaction (fact revenue); did you mean properties.total?",
    ]


async def test_a_lifecycle_that_cannot_be_loaded_is_said_and_the_import_goes_on(
    lifecycle: Run, environment: dict[str, str], file: str
) -> None:
    found = await rows(lifecycle, environment, file, "--lifecycles", "missing.yaml,shop.yaml")
    assert found[0].startswith("what of missing.yaml would not match is not said: missing.yaml:1:1: cannot be read")
    assert "What of wollshop nothing matched" in found
    assert found[-1].startswith("5 interactions sent in ")
