"""Every metric, from what the machine of a partition did to the text that Prometheus scrapes."""

import platform
import random
import re
import time
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from stream import metrics as metrics_module
from stream.build import build_labels
from stream.codec.controls import tick
from stream.codec.dead_letter_reasons import Reason
from stream.codec.fields import FLAWS
from stream.codec.lifecycle_yaml.lifecycle_files import load, parse, presets
from stream.codec.records import Outgoing
from stream.codec.state.positions import KEY
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.engine.error_policy import FailureKind
from stream.engine.status import EngineStatus, PartitionState, PartitionStatus, Phase
from stream.kafka.contact import ContactStatus
from stream.kafka.worker_versions import GroupVersions, Member, WorkerVersions, versions_of
from stream.machine.batch import RESULTS, Batch
from stream.machine.figure_store import MAX_SEGMENTS
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.metrics import Metrics, PartitionView
from stream.settings import Settings
from tests.kit.lifecycles import buy, shop
from tests.kit.machines import TOPIC, Record, compacted, machine, records_of, run_all
from tests.kit.times import DAY, T0

NOW = T0 + 100 * DAY
"""Wall time of the tests."""
SOURCE = Path(metrics_module.__file__).read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r'"(lifecycle_[a-z_]+)"', SOURCE)))
"""Every metric that the product defines."""

LISTS = """
lifecycle: lists
scores: {heat: {}}
signals: {lines: {each: buy, over: properties.lines, add: {heat: 1}, expires: 1d}}
figures: {buys: {each: buy}}
stages: {all: {}}
"""
SOLD = """
lifecycle: sold
time_zone: Europe/Paris
interactions: {buy: [Order Completed]}
facts: {country: {latest: properties.country}}
figures: {buys: {each: buy}, revenue: {each: buy, add: properties.total}, by: [country]}
stages: {all: {}}
"""

Samples = dict[tuple[str, ...], float]
"""By name and label values, in the order of the labels' names; without buckets, process and build."""


class View:
    """The partitions that a worker owns, and whether Kafka answers it."""

    def __init__(self, *partitions: PartitionView) -> None:
        self.owned: Iterable[PartitionView] = partitions
        self.engine: EngineStatus | None = None
        self.share = 0.0

    def partitions(self) -> Iterable[PartitionView]:
        return self.owned

    def status(self) -> EngineStatus | None:
        return self.engine

    def dead_letter_share(self) -> float:
        return self.share


def families(metrics: Metrics) -> dict[str, Metric]:
    """What a scrape brings, as Prometheus' own parser reads it."""
    return {each.name: each for each in text_string_to_metric_families(generate_latest(metrics.registry).decode())}


def samples(metrics: Metrics) -> Samples:
    return {
        (sample.name, *(label for _name, label in sorted(sample.labels.items()))): sample.value
        for family in families(metrics).values()
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_build_info")) and not sample.name.startswith("process_")
    }


@pytest.fixture
def model() -> Model:
    return shop()


@pytest.fixture(autouse=True)
def _wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "time", SimpleNamespace(time=lambda: NOW / 1000))


def report(metrics: Metrics, batches: Iterable[Batch]) -> None:
    """As the engine does after each batch."""
    for batch in batches:
        metrics.batch_written(0, batch, 0.25, 0.125)


def story() -> list[Record]:
    """A little of everything, to a tick after 100 days.

    customer-ann  o=<........|30d          = the same id again, < a second before the first
    customer-bob      o......|31d          a total that is no number
    customer-cy       !......|31d          ! five minutes and a millisecond ahead of its broker time
    visitor-vi        o.............|91d   forgotten
    """
    inputs: list[Interaction | bytes | Outgoing] = [
        buy("customer-ann", T0, own_id="order-1"),
        buy("customer-ann", T0 + 1, own_id="order-1"),
        buy("customer-ann", T0 - 1_000),
        b"{",
        buy("customer-bob", T0 + DAY, total="free"),
        Interaction(None, "visitor-vi", None, "page", T0 + DAY, {}, {}),
        buy("customer-cy", T0 + DAY + 300_001),
        tick(NOW),
    ]
    records = records_of(inputs)
    records[6] = records[6]._replace(timestamp=T0 + DAY)
    return records


