"""The machine of deliveries, rule by rule; what holds for any order of inputs is in test_deliveries_are_lists.py."""

from dataclasses import replace

import msgspec
import pytest

from stream.codec.deliveries import DeliveryCommand, read_given_up
from stream.errors import StateError
from stream.machine.batch import Batch, RecordFailed
from stream.machine.budget import MAX_BYTES
from stream.machine.source_partition import SourcePartition
from stream.webhooks.attempt_log import read_attempt
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Commanded, Configured, GivenBack
from stream.webhooks.deliveries.schedule import DELAYS, FAILING_FOR, JITTER
from stream.webhooks.exchange import Verdict
from tests.kit.machines import Record, compacted, run_all
from tests.webhooks.machines import COMMANDS, NOW, commanded, ended, endpoint, id_of, ids, machine, named, run, value

DAY = 86_400_000


def letters(batch: Batch) -> list[tuple[str, str, str, int]]:
    """Endpoint, id, reason and attempts of the batch's dead letters."""
    found = [read_given_up(each.value, each.headers) for each in batch.dead_letters]
    return [(each.endpoint, each.event_id, each.reason, each.attempts) for each in found if each is not None]


def redeliver(customer: str, sequence: int = 1, **more: str) -> DeliveryCommand:
    change = msgspec.Raw(value(customer, sequence))
    return DeliveryCommand("redeliver", "crm", NOW, **{"id": id_of(customer, sequence), **more}, change=change)


def taken(made: DeliveryMachine, now: int = NOW, endpoint: str = "crm", most: int = 2_000) -> list[str]:
    return ids(made.take(endpoint, most, now))


def test_a_change_waits_is_taken_and_is_delivered():
    made = machine()
    came = run(made, [value("1")])
    [delivery] = made.take("crm", 9, NOW)
    assert (delivery.event_id, delivery.value, delivery.attempts) == (id_of("1"), value("1"), 0)
    done = run(made, (), ended(delivery, at=NOW + 40))
    assert compacted([came, done]).keys() == {b"p"}
    [attempt] = [read_attempt(each.value) for each in done.events]
    assert attempt is not None
    assert (attempt.attempt, attempt.verdict, attempt.status, attempt.next) == (1, Verdict.DELIVERED, 200, None)
    assert (attempt.customer_id, attempt.lifecycle, attempt.endpoint) == ("1", "shop", "crm")
    assert made.take_counts().delivered == [("crm", 40)]


def test_each_endpoint_gets_what_it_wants():
    wants = endpoint("late", wants=lambda change: change.sequence > 1)
    made = machine(named(endpoint(), wants, endpoint("off", enabled=False)))
    run(made, [value("1"), value("1", 2)])
    assert taken(made) == [id_of("1")]
    assert taken(made, endpoint="late") == [id_of("1", 2)]
    assert "off" not in made.waiting


def test_a_result_that_is_told_twice_counts_once():
    made = machine()
    run(made, [value("1"), value("1", 2)])
    [delivery] = made.take("crm", 9, NOW)
    batch = run(made, (), ended(delivery), ended(delivery))
    assert len(batch.events) == 1
    assert taken(made) == [id_of("1", 2)]


def test_a_result_of_an_earlier_attempt_is_not_that_of_the_next():
    made = machine()
    run(made, [value("1")])
    [first] = made.take("crm", 9, NOW)
    run(made, (), ended(first, Verdict.AGAIN))
    [second] = made.take("crm", 9, NOW + 7_000)
    assert second.attempts == 1
    assert run(made, (), ended(first, Verdict.REFUSED)).inputs == 0
    assert made.awaits(second)
    assert not made.awaits(first)


def test_a_result_that_a_restarted_state_is_told_is_taken():
    made = machine()
    changelog = compacted([run(made, [value("1")])])
    [delivery] = made.take("crm", 9, NOW)
    again = machine(changelog=changelog)
    run(again, (), ended(delivery))
    assert taken(again) == []
    assert not again.waiting["crm"].count


