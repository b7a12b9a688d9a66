"""When Kafka counts as away, and what the log says of it."""

import logging
import time

import pytest

from stream.kafka.contact import AWAY_AFTER, Contact, ContactLog
from stream.kafka.lag import Lag
from stream.kafka.partition_reader import Fetched


class Clock:
    """Stands until somebody moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """A contact and its log, looked at every second."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.clock, self._caplog = Clock(), caplog
        self.contact = Contact(self.clock)
        self.log = ContactLog(self.contact, "kafka:9092", self.clock)

    def pass_seconds(self, seconds: int, *, heard: bool, silent: tuple[int, ...] = ()) -> list[str]:
        """What is logged meanwhile."""
        self._caplog.clear()
        for _ in range(seconds):
            self.clock.now += 1
            if heard:
                self.contact.heard()
            self.log.look(3, silent)
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def rig(caplog: pytest.LogCaptureFixture) -> Rig:
    return Rig(caplog)


def test_kafka_is_away_before_its_first_answer_and_after_four_seconds_without_one() -> None:
    """Within five seconds, which is promised; a look every second leaves four."""
    clock = Clock()
    contact = Contact(clock)
    assert contact.away
    assert contact.status().seconds_since_answer is None
    contact.heard()
    clock.now += AWAY_AFTER
    assert not contact.away
    clock.now += 0.1
    assert contact.away
    assert AWAY_AFTER < 5


def test_since_is_the_last_answer_where_kafka_is_away_and_the_first_where_it_is_up() -> None:
    clock = Clock()
    contact = Contact(clock)
    wall = time.time()
    contact.heard()
    for _ in range(60):
        clock.now += 1
        contact.heard()
    assert contact.status().since / 1000 == pytest.approx(wall - 60, abs=5)
    clock.now += 30
    status = contact.status()
    assert (status.up, status.seconds_since_answer) == (False, 30)
    assert status.since / 1000 == pytest.approx(wall - 30, abs=5)
    contact.heard(age=2.0)
    assert contact.status().seconds_since_answer == 2
    assert contact.silence == 28


def test_an_answer_that_is_older_than_the_last_one_changes_nothing() -> None:
    clock = Clock()
    contact = Contact(clock)
    contact.heard()
    contact.heard(age=3.0)
    assert contact.status().seconds_since_answer == 0


def test_a_minute_without_kafka_is_a_line_in_ten_seconds_and_one_that_it_is_back(rig: Rig) -> None:
    assert rig.pass_seconds(20, heard=True) == []
    said = rig.pass_seconds(60, heard=False)
    assert len(said) == 6
    assert {line.partition(" since ")[0] for line in said} == {"Kafka at kafka:9092 does not answer"}
    assert {line.partition("Z")[2] for line in said} == {"; partitions that wait: 3"}
    assert rig.pass_seconds(20, heard=True) == ["Kafka answers again after 61 s"]


def test_a_hiccup_is_no_line(rig: Rig) -> None:
    """Shorter than what counts as away."""
    rig.pass_seconds(1, heard=True)
    assert rig.pass_seconds(4, heard=False) + rig.pass_seconds(9, heard=True) == []


def test_a_process_that_was_frozen_does_not_say_that_kafka_was_away(rig: Rig) -> None:
    """It is looked at before the answers that wait are read."""
    rig.pass_seconds(1, heard=True)
    rig.clock.now += 60
    assert rig.pass_seconds(1, heard=False) + rig.pass_seconds(9, heard=True) == []


def test_partitions_whose_leader_is_away_are_named_though_others_answer(rig: Rig) -> None:
    rig.pass_seconds(1, heard=True)
    assert rig.pass_seconds(2, heard=True, silent=(1, 4)) == []
    said = rig.pass_seconds(12, heard=True, silent=(1, 4))
    assert said == ["Kafka at kafka:9092 answers, but no broker that leads these partitions does: 1, 4"] * 2


def heard(end: int, log_end: int, *, at: float) -> Fetched:
    """What a fetch says of the log's end, as a broker said it `at` a time."""
    return Fetched((), end, caught_up=end == log_end, end_offset=end, log_end=log_end, heard_ms=round(at * 1000))


def test_a_transaction_is_open_since_it_was_first_seen_and_the_next_one_since_its_own_time() -> None:
    """By the offset at which readable records end: it stands as long as the oldest transaction does."""
    lag, now = Lag(), time.time()
    opened = []
    for fetched in (
        heard(5, 5, at=now - 9),
        heard(5, 7, at=now - 8),
        heard(5, 9, at=now - 7),
        heard(8, 9, at=now - 6),
        heard(10, 10, at=now - 5),
    ):
        lag.hear(fetched)
        opened.append(None if lag.open_since is None else round(now - lag.open_since / 1000))
    assert opened == [None, 8, 8, 6, None]


def test_what_no_broker_said_leaves_the_lag_as_it_was() -> None:
    """A fetch that ends without any answer knows neither end nor time."""
    lag = Lag()
    age = lag.hear(heard(5, 7, at=time.time() - 2))
    assert age == pytest.approx(2, abs=1)
    before = lag.end, lag.heard_at, lag.open_since
    assert lag.hear(Fetched((), 5, caught_up=False, end_offset=None)) is None
    assert (lag.end, lag.heard_at, lag.open_since) == before


def test_levels_are_warnings(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody has to act before it lasts."""
    rig.pass_seconds(1, heard=True)
    rig.pass_seconds(10, heard=False)
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