def owned(made: PartitionMachine) -> View:
    """The machine's partition, caught up, beside one that is being recovered."""
    view = View()
    stages = made.stages.items()
    view.owned = (
        PartitionView(0, 3, 1.0, stages, lag_age=0.5, open_transaction=7.5, blocked=True),
        PartitionView(1, None, 0.25, [(("shop", "lead"), 2)]),
    )
    answers = ContactStatus(up=True, since=T0, seconds_since_answer=0.25)
    view.engine = EngineStatus(Phase.RUNNING, "exactly_once", (), answers, topic_partitions=16)
    return view


def test_a_scrape_tells_exactly_what_happened(model: Model) -> None:
    """Every sample of every metric; changes before live_from happened, but were not published."""
    made = machine(model, Settings(clock="stream", live_from=T0 + 1))
    metrics = Metrics(owned(made), model)
    batches = run_all(made, story())
    assert len(batches) == 1
    report(metrics, batches)
    metrics.recovered(1, 7, 0.5)
    metrics.failed(1, "kafka")
    metrics.failed(1, "kafka")
    metrics.failed(0, "fenced")
    lateness = [NOW - (T0 + 30 * DAY), NOW - (T0 + 31 * DAY), NOW - (T0 + 31 * DAY), NOW - (T0 + 91 * DAY)]
    caused = [NOW - T0, *[NOW - (T0 + DAY)] * 3]
    assert samples(metrics) == pytest.approx(
        samples(Metrics(View(), model))
        | {
            ("lifecycle_interactions_total", "applied"): 5,
            ("lifecycle_interactions_total", "duplicate"): 1,
            ("lifecycle_interactions_total", "rejected"): 1,
            ("lifecycle_interactions_total", "tick"): 1,
            ("lifecycle_late_interactions_total",): 1,
            ("lifecycle_ahead_interactions_total",): 1,
            ("lifecycle_dead_letters_total", "not_json"): 1,
            ("lifecycle_stage_changes_total", "", "shop", "lead"): 4,
            ("lifecycle_stage_changes_total", "lead", "shop", "customer"): 3,
            ("lifecycle_stage_changes_total", "customer", "shop", "dormant"): 3,
            ("lifecycle_stage_changes_total", "lead", "shop", ""): 1,
            ("lifecycle_stage_changes_published_total",): 11 - 2,
            ("lifecycle_signals_total", "shop", "spent"): 4,
            ("lifecycle_unusable_properties_total", "shop", "spent"): 1,
            ("lifecycle_unmatched_interactions_total", "shop", "page"): 1,
            ("lifecycle_deadlines_fired_total",): 4,
            ("lifecycle_deadline_lateness_seconds_count",): 4,
            ("lifecycle_deadline_lateness_seconds_sum",): sum(lateness) / 1000,
            ("lifecycle_waiting_lives_total",): 0,
            ("lifecycle_misplaced_interactions_total",): 0,
            ("lifecycle_quarantined_customers_total",): 0,
            ("lifecycle_batch_seconds_count",): 1,
            ("lifecycle_batch_seconds_sum",): 0.25,
            ("lifecycle_transaction_seconds_count",): 1,
            ("lifecycle_transaction_seconds_sum",): 0.125,
            ("lifecycle_end_to_end_latency_seconds_count",): 4,
            ("lifecycle_end_to_end_latency_seconds_sum",): sum(caused) / 1000,
            ("lifecycle_partition_failures_total", "kafka"): 2,
            ("lifecycle_partition_failures_total", "fenced"): 1,
            ("lifecycle_recovered_records_total",): 7,
            ("lifecycle_recovery_seconds_count",): 1,
            ("lifecycle_recovery_seconds_sum",): 0.5,
            ("lifecycle_customers", "shop", "lead"): 2,
            ("lifecycle_customers", "shop", "customer"): 0,
            ("lifecycle_customers", "shop", "dormant"): 3,
            ("lifecycle_lag_records", "0"): 3,
            ("lifecycle_lag_age_seconds", "0"): 0.5,
            ("lifecycle_open_transaction_seconds", "0"): 7.5,
            ("lifecycle_partition_blocked", "0"): 1,
            ("lifecycle_partition_blocked", "1"): 0,
            ("lifecycle_ready",): 1,
            **{("lifecycle_phase", phase): float(phase == "running") for phase in Phase},
            ("lifecycle_topic_partitions",): 16,
            ("lifecycle_kafka_up",): 1,
            ("lifecycle_kafka_answer_age_seconds",): 0.25,
            ("lifecycle_recovery_ratio", "0"): 1,
            ("lifecycle_recovery_ratio", "1"): 0.25,
        }
    )