def test_ten_attempts_are_made_after_the_schedule_and_then_it_is_a_dead_letter():
    made, now = machine(), NOW
    run(made, [value("1"), value("1", 2)])
    for attempts in range(10):
        assert taken(made, now - 1) == [] if attempts else True
        [delivery] = made.take("crm", 9, now)
        assert (delivery.event_id, delivery.attempts) == (id_of("1"), attempts)
        batch = run(made, (), ended(delivery, Verdict.AGAIN, at=now, seconds=2.5), wall=now)
        due = made.next_due()
        if attempts < 9:
            assert letters(batch) == []
            assert due is not None
            wait = due - (now + 2_500)
            assert DELAYS[attempts + 1] <= wait <= DELAYS[attempts + 1] * (1 + JITTER)
            assert read_attempt(batch.events[0].value).next == due
            now = due
    assert letters(batch) == [("crm", id_of("1"), "exhausted", 10)]
    assert taken(made, now) == [id_of("1", 2)]


def test_what_is_refused_is_a_dead_letter_at_once_and_the_next_change_goes_on():
    made = machine()
    run(made, [value("1"), value("1", 2)])
    batch = run(made, (), ended(made.take("crm", 9, NOW)[0], Verdict.REFUSED))
    assert letters(batch) == [("crm", id_of("1"), "refused", 1)]
    assert batch.dead_letters[0].key == b"1"
    assert taken(made) == [id_of("1", 2)]


def test_retry_after_counts_from_the_answer_and_holds_for_the_whole_endpoint_after_a_restart_too():
    made = machine()
    batches = [run(made, [value("1"), value("2")])]
    first = made.take("crm", 1, NOW)[0]
    batches.append(run(made, (), ended(first, Verdict.AGAIN, at=NOW, seconds=20.0, wait=60.0), wall=NOW + 20_000))
    again = machine(changelog=compacted(batches))
    for each in (made, again):
        each.take("crm", 9, NOW)
        run(each, (), wall=NOW + 21_000)
        assert each.next_due() == NOW + 80_000
        assert taken(each, NOW + 79_999) == []
        assert sorted(taken(each, NOW + 80_000)) == [id_of("1"), id_of("2")]


def test_a_shorter_retry_after_does_not_end_a_longer_one():
    made = machine()
    run(made, [value("1"), value("2"), value("3")])
    first, second = made.take("crm", 2, NOW)
    run(made, (), ended(first, Verdict.AGAIN, wait=3_600.0), ended(second, Verdict.AGAIN, wait=1.0))
    assert taken(made, NOW + 3_599_000) == []


def test_after_410_nothing_is_sent_until_somebody_resumes_and_nothing_is_lost():
    made = machine()
    batches = [run(made, [value("1"), value("2")])]
    gone, other = made.take("crm", 2, NOW)
    batches.append(run(made, (), ended(gone, Verdict.GONE), ended(other)))
    assert made.take_counts().disabled == {"crm": "410 said the tool"}
    batches.append(run(made, [value("3")], wall=NOW + 365 * DAY))
    again = machine(changelog=compacted(batches))
    for each in (made, again):
        assert each.waiting["crm"].state.disabled_at == NOW
        assert taken(each, NOW + 365 * DAY) == []
        assert each.next_due() is None
        run(each, (), commanded(DeliveryCommand("resume", "crm", NOW)), wall=NOW + 366 * DAY)
        assert sorted(taken(each, NOW + 366 * DAY)) == [id_of("1"), id_of("3")]


def test_an_endpoint_that_failed_for_five_days_is_disabled():
    made, now = machine(), NOW
    run(made, [value(str(number)) for number in range(20)])
    for day in range(6):
        assert made.waiting["crm"].state.is_open
        now = NOW + day * DAY
        run(made, (), *[ended(each, Verdict.AGAIN, at=now) for each in made.take("crm", 1, now)], wall=now)
    assert made.waiting["crm"].state.disabled_reason == "every attempt of five days failed"
    assert made.take_counts().disabled == {"crm": "every attempt of five days failed"}


@pytest.mark.parametrize(
    ("verdict", "status", "ends"),
    [(Verdict.DELIVERED, 200, True), (Verdict.REFUSED, 400, True), (Verdict.REFUSED, None, False)],
)
def test_an_answer_ends_the_five_days_and_what_was_never_sent_does_not(verdict, status, ends):
    made = machine()
    run(made, [value("1"), value("2"), value("3")])
    first, second, third = made.take("crm", 3, NOW)
    run(made, (), ended(first, Verdict.AGAIN, at=NOW))
    run(made, (), ended(second, verdict, at=NOW + DAY, status=status))
    run(made, (), ended(third, Verdict.AGAIN, at=NOW + FAILING_FOR))
    assert made.waiting["crm"].state.is_open is ends


