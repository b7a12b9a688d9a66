"""What the verdict on webhooks must notice, and what it must let pass; without Kafka."""

from pathlib import Path

import pytest

from stream.codec.deliveries import GivenUpDelivery
from stream.webhooks.attempt_log import AttemptRecord
from stream.webhooks.exchange import Verdict
from tests.faults.webhooks.attempts import Known
from tests.faults.webhooks.changelog import Changelog, Closed, Place
from tests.faults.webhooks.journal import Arrival, Happening, Journal
from tests.faults.webhooks.verdict import Change, compare

ONE, TWO = "shop:customer:ann:0-0:2", "shop:customer:ann:0-0:3"
STEADY: Place = ("steady", ONE)


def arrival(at: float, event_id: str = ONE, status: int | None = 200, sender: str = "w") -> Arrival:
    """One that was answered after 10 ms."""
    answered = Arrival(at, "steady", event_id, sender, answer=status, how="taken")
    answered.ended, answered.whole = at + 10, status is not None
    return answered


def record(at: int, event_id: str = ONE, verdict: Verdict = Verdict.DELIVERED, status: int | None = 200) -> Known:
    """Of an attempt that began at `at`, took 20 ms, and was written 50 ms later."""
    made = AttemptRecord(
        id=event_id,
        endpoint="steady",
        lifecycle="shop",
        customer_id="ann",
        attempt=1,
        at=at,
        verdict=verdict,
        status=status,
        seconds=0.02,
        reason="",
        next=at + 120 if verdict is Verdict.AGAIN else None,
    )
    return Known(at + 50, 0, made)


class Case:
    """Two changes of a customer, and what became of them at `steady`."""

    def __init__(self, tmp_path: Path) -> None:
        self.journal = Journal(tmp_path / "journal.jsonl")
        self.changelog = Changelog(waited={STEADY: 900.0, ("steady", TWO): 900.0}, read_up_to={0: 2})
        self.known = [record(1_000), record(2_000, TWO)]
        self.letters: dict[Place, list[GivenUpDelivery]] = {}
        self.journal.arrivals += [arrival(1_001), arrival(2_001, TWO)]

    @property
    def lines(self) -> list[str]:
        """What is said of `steady`."""
        changes = [Change(ONE, 0, "customer"), Change(TWO, 0, "customer")]
        found = compare(self.journal, self.changelog, changes, self.known, self.letters)
        return [line for line in found.differences if "steady" in line]

    def says(self, text: str) -> bool:
        """Whether a line says so."""
        return any(text in line for line in self.lines)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_what_arrived_once_and_in_order_is_right(case: Case) -> None:
    assert case.lines == []


def test_what_nobody_delivered_is_missing(case: Case) -> None:
    case.known.pop()
    case.journal.arrivals.pop()
    assert case.says("0 times delivered, 0 times given up, 0 waiting")


def test_what_counts_as_delivered_must_have_been_taken(case: Case) -> None:
    case.journal.arrivals[1] = arrival(2_001, TWO, 500)
    assert case.says("counts as answered 200, and was answered 500")


def test_a_repeat_of_what_was_known_to_be_taken_is_noticed(case: Case) -> None:
    case.journal.arrivals.append(arrival(2_500))
    case.journal.happenings.append(Happening("killed", 2_600, 2_600, "w"))
    assert case.says("arrived again")


def test_a_repeat_after_a_kill_before_the_result_was_written_is_right(case: Case) -> None:
    case.journal.arrivals.insert(0, arrival(950, sender="killed"))
    case.journal.happenings.append(Happening("killed", 970, 970, "killed"))
    assert case.lines == []


def test_a_repeat_after_nothing_happened_is_noticed(case: Case) -> None:
    case.journal.arrivals.insert(0, arrival(950, sender="killed"))
    case.journal.happenings.append(Happening("killed", -1_000, -1_000, "killed"))
    assert case.says("nobody knows of it")


def test_a_change_before_the_one_before_it_ended_is_noticed(case: Case) -> None:
    case.known[1], case.journal.arrivals[1] = record(1_004, TWO), arrival(1_005, TWO)
    assert case.says("had come to its end")


def test_a_request_before_its_commit_is_noticed(case: Case) -> None:
    case.changelog.waited[STEADY] = 1_100.0
    assert case.says("before it was committed as waiting")


def test_a_repeat_before_its_time_is_noticed(case: Case) -> None:
    case.journal.arrivals = [arrival(1_001, status=500), arrival(1_101), arrival(2_001, TWO)]
    case.known = [record(1_000, verdict=Verdict.AGAIN, status=500), record(1_100), record(2_000, TWO)]
    assert case.says("before it was due")


def test_a_request_to_who_is_closed_is_noticed_but_for_those_under_way(case: Case) -> None:
    case.changelog.closed = [Closed("steady", 0, is_gone=False, since=1_500.0)]
    assert case.lines == []
    case.changelog.closed = [Closed("steady", 0, is_gone=False, since=990.0)]
    assert case.says("knew that nothing is to be sent there")


def test_what_was_delivered_must_not_be_given_up_too(case: Case) -> None:
    case.letters[STEADY] = [GivenUpDelivery("steady", ONE, "exhausted", "", 10, 1_500, b"")]
    assert case.says("1 times delivered, 1 times given up")


def test_a_wrong_signature_is_noticed(case: Case) -> None:
    case.journal.arrivals[0].wrong = "its signature is wrong"
    assert case.says("its signature is wrong")