def test_every_series_that_can_be_named_is_there_before_anything_happens(model: Model) -> None:
    """With 0, so that `rate` sees the first event; of stages that nobody is in, too, and without a partition."""
    assert {key: value for key, value in samples(Metrics(View(), model)).items() if len(key) > 1} == dict.fromkeys(
        [
            *(("lifecycle_interactions_total", result) for result in RESULTS),
            *(("lifecycle_dead_letters_total", reason.value) for reason in Reason),
            *(("lifecycle_flaws_total", flaw) for flaw in FLAWS),
            ("lifecycle_stage_changes_total", "", "shop", "lead"),
            ("lifecycle_stage_changes_total", "lead", "shop", "customer"),
            ("lifecycle_stage_changes_total", "customer", "shop", "dormant"),
            ("lifecycle_stage_changes_total", "dormant", "shop", "customer"),
            *(("lifecycle_stage_changes_total", stage, "shop", "") for stage in ("lead", "customer", "dormant")),
            ("lifecycle_signals_total", "shop", "spent"),
            ("lifecycle_unusable_properties_total", "shop", "spent"),
            ("lifecycle_unmatched_interactions_total", "shop", "other"),
            *(("lifecycle_partition_failures_total", kind) for kind in FailureKind),
            *(("lifecycle_customers", "shop", stage) for stage in ("lead", "customer", "dormant")),
        ],
        0,
    )


def test_nobody_is_forgotten_where_forgetting_is_off(model: Model) -> None:
    """No series says that it could happen."""
    never = model_of(model.lifecycles, forget_after=None)
    ends = [key for key in samples(Metrics(View(), never)) if key[0] == "lifecycle_stage_changes_total" and not key[3]]
    assert ends == []


@pytest.mark.parametrize("preset", presets())
def test_what_happens_in_a_preset_makes_no_new_series(preset: str) -> None:
    """All that thousands of random interactions count was there from the start, and some of it happened."""
    model = model_of([load(preset).lifecycle])
    made = machine(model, Settings(clock="stream"))
    metrics = Metrics(owned(made), model)
    before = samples(metrics).keys()
    chance = random.Random(7)
    names = sorted(model.lifecycles[0].words)
    report(metrics, run_all(made, records_of([*random_interactions(chance, names), tick(NOW)])))
    found = samples(metrics)
    assert found.keys() - before == set()
    assert sum(value for key, value in found.items() if key[0] == "lifecycle_stage_changes_total") > 100


def random_interactions(chance: random.Random, names: list[str]) -> list[Interaction]:
    """Of 50 subjects in 60 days, with properties of any type, in the order of time."""
    times = sorted(T0 + chance.randrange(60 * DAY) for _ in range(2_000))
    values: list[object] = [0, 9, 19.9, "a", True, None]
    return [
        Interaction(
            *((f"known-{who}", None) if who % 2 else (None, f"visitor-{who}")),
            None,
            chance.choice(names),
            time,
            {name: chance.choice(values) for name in ("total", "score", "cost", "rating", "revenue", "path")},
            {},
        )
        for time in times
        for who in [chance.randrange(50)]
    ]