def test_what_the_endpoint_took_of_other_partitions_ends_the_five_days_too():
    made = machine()
    run(made, [value("1"), value("2"), value("3")])
    first, second, third = made.take("crm", 3, NOW)
    run(made, (), ended(first, Verdict.AGAIN, at=NOW))
    run(made, (), ended(second, Verdict.AGAIN, at=NOW + FAILING_FOR, last_delivered=NOW + DAY))
    assert made.waiting["crm"].state.is_open
    assert made.waiting["crm"].state.failing_since == NOW + FAILING_FOR
    run(made, (), ended(third, Verdict.AGAIN, at=NOW + 2 * FAILING_FOR, last_delivered=NOW + DAY))
    assert not made.waiting["crm"].state.is_open


def test_a_later_change_takes_the_place_of_one_that_waits_where_only_the_latest_is_wanted():
    made = machine(named(endpoint(only_latest=True)))
    batches = [run(made, [value("1", number) for number in range(1, 4)])]
    assert made.take_counts().superseded == {"crm": 2}
    assert letters(batches[0]) == []
    assert taken(made) == [id_of("1", 3)]
    assert len(compacted(batches)) == 2


def test_a_change_of_another_lifecycle_says_nothing_of_this_one():
    made = machine(named(endpoint(only_latest=True)))
    run(made, [value("1"), value("1", lifecycle="club"), value("1", 2)])
    [club] = made.take("crm", 9, NOW)
    assert club.event_id == id_of("1", 1, "club")
    run(made, (), ended(club))
    assert taken(made) == [id_of("1", 2)]


def test_a_failed_one_is_not_repeated_where_a_later_one_waits_and_only_the_latest_is_wanted():
    made = machine(named(endpoint(only_latest=True)))
    run(made, [value("1")])
    [delivery] = made.take("crm", 9, NOW)
    run(made, [value("1", 2)])
    batch = run(made, (), ended(delivery, Verdict.AGAIN))
    assert read_attempt(batch.events[0].value).next is None
    assert taken(made) == [id_of("1", 2)]


def test_an_earlier_change_that_comes_again_does_not_take_the_place_of_a_later_one():
    made = machine(named(endpoint(only_latest=True)))
    run(made, [value("1", 2)], commanded(redeliver("1", 1)))
    run(made, [value("1", 1)])
    assert taken(made) == [id_of("1", 2)]


def test_of_one_customer_a_thousand_wait_and_the_oldest_beyond_are_dead_letters():
    made = machine(named(endpoint(most_waiting=5_000)))
    run(made, [value("1", number) for number in range(1, 1_001)] + [value("2")])
    batch = run(made, [value("1", 1_001)])
    assert letters(batch) == [("crm", id_of("1", 1), "overflow", 0)]
    assert made.take_counts().given_up == {("crm", "overflow"): 1}
    assert sorted(taken(made)) == [id_of("1", 2), id_of("2")]
    under_way = run(made, [value("1", 1_002)])
    assert letters(under_way) == [("crm", id_of("1", 3), "overflow", 0)]
    assert made.waiting["crm"].length("customer:1") == 1_000


def test_over_the_endpoints_bound_the_oldest_are_dead_letters():
    made = machine(named(endpoint(most_waiting=3), endpoint("mail")))
    batch = run(made, [value(str(number)) for number in range(5)])
    assert letters(batch) == [("crm", id_of("0"), "overflow", 0), ("crm", id_of("1"), "overflow", 0)]
    assert taken(made) == [id_of("2"), id_of("3"), id_of("4")]
    assert len(taken(made, endpoint="mail")) == 5


def test_a_bound_that_was_lowered_is_kept_from_the_next_change_on():
    made = machine(named(endpoint(most_waiting=100)))
    run(made, [value(str(number)) for number in range(50)])
    run(made, (), Configured(named(endpoint(most_waiting=10))))
    batch = run(made, [value("50")])
    assert len(letters(batch)) == 41
    assert taken(made)[0] == id_of("41")


