"""A verification of what a partition's machine wrote, without Kafka: however it was batched, at whatever moment."""

import random
from collections.abc import Sequence
from dataclasses import fields
from typing import NamedTuple

import pytest
from librt.vecs import vec
from mypy_extensions import i64

from stream.codec.controls import tick
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.packed_records import PackedRecords
from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.keys import LAYOUT
from stream.codec.state.positions import decode_position
from stream.core.customer import Customer
from stream.core.interaction import ImportedRow, Interaction
from stream.core.model import Model, model_of
from stream.machine import budget
from stream.machine.batch import Batch
from stream.operations.verification.comparison import Cut, Verification
from stream.operations.verification.current_stages import CurrentStages
from stream.operations.verification.findings import Findings, described, unlike
from stream.operations.verification.published import PublishedChanges
from stream.operations.verification.reach import BEFORE_EDIT, Reach
from stream.settings import Clock, Settings
from tests.kit.lifecycles import QUICK
from tests.kit.machines import TOPIC, Record, compacted, finish, machine, records_of
from tests.kit.times import T0

FILES = {
    "quick": QUICK,
    "cooling": """
lifecycle: cooling
scores: {heat: {half_life: 1s}}
signals: {any: {each: [page, Order Completed], add: {heat: 4}}}
stages: {hot: {}, cold: {}}
transitions:
  - {from: hot, to: cold, when: heat < 1}
  - {from: cold, to: hot, when: heat >= 1}
""",
}
MODEL = model_of([parse(text, f"{name}.yaml").lifecycle for name, text in FILES.items()], forget_after=4_000)


def settings_of(clock: Clock, grace: int = 0) -> Settings:
    return Settings(clock=clock, grace=grace, forget_after=4_000)


class Written(NamedTuple):
    """A batch, and the changelog right after it."""

    batch: Batch
    changelog: dict[bytes, bytes]


def history(seed: int, count: int = 150, fresh_from: int = 1_000_000) -> list[Record]:
    """Interactions that arrive a little after their time, some of them much later; their broker times do not fall.

    From the record `fresh_from` on there are new subjects, too.
    """
    chance = random.Random(seed)
    now = T0
    records: list[Record] = []
    for number in range(count):
        now += chance.choice([0, 1, 50, 200, 900])
        who = chance.randrange(8 if number < fresh_from else 16)
        given: Interaction | bytes | Outgoing = Interaction(
            f"c{who}" if who % 2 else None,
            f"a{who}",
            f"e{number if chance.random() < 0.9 else number - 1}",
            chance.choice(["page", "page", "Order Completed", "other"]),
            now - chance.choice([0, 0, 5, 1_000, -2_000]),
            {"total": 10},
            {},
        )
        if chance.random() < 0.05:
            given = chance.choice([b"{", tick(now)])
        records += records_of([given], broker_time=now, first=number)
    return records


def work(
    records: Sequence[Record], settings: Settings, seed: int, changelog: dict[bytes, bytes], model: Model = MODEL
) -> list[Written]:
    """Batches of random lengths, with time that passes between them and restarts of the machine."""
    chance = random.Random(seed)
    made = machine(model, settings, changelog)
    written: list[Written] = []
    left, wall = list(records), (records[0].timestamp if records else T0)
    while left:
        taken = left[: chance.randrange(1, 9)]
        wall = max(wall, taken[-1].timestamp)
        follows = left[len(taken) :]
        alone = chance.random() < 0.7 and (not follows or follows[0].timestamp > taken[-1].timestamp)
        if alone:
            latest = follows[0].timestamp if follows else wall + 1_500
            wall = chance.randrange(wall, max(wall + 1, latest))
        while True:
            batch = finish(
                made.run(taken, taken[-1].offset + 1 if taken else made.next_offset or 0, wall=wall, caught_up=alone)
            )
            if batch.inputs:
                changelog = compacted([batch], changelog)
                written.append(Written(batch, changelog))
            taken = [each for each in taken if each.offset >= batch.next_offset]
            if not batch.more:
                break
        left = follows
        if chance.random() < 0.1:
            made = machine(model, settings, changelog)
    while (due := made.next_due()) is not None and due <= (made.clock or 0):  # more came at once than a batch takes
        batch = finish(made.run([], made.next_offset or 0, wall=wall, caught_up=False))
        if not batch.inputs:
            break
        changelog = compacted([batch], changelog)
        written.append(Written(batch, changelog))
    return written