def test_the_process_and_its_build_are_named(model: Model) -> None:
    """Memory, CPU and open files of this very process; version, kind of build and Python of what runs."""
    found = families(Metrics(View(), model))
    memory, start = found["process_resident_memory_bytes"], found["process_start_time_seconds"]
    assert memory.samples[0].value > 1_000_000
    assert start.samples[0].value <= time.time()
    assert {"process_cpu_seconds", "process_open_fds", "process_max_fds"} <= found.keys()
    (build,) = found["lifecycle_build_info"].samples
    assert (build.labels, build.value) == (build_labels(), 1)
    assert build.labels["python"] == platform.python_version()
    assert build.labels["build"] in ("compiled", "not compiled")


def test_no_series_says_when_each_series_began(model: Model) -> None:
    """`_created` would double a scrape."""
    text = generate_latest(Metrics(View(), model).registry).decode()
    open_text = open_metrics(Metrics(View(), model).registry).decode()
    assert "lifecycle_interactions_total" in open_text
    assert "_created" not in text + open_text


def test_how_batches_are_cut_changes_no_count(model: Model) -> None:
    """Told in one batch or record by record: only what is observed once a batch differs."""
    whole, parts = (Metrics(View()) for _ in range(2))
    report(whole, run_all(machine(model, Settings(clock="stream")), story()))
    made = machine(model, Settings(clock="stream"))
    for record in story():
        report(parts, run_all(made, [record]))
    once_a_batch = ("lifecycle_batch_", "lifecycle_transaction_")
    one, other = (
        {key: value for key, value in samples(each).items() if not key[0].startswith(once_a_batch)}
        for each in (whole, parts)
    )
    assert one == other


def test_what_a_crash_hands_over_again_is_counted_as_repeated(model: Model) -> None:
    """And as nothing else."""
    changelog = compacted(run_all(machine(model, Settings(clock="stream")), records_of([buy("a", T0), buy("a", T0)])))
    del changelog[KEY]
    metrics = Metrics(View())
    report(metrics, run_all(machine(model, Settings(clock="stream"), changelog), records_of([buy("a", T0)])))
    found = samples(metrics)
    assert {key: value for key, value in found.items() if key[0] == "lifecycle_interactions_total" and value} == {
        ("lifecycle_interactions_total", "repeated"): 1
    }
    assert found["lifecycle_stage_changes_published_total",] == 0
    assert found["lifecycle_end_to_end_latency_seconds_count",] == 0


def test_what_is_to_alert_on_is_told_apart(model: Model) -> None:
    """A record and a customer on which our own code fails."""
    made = machine(model, Settings(clock="stream"))
    made.isolate(offsets=[1], keys=[b"ca"])
    metrics = Metrics(View())
    report(metrics, run_all(made, records_of([buy("a", T0), buy("b", T0), tick(NOW)])))
    found = samples(metrics)
    assert found["lifecycle_dead_letters_total", "unprocessable"] == 1
    assert found["lifecycle_interactions_total", "rejected"] == 1
    assert found["lifecycle_quarantined_customers_total",] == 1
    assert found["lifecycle_deadlines_fired_total",] == 0


def test_interactions_on_another_partition_than_their_customers_are_counted_over_all_partitions(model: Model) -> None:
    metrics = Metrics(View())
    records = records_of([buy("customer-42", T0), buy("customer-42", T0 + 1)])
    for partition in (5, 6, 9):  # 9 of 12 is where Java puts this one
        made = PartitionMachine(model, Settings(clock="stream"), SourcePartition(TOPIC, partition, 12))
        report(metrics, run_all(made, records))
    assert samples(metrics)["lifecycle_misplaced_interactions_total",] == 4