def test_a_batch_is_cut_where_it_is_full_and_loses_nothing():
    facts = {"note": "x" * 60_000}
    values = [value(str(number), facts=facts) for number in range(200)]
    made = machine(named(endpoint(), endpoint("mail")))
    batches = run_all(made, [Record(offset, NOW, None, each) for offset, each in enumerate(values)], wall=NOW)
    assert len(batches) > 4
    for each in batches:
        assert sum(len(record.value or b"") for record in each.state) < MAX_BYTES + 200_000
    again = machine(named(endpoint(), endpoint("mail")), compacted(batches))
    assert again.next_offset == 200
    for name in ("crm", "mail"):
        assert taken(again, endpoint=name) == [id_of(str(number)) for number in range(200)]


def test_a_batch_that_results_alone_fill_reads_no_change():
    facts = {"note": "x" * 600_000}
    made = machine()
    run_all(made, [Record(number, NOW, None, value(str(number), facts=facts)) for number in range(10)], wall=NOW)
    refused = [ended(each, Verdict.REFUSED) for each in made.take("crm", 10, NOW)]
    batch = run(made, [value("11")], *refused)
    assert (len(batch.dead_letters), batch.more, batch.next_offset) == (10, True, 10)
    assert run(made, [value("11")]).next_offset == 11


def test_a_paused_endpoint_keeps_what_comes():
    made = machine()
    batches = [run(made, [value("1")], commanded(DeliveryCommand("pause", "crm", NOW)))]
    batches.append(run(made, [value("2")]))
    again = machine(changelog=compacted(batches))
    for each in (made, again):
        assert taken(each) == []
        run(each, (), commanded(DeliveryCommand("resume", "crm", NOW), first=1))
        assert taken(each) == [id_of("1"), id_of("2")]


def test_a_command_is_obeyed_once_also_where_it_is_read_again():
    made = machine()
    command = commanded(redeliver("1"))
    changelog = compacted([run(made, (), command)])
    [delivery] = made.take("crm", 9, NOW)
    changelog = compacted([run(made, (), ended(delivery), command)], changelog)
    assert taken(made) == []
    again = machine(changelog=changelog)
    assert again.next_command == 1
    run(again, (), command)
    assert taken(again) == []


def test_after_the_topic_of_commands_was_created_again_its_commands_are_obeyed():
    made = machine()
    run(made, (), commanded(*[DeliveryCommand("pause", "crm", NOW)] * 5))
    run(made, (), commanded(DeliveryCommand("resume", "crm", NOW), anew=True))
    assert made.waiting["crm"].state.is_open
    assert made.next_command == 1


def test_a_record_that_is_no_command_is_passed_over():
    made = machine()
    values = [b"", b"{}", b'{"command": "explode", "endpoint": "crm", "at": 1}', None]
    nonsense = replace_change(redeliver("1"), b"null"), replace_change(redeliver("1"), b'{"customer_id": "1"}')
    records = tuple(Record(offset, NOW, None, each) for offset, each in enumerate(values))
    run(made, (), Commanded(records, 4), commanded(*nonsense, first=4))
    assert taken(made) == []
    assert made.next_command == 6


def replace_change(command: DeliveryCommand, change: bytes) -> DeliveryCommand:
    return msgspec.structs.replace(command, change=msgspec.Raw(change))


def test_what_is_delivered_again_has_the_id_that_the_change_says():
    made = machine()
    run(made, (), commanded(redeliver("1", id="whatever")))
    assert taken(made) == [id_of("1")]


def test_what_is_delivered_again_goes_behind_what_waits_and_stays_there_after_a_restart():
    made = machine()
    batches = [run(made, [value("1", 5), value("1", 6)], commanded(*[redeliver("9")] * 3))]
    batches.append(run(made, [value("1", 7)], commanded(redeliver("1", 1), redeliver("1", 2), first=3)))
    batches.append(run(made, [value("1", 8)]))
    expected = [5, 6, 1, 2, 7, 8]
    for each in (made, machine(changelog=compacted(batches))):
        assert [int(one.event_id[-1]) for one in each.waiting["crm"].of("customer:1")] == expected


def test_a_change_that_waits_already_waits_once():
    made = machine()
    run(made, [value("1"), value("1")], commanded(redeliver("1")))
    assert made.waiting["crm"].count == 1


def test_what_is_given_back_is_taken_again():
    made = machine()
    run(made, [value("1")])
    [delivery] = made.take("crm", 9, NOW)
    assert run(made, (), GivenBack(delivery)).inputs == 0
    assert taken(made) == [id_of("1")]


