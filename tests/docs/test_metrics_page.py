"""`docs/metrics.md` has every metric that workers, collectors and webhooks serve, with type and labels, no other."""

import re
from collections.abc import Iterable, Mapping
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from stream.codec.deliveries import DeliveryCommand, GivenUp, encode_command
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.model import Model, model_of
from stream.engine.error_policy import FailureKind
from stream.engine.status import EngineStatus, Phase
from stream.kafka.contact import ContactStatus
from stream.kafka.worker_versions import GroupVersions, Member, versions_of
from stream.machine.batch import RESULTS
from stream.machine.source_partition import SourcePartition
from stream.metrics import Metrics, PartitionView
from stream.tracing.span_counts import SpanCounts
from stream.web.collector.metrics import CollectorMetrics
from stream.web.lookup.metrics import LookupMetrics
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Commanded
from stream.webhooks.exchange import Verdict
from stream.webhooks.metrics import WebhookMetrics
from tests.docs.markdown import ROOT, names, page, rows, section
from tests.kit.machines import Record, finish

SHOP = ROOT / "schemas" / "examples" / "lifecycle" / "shop.yaml"
PAGE = page("docs/metrics.md")
COLLECTOR, WEBHOOKS, TRACING = "## The collector", "## Webhooks", "## Tracing"
TABLES = ("## Interactions and stage changes", "## Deadlines", "## Kafka and partitions", "## Lookup", "## What runs")

RICH = """
lifecycle: rich
scores: {s: {}}
signals: {x: {each: order, over: properties.products, add: {s: item.price}, expires: 30d}}
figures: {orders: {each: order}}
stages: {a: {}}
"""
"""What the preset `metrics` has not, and what is counted of it."""

ANSWERS = ContactStatus(up=True, since=0, seconds_since_answer=0.5)
RUNNING = EngineStatus(Phase.RUNNING, "exactly_once", (), ANSWERS, topic_partitions=1)

Documented = dict[str, tuple[str, frozenset[str]]]
"""By name: type and labels."""


class OnePartition:
    """What a worker with one partition shows."""

    def partitions(self) -> Iterable[PartitionView]:
        return [PartitionView(0, 1, 1.0, [], lag_age=0.5)]

    def status(self) -> EngineStatus:
        return RUNNING

    def dead_letter_share(self) -> float:
        return 0.5


@pytest.fixture
def model() -> Model:
    """A preset, and the example that has every key, so that every metric has a series."""
    return model_of([load("metrics").lifecycle, load(str(SHOP)).lifecycle])


@pytest.fixture
def served(model: Model) -> Documented:
    """What a scrape of a worker has, as Prometheus' own parser reads it."""
    metrics = Metrics(OnePartition(), model, ["web", "crm"])
    LookupMetrics(metrics.registry)
    group = GroupVersions(versions_of(model.lifecycles, "1.0", {}))
    group.heard([Member("a", "10.0.0.1", group.ours)])
    metrics.show_versions(group)
    return read(metrics.registry)


def read(registry: CollectorRegistry) -> Documented:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        family.name + ("_total" if family.type == "counter" else ""): (
            family.type,
            frozenset(label for sample in family.samples for label in sample.labels) - {"le"},
        )
        for family in families
        if not family.name.startswith("process_")
    }


class Collecting:
    """What a collector shows of itself."""

    def kafka(self) -> ContactStatus:
        return ANSWERS

    def ready(self) -> bool:
        return True

    def pending(self) -> int:
        return 0


@pytest.fixture
def collected() -> Documented:
    """What a scrape of a collector has."""
    metrics = CollectorMetrics(Collecting())
    metrics.answered("segment", 200)
    metrics.taken("shop", "segment", 1, {"no_subject": 1}, 0.1)
    metrics.refused.labels("busy").inc()
    return read(metrics.registry)