def test_a_life_that_waits_after_64_deadlines_is_counted_once() -> None:
    """It went round and round without an interaction; later ticks count it no more."""
    text = """
lifecycle: clockwork
stages: {on: {}, off: {}}
transitions:
  - {from: on, to: off, when: in_stage >= 1h}
  - {from: off, to: on, when: in_stage >= 1h}
"""
    made = machine(model_of([parse(text, "clockwork.yaml").lifecycle]), Settings(clock="stream"))
    metrics = Metrics(View())
    report(metrics, run_all(made, records_of([buy("a", T0), tick(T0 + 5 * DAY), tick(T0 + 10 * DAY)])))
    found = samples(metrics)
    assert found["lifecycle_waiting_lives_total",] == 1
    assert found["lifecycle_deadlines_fired_total",] == 64


def test_what_came_from_ahead_of_wall_time_took_no_negative_time(model: Model) -> None:
    """Clocks of brokers and workers differ; a histogram's sum never falls."""
    metrics = Metrics(View())
    report(metrics, run_all(machine(model, Settings(clock="stream")), records_of([buy("a", NOW + 5_000)])))
    found = samples(metrics)
    assert found["lifecycle_end_to_end_latency_seconds_count",] == 1
    assert found["lifecycle_end_to_end_latency_seconds_sum",] == 0


def test_event_names_that_no_word_covers_are_counted_by_name_few_of_them_and_none_that_may_be_somebodys() -> None:
    """A name of the lifecycle is not among them, nor one that a condition alone names; the rest is `other`."""
    text = """
lifecycle: shop
interactions: {buy: [Order Completed]}
stages: {lead: {}, gone: {}}
transitions: [{from: lead, to: gone, when: event.name == "unsubscribe"}]
"""
    model = model_of([parse(text, "shop.yaml").lifecycle])
    personal = ["ada@example.test", "order 100234", "x" * 65, "+49 30", "Tür\nzu"]
    names = ["Bestellung", "Bestellung", "other", "buy", "Order Completed", "unsubscribe", *personal]
    names += [f"step {number}" for number in range(40)]
    seen = [Interaction("ann", None, None, name, T0 + number, {}, {}) for number, name in enumerate(names)]
    metrics = Metrics(View(), model)
    report(metrics, run_all(machine(model, Settings(clock="stream")), records_of(seen)))
    found = {key[2]: value for key, value in samples(metrics).items() if "unmatched" in key[0]}
    shown = {"Bestellung": 2, **{f"step {number}": 1 for number in range(18)}}
    assert found == {**shown, "other": 1 + len(personal) + 22}


def sold(*times: int, clock: Literal["wall", "stream"] = "stream") -> Metrics:
    """A worker with two partitions, on both of which the same was bought: the last thing once on the first alone."""
    model = model_of([parse(SOLD, "sold.yaml").lifecycle])
    view = View()
    metrics = Metrics(view, model, clock=clock)
    owned = []
    for bought in (times, times[:-1]):
        made = machine(model, Settings(clock="stream"))
        report(
            metrics,
            run_all(made, records_of([buy(f"c-{place}", time, total=0.1) for place, time in enumerate(bought)])),
        )
        owned.append(PartitionView(len(owned), 0, 1.0, figures=made.figures))
    view.owned = owned
    made.commit()
    for each in owned:
        assert each.figures is not None
        each.figures.commit()
    return metrics


def today(metrics: Metrics) -> dict[str, float]:
    return {key[1]: value for key, value in samples(metrics).items() if key[0] == "lifecycle_figure_today"}


def test_the_figures_of_today_are_shown_of_everybody_by_the_calendar_of_the_lifecycle() -> None:
    """NOW is in the evening in UTC, and an hour later on in Paris: what was bought after its midnight counts."""
    midnight = (NOW + 3_600_000) // DAY * DAY - 3_600_000
    times = (midnight - 1, midnight, midnight + 1, NOW)
    assert today(sold(*times, clock="wall")) == {"buys": 5, "revenue": 0.5}


def test_with_the_clock_of_the_stream_today_is_the_latest_day_that_has_figures() -> None:
    """Of all partitions of the worker, not of each."""
    assert today(sold(T0, T0 + 1, T0 + 5 * DAY)) == {"buys": 1, "revenue": 0.1}
    assert today(sold(T0, T0 + 1)) == {"buys": 3, "revenue": 0.3}