def verify(
    records: Sequence[Record],
    settings: Settings,
    written: Sequence[Written],
    at: int,
    model: Model = MODEL,
    first: int = 0,
) -> Findings:
    """Of the moment right after batch `at`; what later batches published is on the topics, too."""
    findings = Findings(10)
    changelog = written[at].changelog
    position = decode_position(changelog[positions.KEY])
    customers = {key: value for key, value in changelog.items() if key[:1] in (b"c", b"a")}
    layouts = [value for key, value in changelog.items() if key[:1] == LAYOUT]
    cut = Cut(position, position.offsets[TOPIC], customers, layouts)
    published = PublishedChanges(TOPIC, 0, findings, exactly_once=True)
    for offset, each in enumerate(change for one in written for change in one.batch.events):
        published.add(0, Record(offset, 0, each.key, each.value, each.headers), alike=True, only=None)
    current = CurrentStages(findings, {each.id for each in model.lifecycles})
    reach = Reach(0, position, first, None, settings.clock)
    verification = Verification(model, settings, cut, reach, published, current, findings, None)
    for record in records:
        if reach.start <= record.offset < cut.offset:
            verification.process(record, unprocessable=False)
    verification.finish()
    touched = {each.key for one in written[at + 1 :] for each in one.batch.state if each.key is not None}
    for key, differences in verification.open.items():
        if key not in touched:
            for difference in differences:
                findings.differ(difference)
    for each in (change for one in written for change in one.batch.latest):
        current.add(each.key, each.value, None)
    current.finish({0: touched})
    return findings


