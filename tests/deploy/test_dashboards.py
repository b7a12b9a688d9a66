"""The dashboards for Grafana: they are what their program makes, Grafana knows every key, and every query answers."""

import asyncio
import json
import math
import re
import runpy
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson
import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from ruamel.yaml import YAML

from stream.codec.records import Outgoing
from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.docs.markdown import ROOT, anchors, page, rows
from tests.kit.collectors import Served, served
from tests.kit.kafka import SharedKafka
from tests.kit.prometheus import Prometheus, prometheus
from tests.kit.topics import produce
from tests.kit.webhooks import WebhookProcess, endpoint, receiver
from tests.kit.workers import Worker, worker_processes

pytestmark = pytest.mark.operators

FOLDER = ROOT / "deploy" / "dashboards"
RULES = ROOT / "deploy" / "alerts" / "recording.yaml"
NAMES = ("operations", "marketing")
KINDS = {"timeseries", "stat", "table", "bargauge", "heatmap", "text", "row"}
"""Of Grafana's core: nothing has to be installed."""
JOBS = {"job": "lifecycle-worker", "collector": "lifecycle-collector", "webhooks": "lifecycle-webhooks"}
"""As deploy/alerts/recording.yaml has them."""
FILLED = {**JOBS, "lifecycle": "shop", "__rate_interval": "5s", "__range": "10s"}
"""What Grafana puts in place of the variables."""
SHOP = """
lifecycle: shop
interactions: {visit: [page], purchase: [Order Completed]}
scores: {heat: {}}
signals:
  visited: {each: visit, add: {heat: 1}, expires: 30d, keep: 1}
  spent: {each: purchase, add: {heat: properties.total}}
  bought: {each: purchase, over: properties.products, add: {heat: item.price}}
figures:
  visits: {title: Visits, each: visit}
stages: {new: {}, buyer: {}, asleep: {}}
transitions:
  - {from: new, to: buyer, when: event.type == "purchase"}
  - {from: [new, buyer], to: asleep, when: idle >= 700ms}
"""
"""It counts, drops and moves something of every kind within a second."""
PARTITIONS = 2
EMPTY = {
    "Gathered from several topics": "there is something only where the setting `interactions` names several topics",
}
"""Panels that are empty though all of workers, collector and webhooks has traffic, and why."""


Asked = TypeVar("Asked")


class Shown(NamedTuple):
    """A query of a panel."""

    dashboard: str
    panel: str
    number: str
    expression: str
    at_once: bool
    """It asks for the values of now, not for those over time."""

    @property
    def filled(self) -> str:
        """As Prometheus gets it."""
        return filled(self.expression)


def filled(text: str) -> str:
    return re.sub(r"\$(\w+)", lambda found: FILLED[found[1]], text)