def test_before_anything_happens_every_figure_is_there_with_0() -> None:
    model = model_of([parse(SOLD, "sold.yaml").lifecycle])
    assert today(Metrics(View(), model)) == {"buys": 0, "revenue": 0}


def test_changes_of_figures_that_come_too_late_and_values_that_are_too_many_are_counted() -> None:
    """Two figures and a life that begins, too late; three values too many."""
    model = model_of([parse(SOLD, "sold.yaml").lifecycle])
    metrics = Metrics(View(), model)
    made = machine(model, Settings(clock="stream"))
    bought = [
        Interaction(f"c-{each}", None, None, "Order Completed", T0 + 900 * DAY, {"total": 1, "country": f"{each}"}, {})
        for each in range(MAX_SEGMENTS + 3)
    ]
    report(metrics, run_all(made, records_of([*bought, buy("late", T0)])))
    found = samples(metrics)
    assert found["lifecycle_other_segment_changes_total",] == 3
    assert found["lifecycle_closed_figure_changes_total",] == 3


def test_the_lifecycles_of_a_worker_are_shown_and_how_many_versions_its_group_has(model: Model) -> None:
    """Of the group nothing while the broker does not tell: that is no sign that all agree."""
    metrics, [shop] = Metrics(View()), model.lifecycles
    group = GroupVersions(versions_of(model.lifecycles, "1.0", {}))
    metrics.show_versions(group)
    assert samples(metrics)["lifecycle_info", shop.digest.hex(), "shop", "1"] == 1
    assert "lifecycle_group_versions" not in str(samples(metrics))
    group.heard([Member("a", "10.0.0.1", group.ours)])
    assert samples(metrics)["lifecycle_group_versions", "shop"] == 1
    group.heard([Member("b", "10.0.0.2", WorkerVersions("b:1", "1.0", {}, {}))])
    assert samples(metrics)["lifecycle_group_versions", "shop"] == 2


def test_every_metric_of_the_product_is_scraped_and_none_besides(model: Model) -> None:
    """The names in the source are those in the exposition; what is counted ends in `_total` there."""
    model = model_of([*model.lifecycles, parse(LISTS, "lists.yaml").lifecycle])
    made = machine(model, Settings(clock="stream"))
    metrics = Metrics(owned(made), model, gathered=["web", "crm"])
    group = GroupVersions(versions_of(model.lifecycles, "1.0", {}))
    group.heard([])
    metrics.show_versions(group)
    report(metrics, run_all(made, story()))
    metrics.failed(0, "kafka")
    found = families(metrics)
    assert sorted(name for name in found if not name.startswith("process_")) == NAMES
    for name, family in found.items():
        assert family.samples, name


def test_names_and_labels_follow_prometheus(model: Model) -> None:
    """Lower case, base units, `_total` for counters and nothing else; every metric says what it is."""
    made = machine(model, Settings(clock="stream"))
    metrics = Metrics(owned(made))
    report(metrics, run_all(made, story()))
    metrics.failed(0, "kafka")
    for name, family in families(metrics).items():
        assert re.fullmatch(r"(lifecycle|process)(_[a-z]+)+", name)
        assert not re.search(r"_(ms|milliseconds|minutes|hours|days|percent|kib|mib|gauge|counter|count|sum)$", name)
        assert family.type in ("counter", "gauge", "histogram")
        assert family.documentation.strip()
        assert family.documentation != name
        if family.type == "histogram":
            assert name.endswith("_seconds")
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name == f"{name}_total"
            if family.type != "counter":
                assert not sample.name.endswith("_total")
            assert set(sample.labels) <= {
                *("result", "reason", "lifecycle", "from", "to", "signal", "name", "kind", "stage", "partition", "le"),
                *("version", "build", "python", "flaw", "figure", "phase"),
            }


