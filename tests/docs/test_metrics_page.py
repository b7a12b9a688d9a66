"""`docs/metrics.md` has every metric that a worker serves, with its type and labels, and no other."""

import re
from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.model import Model, model_of
from stream.engine.error_policy import FailureKind
from stream.kafka.contact import ContactStatus
from stream.kafka.worker_versions import GroupVersions, Member, versions_of
from stream.machine.batch import RESULTS
from stream.metrics import Metrics, PartitionView
from stream.web.collector.metrics import CollectorMetrics
from stream.web.lookup.metrics import LookupMetrics
from tests.docs.markdown import ROOT, blocks, names, page, rows, section

SHOP = ROOT / "schemas" / "examples" / "lifecycle" / "shop.yaml"
PAGE = page("docs/metrics.md")
COLLECTOR = "## The collector"
TABLES = ("## Interactions and stage changes", "## Deadlines", "## Kafka and partitions", "## Lookup", "## What runs")

RICH = """
lifecycle: rich
scores: {s: {}}
signals: {x: {each: order, over: properties.products, add: {s: item.price}, expires: 30d}}
stages: {a: {}}
"""
"""What the preset `metrics` has not, and what is counted of it."""

Documented = dict[str, tuple[str, frozenset[str]]]
"""By name: type and labels."""


class OnePartition:
    """What a worker with one partition shows."""

    def partitions(self) -> Iterable[PartitionView]:
        return [PartitionView(0, 1, 1.0, [], lag_age=0.5)]

    def kafka(self) -> ContactStatus:
        return ContactStatus(up=True, since=0, seconds_since_answer=0.5)

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
        return ContactStatus(up=True, since=0, seconds_since_answer=0.5)

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


def test_every_metric_that_the_page_names_anywhere_is_served(served: Documented, collected: Documented) -> None:
    """In alerts and in rules, where a name that is wrong would be silent for ever."""
    named = set(re.findall(r"lifecycle_[a-z_]+[a-z]", PAGE))
    assert named - set(served) - set(collected) == set()


def test_the_values_of_labels_are_those_of_the_code() -> None:
    assert names(section(PAGE, "### Results")) == list(RESULTS)
    assert names(section(PAGE, "### Kinds of failures")) == list(FailureKind)


def test_the_recording_rules_are_a_file_of_rules() -> None:
    (text,) = blocks(PAGE, "yaml")
    (group,) = YAML(typ="safe").load(text)["groups"]
    assert [set(rule) for rule in group["rules"]] == [{"record", "expr"}] * 2