def test_what_waits_for_an_endpoint_that_is_no_more_or_off_is_kept():
    made = machine()
    batches = [run(made, [value("1")])]
    for edited in ({}, named(endpoint(enabled=False))):
        batches.append(run(made, [value("2")], Configured(edited)))
        assert taken(made) == []
        assert made.next_due() is None
        again = machine(named(), compacted(batches))
        assert taken(again) == [id_of("1")]
    run(made, (), Configured(named()))
    assert taken(made) == [id_of("1")]


def test_a_condition_that_our_code_fails_on_costs_its_own_endpoint_alone():
    def fails(_change: object) -> bool:
        raise ZeroDivisionError

    endpoints = named(endpoint("bad", wants=fails), endpoint())
    with pytest.raises(RecordFailed) as failed:
        run(machine(endpoints), [value("1")])
    made = machine(endpoints)
    made.isolate(offsets=[failed.value.offset])
    batch = run(made, [value("1")])
    assert letters(batch) == [("bad", id_of("1"), "unprocessable", 0)]
    assert taken(made) == [id_of("1")]


def test_records_that_are_no_stage_changes_are_passed_over():
    made = machine()
    assert run(made, [None, b"", b"{}", b"[1]", value("1", born="nonsense"), value("1")]).next_offset == 6
    assert taken(made) == [id_of("1")]
    assert made.take_counts().skipped == 5


def test_an_id_may_hold_anything():
    made = machine()
    subjects = ["a:b:c", "", "zero\x00byte", "new\nline", "emoji \N{SNOWMAN}", "0-1:1"]
    changelog = compacted([run(made, [value(each) for each in subjects])])
    for each in (made, machine(changelog=changelog)):
        found = each.take("crm", 9, NOW)
        assert [one.subject for one in found] == [f"customer:{subject}" for subject in subjects]
        assert [one.value for one in found] == [value(subject) for subject in subjects]


def test_a_batch_without_inputs_is_not_written_but_for_the_first():
    made = machine()
    first = run(made, ())
    assert (first.inputs, compacted([first]).keys()) == (1, {b"p"})
    assert run(made, ()).inputs == 0


def test_a_topic_that_was_created_again_is_read_from_its_beginning():
    changelog = compacted([run(machine(), [value("1")] * 3)])
    assert machine(changelog=changelog).next_offset == 3
    other = SourcePartition("stage-changes", 0, 1, "another id")
    assert machine(changelog=changelog, source=other).next_offset == 0
    unknown = SourcePartition("stage-changes", 0, 1, None)
    assert machine(changelog=changelog, source=unknown).next_offset == 3


def test_what_comes_after_a_topic_was_created_again_is_behind_what_waits():
    batches = [run(machine(), [value("1", 1)], first=1_000)]
    made = machine(changelog=compacted(batches), source=SourcePartition("stage-changes", 0, 1, "another id"))
    batches.append(run(made, [value("1", 2)], first=0))
    again = machine(changelog=compacted(batches), source=SourcePartition("stage-changes", 0, 1, "another id"))
    assert taken(again) == [id_of("1", 1)]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (SourcePartition("stage-changes", 0, 2), "has 2 partitions, what waits for webhooks was written with 1"),
        (SourcePartition("other", 0, 1), f"was made from topic {COMMANDS}, stage-changes, and now other"),
    ],
)
def test_a_state_of_another_topic_is_refused(source, says):
    changelog = compacted([run(machine(), [value("1")])])
    with pytest.raises(StateError, match=says):
        machine(changelog=changelog, source=source)


def test_values_are_the_same_bytes_however_many_wait():
    made = machine(named(endpoint(most_waiting=5_000), endpoint("mail", most_waiting=5_000)))
    values = [value(str(number), lifecycle="shop" if number % 3 else "club") for number in range(1_500)]
    batches = [run(made, values[:1_200]), run(made, values[1_200:])]
    again = machine(made.endpoints, compacted(batches))
    for each in (made, again):
        for name in ("crm", "mail"):
            assert [one.value for one in each.take(name, 5_000, NOW)] == values


def test_the_endpoints_of_a_file_are_those_that_were_heard_of_last():
    made = machine()
    edited = named(replace(endpoint(), rate=3.0), endpoint("mail"))
    run(made, [value("1")], Configured(edited))
    assert made.endpoints is edited
    assert taken(made, endpoint="mail") == [id_of("1")]