def test_no_customer_stands_in_a_metric(model: Model) -> None:
    """Neither an id nor a property: those would be personal data, and as many series as customers."""
    made = machine(model, Settings(clock="stream"))
    metrics = Metrics(owned(made))
    report(metrics, run_all(made, story()))
    text = generate_latest(metrics.registry).decode()
    assert not re.search('ann|bob|cy"|visitor|customer-|order-1|free', text)


def test_buckets_are_ascending_and_hold_what_they_say(model: Model) -> None:
    """Cumulative, up to `+Inf`, which holds all; a quarter of a second lies in the bucket that it bounds."""
    metrics = Metrics(View())
    report(metrics, run_all(machine(model, Settings(clock="stream")), story()))
    for name, family in families(metrics).items():
        if family.type != "histogram":
            continue
        buckets = [(float(each.labels["le"]), each.value) for each in family.samples if each.name == f"{name}_bucket"]
        assert buckets == sorted(buckets)
        assert [count for _bound, count in buckets] == sorted(count for _bound, count in buckets)
        assert buckets[-1] == (float("inf"), samples(metrics)[f"{name}_count",])
    of = {each.labels.get("le"): each.value for each in families(metrics)["lifecycle_batch_seconds"].samples}
    assert (of["0.1"], of["0.25"]) == (0, 1)


def test_gauges_are_read_at_every_scrape() -> None:
    """Nothing is kept of a partition that this worker owns no more; sums are over its partitions."""
    view = View(
        PartitionView(0, 5, 1.0, [(("shop", "lead"), 2), (("other", "lead"), 1)]),
        PartitionView(1, 0, 1.0, [(("shop", "lead"), 3)]),
    )
    metrics = Metrics(view)
    found = samples(metrics)
    assert found["lifecycle_customers", "shop", "lead"] == 5
    assert found["lifecycle_customers", "other", "lead"] == 1
    assert (found["lifecycle_lag_records", "0"], found["lifecycle_lag_records", "1"]) == (5, 0)
    view.owned = ()
    gauges = ("lifecycle_customers", "lifecycle_lag_records", "lifecycle_recovery_ratio")
    assert not [key for key in samples(metrics) if key[0] in gauges]


def at(phase: Phase, state: PartitionState = PartitionState.RUNNING, *, up: bool = True) -> EngineStatus:
    """A worker in this phase, with one partition in that state."""
    contact = ContactStatus(up=up, since=T0, seconds_since_answer=0.25)
    return EngineStatus(phase, "exactly_once", (PartitionStatus(0, state, 1.0, 0, 0, 0.0),), contact)


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (at(Phase.RUNNING), 1),
        (at(Phase.REBALANCING), 0),
        (at(Phase.RUNNING, PartitionState.RECOVERING), 0),
        (at(Phase.RUNNING, up=False), 0),
        (None, 0),
    ],
)
def test_a_process_is_ready_as_readyz_has_it(status: EngineStatus | None, ready: int) -> None:
    """Before it knows anything it is not."""
    view = View()
    view.engine = status
    assert samples(Metrics(view))["lifecycle_ready",] == ready


def test_a_process_is_in_one_phase() -> None:
    """The others are there with 0, so that an alert can ask for how long it was in none but this."""
    view = View()
    view.engine = at(Phase.JOINING)
    found = {key[1]: value for key, value in samples(Metrics(view)).items() if key[0] == "lifecycle_phase"}
    assert found == {phase: phase == "joining" for phase in Phase}


def test_how_many_partitions_the_topic_has_is_not_said_before_it_was_seen() -> None:
    view = View()
    view.engine = at(Phase.WAITING_FOR_KAFKA)
    assert ("lifecycle_topic_partitions",) not in samples(Metrics(view))


def test_what_takes_minutes_is_told_from_what_takes_seconds() -> None:
    metrics = Metrics(View())
    metrics.batch_written(0, Batch(1), 70.0, 40.0)
    for name, below, above in (("batch", "60.0", "300.0"), ("transaction", "30.0", "60.0")):
        family = families(metrics)[f"lifecycle_{name}_seconds"]
        of = {each.labels.get("le"): each.value for each in family.samples}
        assert (of[below], of[above]) == (0, 1)