class Delivering:
    """What a process with one partition shows that delivers to two endpoints, of which it knows one."""

    def machines(self) -> Mapping[int, DeliveryMachine]:
        made = DeliveryMachine({}, SourcePartition("stage-changes", 0, 1, None), "lifecycle-webhook-commands")
        pause = Record(0, 1, None, encode_command(DeliveryCommand("pause", "crm", 1)))
        made.hear([Commanded((pause,), 1)])
        finish(made.run([], 0, wall=1, caught_up=True))
        return {0: made}

    def sending(self) -> Mapping[str, int]:
        return {"crm": 1}

    def endpoints(self) -> Iterable[str]:
        return ["crm", "chat"]

    def partitions(self) -> Iterable[PartitionView]:
        return [PartitionView(0, 1, 1.0, lag_age=0.5)]

    def status(self) -> EngineStatus:
        return RUNNING


@pytest.fixture
def webhooks() -> WebhookMetrics:
    metrics = WebhookMetrics(Delivering())
    metrics.expect(["crm", "chat"])
    return metrics


@pytest.fixture
def spans() -> Documented:
    """What every role has besides where tracing is on."""
    registry = CollectorRegistry()
    registry.register(SpanCounts())
    return read(registry)


def documented(tables: tuple[str, ...] = TABLES) -> Documented:
    cells = [each for heading in tables for each in rows(section(PAGE, heading)) if len(each) == 4]
    assert len({name for name, *_ in cells}) == len(cells)
    return {name.strip("`"): (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in cells}


def test_the_page_has_the_metrics_of_a_scrape_with_their_types_and_labels(served: Documented) -> None:
    assert len(served) > 25
    assert documented() == served


def test_the_page_has_the_metrics_of_a_collector_and_says_which_of_a_worker_it_has_too(collected: Documented) -> None:
    own = documented((COLLECTOR,))
    assert len(own) > 5
    shared = set(re.findall(r"`(lifecycle_[a-z_]+)`", section(PAGE, COLLECTOR).split("\n|")[0]))
    assert {**own, **{name: documented()[name] for name in shared}} == collected


def test_the_page_has_the_metrics_of_webhooks_and_says_which_of_a_worker_they_have_too(
    webhooks: WebhookMetrics,
) -> None:
    own = documented((WEBHOOKS,))
    assert len(own) > 8
    before = section(PAGE, WEBHOOKS).split("\n\n`endpoint` is")[0]
    shared = set(re.findall(r"`(lifecycle_[a-z_]+)`", before))
    assert {**own, **{name: documented()[name] for name in shared}} == read(webhooks.registry)


def test_the_page_has_the_metrics_of_tracing(spans: Documented) -> None:
    assert len(spans) == 2
    assert documented((TRACING,)) == spans


def test_series_of_webhooks_are_there_before_anything_happened(webhooks: WebhookMetrics) -> None:
    """An alert on an increase misses what a series begins with."""
    text = generate_latest(webhooks.registry).decode()
    counted = [line for line in text.splitlines() if "_total{endpoint=" in line]
    assert len(counted) == 2 * (1 + len(Verdict) + len(get_args(GivenUp)) + 1)
    assert {line.rpartition(" ")[2] for line in counted} == {"0.0"}
    assert 'lifecycle_webhook_paused{endpoint="crm"} 1.0' in text
    assert 'lifecycle_webhook_paused{endpoint="chat"} 0.0' in text


def test_every_metric_that_the_page_names_anywhere_is_served(
    served: Documented, collected: Documented, webhooks: WebhookMetrics, spans: Documented
) -> None:
    """In alerts and in rules, where a name that is wrong would be silent for ever."""
    named = set(re.findall(r"lifecycle_[a-z_]+[a-z]", PAGE))
    assert named - set(served) - set(collected) - set(read(webhooks.registry)) - set(spans) == set()


def test_the_values_of_labels_are_those_of_the_code() -> None:
    assert names(section(PAGE, "### Results")) == list(RESULTS)
    assert names(section(PAGE, "### Kinds of failures")) == list(FailureKind)
    assert names(section(PAGE, "### Verdicts")) == list(Verdict)


def test_the_recording_rules_that_the_page_names_are_in_their_file() -> None:
    (group,) = YAML(typ="safe").load((ROOT / "deploy" / "alerts" / "recording.yaml").read_text(encoding="utf-8"))[
        "groups"
    ]
    named = set(re.findall(r"`(lifecycle:[a-z0-9_:]+)`", PAGE))
    assert named
    assert named - {rule["record"] for rule in group["rules"]} == set()
