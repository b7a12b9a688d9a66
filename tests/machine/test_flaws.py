"""What the machine counts of records that it takes though not all of them can be used."""

import json

from stream.settings import Settings
from tests.kit.lifecycles import shop
from tests.kit.machines import machine, records_of, run_all
from tests.kit.times import T0


def test_flaws_are_counted_by_batch_and_a_dead_letter_between_changes_nothing() -> None:
    made = machine(shop(), Settings(clock="stream"))
    visit = {"type": "visit", "customer_id": "c", "time": T0}
    values = [
        visit | {"id": {"a": 1}},
        {"type": "visit", "time": T0 // 1_000, "id": True},  # of nobody: a dead letter, whose flaws do not count
        visit | {"time": T0 // 1_000},
        visit | {"properties": {"a": float("nan")}},
    ]
    [batch] = run_all(made, records_of([json.dumps(each).encode() for each in values], broker_time=T0))
    assert batch.counts.flaws == {"id": 1, "time_unit": 1, "not_a_number": 1}
    assert len(batch.dead_letters) == 1
    [later] = run_all(made, records_of([json.dumps(visit).encode()], broker_time=T0, first=4))
    assert later.counts.flaws == {}
    [last] = run_all(made, records_of([json.dumps(visit | {"id": 1.5}).encode()], broker_time=T0, first=5))
    assert (last.counts.flaws, later.counts.flaws) == ({"id": 1}, {})
    assert batch.counts.flaws == {"id": 1, "time_unit": 1, "not_a_number": 1}
