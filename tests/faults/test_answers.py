"""Answers of lookups: what must be noticed of one that is old, early, or of no customer that there ever was."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from stream.codec.explanations import customer_data
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.keys import POSITION
from stream.core.explain import explain
from stream.settings import Settings
from tests.faults.answers import Answers, compare_with_oracle
from tests.faults.askers import Asked
from tests.faults.commits import Move
from tests.faults.oracle import Place, expected_of
from tests.faults.stints import Versions, stints_of
from tests.kit.lifecycles import SHOP, buy, shop
from tests.kit.machines import TOPIC, machine, published, records_of, run_all
from tests.kit.times import DAY, T0
from tests.kit.topics import Records

KEY = b"ca"
INPUTS = [buy("a", T0), buy("b", T0 + DAY), buy("a", T0 + 2 * DAY), buy("b", T0 + 40 * DAY)]
"""Each is a transaction of its own; the last one lets a become dormant."""


def consumed(topic: str, offset: int, time: int, key: bytes | None, value: bytes | None) -> Any:
    return ConsumerRecord(topic, 0, offset, time, 1, key, value, None, 0, 0, ())


class World:
    """Four transactions of one partition, what a was after each of them, and a judge of answers about them."""

    def __init__(self) -> None:
        self.versions = Versions([parse(SHOP, "shop.yaml").lifecycle], None)
        made = machine(shop(), Settings(clock="stream"))
        records = records_of(INPUTS)
        changelog: list[Any] = []
        batches = []
        self.bodies: list[dict[str, Any]] = []
        for record in records:
            [batch] = run_all(made, [record])
            batches.append(batch)
            changelog += [consumed("customers", 0, record.offset, each.key, each.value) for each in batch.state]
            customer, clock = made.customer(KEY), made.clock or 0
            assert customer is not None
            place = {"partition": 0, "offset": record.offset, "clock": clock}
            body = customer_data(customer, explain(made.model, customer, clock), **place, at=clock)
            self.bodies.append(orjson.loads(orjson.dumps(body)))
        changes = published(batches)
        self.published = {
            f"shop:customer:{who}": [each for each in changes if each["customer_id"] == who] for who in "ab"
        }
        self.changelog: Records = {0: changelog}
        self.source: Records = {
            0: [consumed(TOPIC, each.offset, each.timestamp, each.key, each.value) for each in records]
        }
        self.answers = Answers(self.versions, TOPIC, self.source, self.changelog, self.published, by_wall=False)


@pytest.fixture
def world() -> World:
    return World()


def answer(body: Mapping[str, Any] | None, known: int = 0, **other: Any) -> Asked:
    """An answer to a question before which `known` transactions were read; None: 404."""
    status = 404 if body is None else 200
    asked = Asked(KEY, "worker-0", {0: known}, {}, T0, status, orjson.dumps(body))
    return replace(asked, **other)


def test_what_was_committed_is_right_until_the_next_transaction_was_read(world: World) -> None:
    for number, body in enumerate(world.bodies):
        for known in range(number + 2):
            assert world.answers.judge(answer(body, known)) is None
        for known in range(number + 2, 5):
            assert "was committed and read" in (world.answers.judge(answer(body, known)) or "")


def test_a_state_of_another_offset_is_wrong(world: World) -> None:
    """As from a batch that is not committed, or with one that is left out."""
    for offset in (1, 3):
        body = {**world.bodies[2], "offset": offset, "clock": world.bodies[offset]["clock"]}
        assert f"at offset {offset}" in (world.answers.judge(answer(body)) or "")


def test_an_offset_at_which_no_transaction_ended_is_right_for_whom_nothing_changed_up_to_it(world: World) -> None:
    """The second and third transaction as one, which a batch that was never committed had begun."""
    second = next(each for each in world.changelog[0] if each.key == POSITION and each.timestamp == 1)
    together: Records = {0: [each for each in world.changelog[0] if each is not second]}
    answers = Answers(world.versions, TOPIC, world.source, together, world.published, by_wall=False)
    assert answers.judge(answer(world.bodies[1])) is None
    late = {**world.bodies[2], "offset": 1, "clock": world.bodies[1]["clock"]}
    assert "at offset 1" in (answers.judge(answer(late)) or "")
    of_b = answer({**world.bodies[1], "offset": 1}, key=b"cb")
    assert "lacks what had happened up to offset 1" in (answers.judge(of_b) or "")
    nothing = Answers(world.versions, TOPIC, world.source, {0: []}, {}, by_wall=False)
    assert "nothing was ever committed" in (nothing.judge(answer(world.bodies[0])) or "")


@pytest.mark.parametrize(
    ("name", "value"), [("stage", "lead"), ("sequence", 3), ("entered", 1), ("scores", {"value": 1.0}), ("facts", {})]
)
def test_every_part_of_an_answer_is_compared(world: World, name: str, value: object) -> None:
    body = world.bodies[1]
    other = {**body, "lifecycles": [{**body["lifecycles"][0], name: value}]}
    assert f"lifecycles[0].{name}" in (world.answers.judge(answer(other)) or "")


def test_another_partition_or_clock_is_wrong(world: World) -> None:
    assert "partition 1 instead of 0" in (world.answers.judge(answer({**world.bodies[0], "partition": 1})) or "")
    assert "its clock is 5" in (world.answers.judge(answer({**world.bodies[0], "clock": 5})) or "")


def test_an_answer_before_its_transaction_is_written_is_wrong_where_that_changes_the_customer(world: World) -> None:
    assert "before its transaction was written" in (world.answers.judge(answer(world.bodies[3], at=2)) or "")
    assert world.answers.judge(answer(world.bodies[1], at=0)) is None


def test_a_customer_who_was_there_is_not_unknown(world: World) -> None:
    assert world.answers.judge(answer(None, 0)) is None
    assert "it had been there" in (world.answers.judge(answer(None, 1)) or "")
    assert world.answers.judge(answer(None, 4, key=b"cnobody")) is None


def test_a_stage_change_that_was_read_before_is_in_the_answer(world: World) -> None:
    born = world.bodies[0]["lifecycles"][0]["born"]
    moves = {"shop": Move(born, 3)}
    assert "before, 3 was read" in (world.answers.judge(answer(world.bodies[2], moves=moves)) or "")
    assert world.answers.judge(answer(world.bodies[3], moves=moves)) is None


def test_what_answers_showed_must_be_the_oracles(world: World) -> None:
    for body in world.bodies:
        assert world.answers.judge(answer(body)) is None
    shown = world.answers.committed
    stints = {0: stints_of(TOPIC, world.changelog[0])}
    expected = expected_of(world.versions, stints, TOPIC, world.source, shown)
    assert len(shown) == 4
    assert compare_with_oracle(shown, expected[0].states) == []
    place = Place(0, 2, KEY)
    shown[place] = shown[Place(0, 4, KEY)]
    [line] = compare_with_oracle(shown, expected[0].states)
    assert "after 2 records" in line