@pytest.mark.parametrize("grace", [0, 300])
@pytest.mark.parametrize("clock", ["stream", "wall"])
@pytest.mark.parametrize("seed", range(4))
def test_what_a_machine_wrote_is_right_at_every_moment_however_it_was_batched(
    seed: int, clock: Clock, grace: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between two batches of one burst of deadlines, and after restarts."""
    monkeypatch.setattr(budget, "MAX_FIRED", 2)  # no effect on a compiled build
    settings = settings_of(clock, grace)
    records = history(seed)
    written = work(records, settings, seed, {})
    for at in range(seed, len(written), 8):
        findings = verify(records, settings, written, at)
        assert list(map(str, findings.differences)) == [], at
    findings = verify(records, settings, written, len(written) - 1)
    assert list(map(str, findings.differences)) == []
    assert findings.counts["changes"] + findings.counts["changes not to be published"] > 100
    assert findings.not_reached == {}


@pytest.mark.parametrize("clock", ["stream", "wall"])
@pytest.mark.parametrize("seed", [0, 104, 120, 135])
def test_where_the_beginning_is_gone_nothing_wrong_is_said(seed: int, clock: Clock) -> None:
    """Whoever began later is verified, the others are counted."""
    settings = settings_of(clock)
    records = history(seed)
    written = work(records, settings, seed, {})
    verified = 0
    for first in (1, 40, 100):
        findings = verify(records, settings, written, len(written) - 1, first=first)
        assert list(map(str, findings.differences)) == [], first
        verified += findings.counts["changes"]
    assert verified > 100


@pytest.mark.parametrize("clock", ["stream", "wall"])
def test_every_batch_that_is_lost_is_found(clock: Clock) -> None:
    """A batch of stage changes, or of customer records, that was never written."""
    settings = settings_of(clock)
    records = history(3)
    written = work(records, settings, 3, {})
    last = len(written) - 1
    for lost in [at for at, each in enumerate(written) if each.batch.events][::9]:
        kept = written[lost].batch.events
        written[lost].batch.events = PackedRecords()
        assert verify(records, settings, written, last).differing, lost
        written[lost].batch.events = kept
    assert not verify(records, settings, written, last).differing
    for key in [key for key in written[last].changelog if key[:1] in (b"c", b"a")]:
        for earlier in (each.changelog.get(key) for each in written[:last]):
            if earlier is not None and earlier != written[last].changelog[key]:
                stale = {**written[last].changelog, key: earlier}
                found = verify(records, settings, [*written[:last], Written(written[last].batch, stale)], last)
                assert found.differing, key
                break


EDITS = {
    "edited": (("quick", "cooling"), ("edited", "cooling")),
    "added": (("quick",), ("quick", "cooling")),
    "dropped": (("quick", "cooling"), ("quick",)),
    "all replaced": (("quick",), ("cooling",)),
    "dropped and added": (("quick",), ("cooling", "later")),
    "dropped and back": (("quick", "cooling"), ("quick",), ("quick", "cooling")),
}


def model_named(*names: str) -> Model:
    """Of `FILES`, and of two that are made of these."""
    texts = {
        **FILES,
        "edited": FILES["quick"].replace("heat: 3", "heat: 4").replace("heat >= 1.5", "heat >= 1.2"),
        "later": FILES["quick"].replace("lifecycle: quick", "lifecycle: later"),
    }
    return model_of([parse(texts[name], f"{name}.yaml").lifecycle for name in names], forget_after=4_000)


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("clock", ["stream", "wall"])
@pytest.mark.parametrize("seed", range(2))
def test_after_an_edit_nothing_wrong_is_said_and_those_who_came_later_are_verified(
    seed: int, clock: Clock, edit: str
) -> None:
    """Whoever began before is counted; neither lifecycles that came or went nor the forgotten confuse it."""
    settings = settings_of(clock)
    models = [model_named(*names) for names in EDITS[edit]]
    records = history(seed, 120 * len(models), fresh_from=120 * (len(models) - 1))
    written: list[Written] = []
    for place, model in enumerate(models):
        old = len(written)
        changelog = written[-1].changelog if written else {}
        written += work(records[120 * place : 120 * (place + 1)], settings, seed, changelog, model)
    for at in range(old, len(written), 8):
        findings = verify(records, settings, written, at, model=models[-1])
        assert list(map(str, findings.differences)) == [], at
    findings = verify(records, settings, written, len(written) - 1, model=models[-1])
    assert list(map(str, findings.differences)) == []
    assert findings.counts["changes"] > 20
    assert findings.counts["changes out of reach"] > 20


@pytest.mark.parametrize("clock", ["stream", "wall"])
def test_of_those_who_began_before_an_edit_what_needs_no_history_is_verified(clock: Clock) -> None:
    """Nobody came later: a missing change is found, a current stage that is another, a broken record."""
    settings = settings_of(clock)
    records = history(4)
    old = work(records, settings, 4, {}, model_named("quick"))
    after = model_named("edited")
    made = machine(after, settings, old[-1].changelog)
    batch = finish(made.run([], made.next_offset or 0, wall=records[-1].timestamp, caught_up=False))
    written = [*old, Written(batch, compacted([batch], old[-1].changelog))]
    last = len(written) - 1
    customers = [key for key in written[last].changelog if key[:1] in (b"c", b"a")]

    findings = verify(records, settings, written, last, after)
    assert (list(map(str, findings.differences)), findings.counts["customers"]) == ([], 0)
    assert findings.not_reached == {BEFORE_EDIT: len(customers)}
    assert findings.counts["current stages"] == len(customers) > 2

    at, place = next(
        (at, place)
        for at in range(last, -1, -1)
        for place, change in reversed(list(enumerate(written[at].batch.events)))
        if b"c" + (change.key or b"") in customers
    )
    batch, changes = written[at].batch, [*written[at].batch.events]
    lost = changes.pop(place)
    batch.events = PackedRecords(changes)
    [difference] = verify(records, settings, written, last, after).differences
    assert str(difference).startswith(f"partition 0, customer {(lost.key or b'').decode()}, quick: change ")
    assert "is missing from stage-changes" in str(difference)

    other = Outgoing(lost.key, (lost.value or b"").replace(b'"version"', b'"Version"'), lost.headers)
    batch.events = PackedRecords([*changes[:place], other, *changes[place:]])
    [difference] = verify(records, settings, written, last, after).differences
    assert str(difference).endswith("the current stage is another than the latest stage change")
    batch.events = PackedRecords([*changes[:place], lost, *changes[place:]])

    key = customers[0]
    broken = {**written[last].changelog, key: written[last].changelog[key][:-3]}
    found = verify(records, settings, [*written[:last], Written(written[last].batch, broken)], last, after)
    assert any("its record in lifecycle-customers cannot be read" in str(each) for each in found.differences)


def test_what_two_values_differ_in_is_said_by_its_path() -> None:
    """A few fields, and how many more there are."""
    assert unlike({"a": {"b": 1.0, "c": [1, 2]}}, {"a": {"b": 1.5, "c": [1, 3]}}) == (
        "a.b is 1.0, must be 1.5; a.c[1] is 2, must be 3"
    )
    assert unlike({"a": 1}, {"a": None, "b": True}) == "a is 1, must be nothing; b is nothing, must be True"
    assert unlike({str(n): n for n in range(9)}, {}).endswith("; and 5 more")
    assert unlike({"a": [1]}, {"a": [1, 2]}) == "a has 1 entries, must have 2"
    assert unlike({"a": 1}, {"a": 1}) == ""


def test_no_part_of_a_customer_is_left_out_where_two_are_compared() -> None:
    """Else two records that differ would be called the same in other bytes."""
    usual = {
        "kind": "customer",
        "id": "42",
        "identified": True,
        "latest": T0,
        "active": T0,
        "by_place": [None] * len(MODEL.lifecycles),
    }
    others = {
        "identified": False,
        "latest": T0 + 1,
        "active": T0 + 1,
        "id_hashes": bytes(8),
        "offset": 7,
        "quarantined": True,
        "rows": [ImportedRow(bytes(8), T0, 3)],
    }
    assert others.keys() | {"kind", "id", "by_place", "id_times", "edited"} == {each.name for each in fields(Customer)}
    one = described(MODEL, Customer(**usual))
    for name, value in others.items():
        times = {"id_times": vec[i64]([T0])} if name == "id_hashes" else {}
        assert unlike(one, described(MODEL, Customer(**{**usual, name: value, **times}))), name