def load(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return made


def panels(name: str) -> Iterator[dict[str, Any]]:
    """All but the headings of rows."""
    for each in load(name)["panels"]:
        yield from each["panels"] if each["type"] == "row" else [each]


def queries() -> list[Shown]:
    return [
        Shown(name, each["title"], target["refId"], target["expr"], target["instant"])
        for name in NAMES
        for each in panels(name)
        for target in each["targets"]
    ]


def variables() -> list[tuple[str, str]]:
    """Metric, with its conditions, and label of every variable that is filled from Prometheus."""
    texts = {
        each["query"]["query"] for name in NAMES for each in load(name)["templating"]["list"] if each["type"] == "query"
    }
    found = [re.fullmatch(r"label_values\((.+), (\w+)\)", text) for text in sorted(texts)]
    return [(match[1], match[2]) for match in found if match is not None]


class Series(NamedTuple):
    """What docs/metrics.md says of a series."""

    metric: str
    labels: set[str]


def documented() -> dict[str, Series]:
    """By name: a histogram has several; recorded ones are there, too."""
    text = page("docs/metrics.md")
    found: dict[str, Series] = {}
    for cells in rows(text):
        if len(cells) == 4 and cells[0].startswith("`lifecycle_"):
            name, labels = cells[0].strip("`"), set(re.findall(r"`(\w+)`", cells[2]))
            endings = ("_bucket", "_sum", "_count") if cells[1] == "histogram" else ("",)
            found |= {name + ending: Series(name, labels) for ending in endings}
    (group,) = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        by = re.search(r"by \(([^)]*)\)", rule["expr"])
        found[rule["record"]] = Series(rule["record"], set() if by is None else set(by[1].split(", ")))
    return found


def selected(expression: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def keep(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.MatrixSelector):
            found.append(part.vector_selector)
        elif isinstance(part, promql_parser.VectorSelector):
            found.append(part)

    promql_parser.walk(promql_parser.parse(expression), keep)
    return found


def test_the_files_are_what_the_program_makes() -> None:
    """Otherwise run deploy/dashboards/make.py."""
    made: dict[str, str] = runpy.run_path(str(FOLDER / "make.py"))["files"]()
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == made


def test_with_the_address_of_the_pages_each_panel_links_to_its_page() -> None:
    made: dict[str, str] = runpy.run_path(str(FOLDER / "make.py"))["files"]("https://docs.example/lifecycle/")
    for text in made.values():
        for each in json.loads(text)["panels"]:
            if each["type"] != "row":
                (link,) = each["links"]
                assert link["url"].startswith("https://docs.example/lifecycle/")
                assert f"]({link['url']})" in each["description"]


@pytest.mark.parametrize("name", NAMES)
def test_grafana_knows_every_key(name: str) -> None:
    """Read and written again by Grafana's own types, a file loses nothing; what these add are defaults."""
    register_default_plugins()
    given = load(name)
    again = json.loads(JSONEncoder(sort_keys=True, indent=2).encode(Dashboard.from_json(given)))
    assert list(lost(given, again, name)) == []


def lost(given: object, again: object, place: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(again, dict):
        for key, value in given.items():
            yield from lost(value, again[key], f"{place}.{key}") if key in again else [f"{place}.{key}"]
    elif isinstance(given, list) and isinstance(again, list) and len(given) == len(again):
        for number, (one, two) in enumerate(zip(given, again, strict=True)):
            yield from lost(one, two, f"{place}[{number}]")
    elif given != again:
        yield place


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_is(name: str) -> None:
    """A title that no other has, a description, and a unit that Grafana has."""
    known = {value for value in vars(units).values() if isinstance(value, str)}
    found = list(panels(name))
    assert len({each["title"] for each in found}) == len(found) > 10
    for each in found:
        assert each["title"]
        assert len(each["description"]) > 40, each["title"]
        assert each["fieldConfig"]["defaults"]["unit"] in known, each["title"]


def test_every_panel_of_operations_says_what_good_looks_like() -> None:
    assert [each["title"] for each in panels("operations") if "**Good:** " not in each["description"]] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_names_a_page_that_exists(name: str) -> None:
    for each in panels(name):
        file, _, anchor = each["description"].rpartition("**More:** ")[2].partition("#")
        assert anchor in anchors(page(file)), each["title"]


@pytest.mark.parametrize("name", NAMES)
def test_panels_are_of_the_core_and_none_covers_another(name: str) -> None:
    covered: dict[tuple[int, int], str] = {}
    everything = load(name)["panels"]
    assert {each["type"] for each in everything} <= KINDS
    assert len({each["id"] for each in everything}) == len(everything)
    for each in everything:
        place = each["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in height(place)):
            assert covered.setdefault(cell, each["title"]) == each["title"]


def height(place: dict[str, int]) -> range:
    return range(place["y"], place["y"] + place["h"])


def test_marketing_reads_plain_words() -> None:
    """Words that only those who run the system know are in the other dashboard."""
    words = re.compile(
        r"\b(lag|partition|offset|latency|p99|Kafka|batch|transaction|topic|consumer)s?\b", re.IGNORECASE
    )
    titles = {each["title"]: each["description"].partition("**More:**")[0] for each in panels("marketing")}
    assert {title: words.findall(title + text) for title, text in titles.items() if words.search(title + text)} == {}


@pytest.mark.parametrize("shown", queries(), ids=lambda shown: f"{shown.dashboard}-{shown.panel}-{shown.number}")
def test_every_query_asks_for_metrics_and_labels_that_are_documented(shown: Shown) -> None:
    known = documented()
    for each in selected(shown.filled):
        assert each.name is not None
        if not each.name.startswith("process_"):
            assert each.name in known
            scraped = set() if ":" in each.name else {"job"}
            assert {match.name for match in each.matchers.matchers} <= known[each.name].labels | scraped


def test_every_metric_is_on_a_dashboard() -> None:
    """Customers by stage and figures of today are there by their recording rules; spans only where tracing is on."""
    known = {name: series for name, series in documented().items() if ":" not in name}
    asked = {each.name or "" for shown in queries() for each in selected(shown.filled)}
    shown = {known[name].metric for name in asked if name in known}
    assert {each.metric for each in known.values()} - shown == {
        "lifecycle_customers",
        "lifecycle_figure_today",
        "lifecycle_spans_total",
        "lifecycle_spans_sent_total",
    }


@pytest.mark.slow
async def test_every_query_answers_on_a_prometheus_that_scrapes_real_processes(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """None fails, and none is empty but those that are listed: worker, collector and webhooks have traffic."""
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    settings = Settings(
        bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, app=f"{topic_prefix}app", partitions=PARTITIONS
    )
    around = {
        "bootstrap": settings.bootstrap,
        "topic_prefix": topic_prefix,
        "app": settings.app,
        "partitions": str(PARTITIONS),
        "lifecycles": f"{tmp_path}/shop.yaml",
        "session_timeout": "2s",
    }
    async with worker_processes(around, tmp_path) as start, receiver() as tool, served(settings) as collector:
        worker = await start()
        await worker.until("/readyz", lambda answer: answer[0] == 200 and len(answer[1]["partitions"]) == PARTITIONS)
        await ensure_webhook_topics(settings)
        (tmp_path / "webhooks.yaml").write_text("endpoints:\n" + endpoint("crm", tool.url()), encoding="utf-8")
        async with WebhookProcess(settings, tmp_path / "webhooks.yaml", tmp_path / "webhooks.log") as hooks:
            await hooks.until_ready(PARTITIONS)
            targets = [
                (JOBS["job"], "worker-1", int(worker.url.rpartition(":")[2])),
                (JOBS["collector"], "collector-1", collector.port),
                (JOBS["webhooks"], "webhooks-1", hooks.port),
            ]
            async with prometheus(tmp_path, [RULES], targets) as asked, traffic(settings, collector, worker):
                listed = [shown for shown in queries() if shown.panel in EMPTY]
                empty = await still_empty(queries(), partial(shows, asked), listed)
                assert [shown for shown in empty if shown not in listed] == []
                assert empty == listed
                assert await still_empty(variables(), partial(offers, asked)) == []


async def still_empty(
    asked: Iterable[Asked], is_there: Callable[[Asked], Awaitable[bool]], expected: Sequence[Asked] = ()
) -> list[Asked]:
    """What is empty after half a minute, or as soon as that is as expected."""
    left = list(asked)
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            while left != list(expected):
                left = [each for each in left if not await is_there(each)]
                await asyncio.sleep(0.5)
    return left


async def shows(asked: Prometheus, shown: Shown) -> bool:
    """Whether there is a number; NaN, a quantile or a quotient of nothing, is none."""
    now = time.time()
    if shown.at_once:
        found = await asked.api("query", query=shown.filled, time=str(now))
        values = [series["value"] for series in found["result"]]
    else:
        over = {"start": str(now - 20), "end": str(now), "step": "1"}
        found = await asked.api("query_range", query=shown.filled, **over)
        values = [value for series in found["result"] for value in series["values"]]
    return any(not math.isnan(float(value)) for _, value in values)


async def offers(asked: Prometheus, variable: tuple[str, str]) -> bool:
    """Whether there is exactly the value with which the queries are asked."""
    metric, label = variable
    found = await asked.api(f"label/{label}/values", **{"match[]": filled(metric)})
    return len(found) == 1 and found[0] in FILLED.values()


@asynccontextmanager
async def traffic(settings: Settings, collector: Served, worker: Worker) -> AsyncIterator[None]:
    """Until the end of the block: new customers who look, order and fall asleep, rubbish of each kind, questions."""
    running = asyncio.create_task(send(settings, collector, worker))
    try:
        yield
    finally:
        if running.done():
            running.result()
        running.cancel()
        await asyncio.wait([running])


async def send(settings: Settings, collector: Served, worker: Worker) -> None:
    customer = 0
    while True:
        customer += 1
        names = ("page", "page", "Wishlist Opened", "Order Completed")
        items: list[dict[str, object]] = [{"type": name, "customer_id": f"c-{customer}"} for name in names]
        without_customer: dict[str, object] = {"type": "page"}
        status, said, _ = await collector.post("/v1/interactions", orjson.dumps([*items, without_customer]))
        assert status == 200, said
        status, said, _ = await collector.post("/v1/interactions", b"{")
        assert status == 400, said
        await produce(settings.bootstrap, settings.topics.interactions, [Outgoing(b"c-1", b"{")])
        await worker.ask("/v1/customers/c-1")
        await asyncio.sleep(0.2)
