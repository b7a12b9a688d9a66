"""The order in which records of several topics are gathered."""

from hypothesis import given
from hypothesis import strategies as st

from stream.machine.gathering import MAX_BYTES, MAX_RECORDS, Gathering
from tests.kit.machines import Record

TOPICS = ("web", "crm", "mail")


def record(offset: int, time: int, value: bytes = b"{}") -> Record:
    return Record(offset, time, b"ann", value)


def test_what_has_come_everywhere_is_taken_by_its_time_and_what_came_at_once_by_the_order_of_the_topics() -> None:
    gathering = Gathering(("web", "crm"))
    gathering.hear("web", [record(0, 10), record(1, 30)], at_end=True)
    gathering.hear("crm", [record(0, 10), record(1, 20), record(2, 40)], at_end=True)
    assert [(topic, each.timestamp) for topic, each in gathering.take()] == [
        ("web", 10),
        ("crm", 10),
        ("crm", 20),
        ("web", 30),
        ("crm", 40),
    ]
    assert gathering.is_done


def test_a_topic_that_holds_more_is_waited_for_and_one_that_is_at_its_end_is_not() -> None:
    gathering = Gathering(("web", "crm"))
    gathering.hear("web", [record(0, 10), record(1, 30)], at_end=True)
    assert gathering.take() == []
    gathering.hear("crm", [record(0, 20)], at_end=False)
    assert [topic for topic, _ in gathering.take()] == ["web", "crm"]
    assert (gathering.empty, gathering.is_done) == (["crm"], False)
    gathering.hear("crm", [], at_end=True)
    assert [topic for topic, _ in gathering.take()] == ["web"]
    assert gathering.is_done


def test_what_a_topic_said_of_its_end_is_asked_again_while_something_of_it_waits() -> None:
    """It may have got more since: what lies there may be older than what others go on with."""
    gathering = Gathering(("web", "crm"))
    gathering.hear("web", [record(0, 30)], at_end=True)
    gathering.hear("crm", [record(0, 10)], at_end=False)
    assert [topic for topic, _ in gathering.take()] == ["crm"]
    assert gathering.ask() == ["crm"]
    gathering.hear("crm", [record(1, 40)], at_end=True)
    assert [topic for topic, _ in gathering.take()] == ["web"]
    assert gathering.ask() == ["web"]
    gathering.hear("web", [record(1, 35)], at_end=True)
    assert [topic for topic, _ in gathering.take()] == ["web", "crm"]


def test_no_transaction_holds_more_than_its_bounds() -> None:
    gathering = Gathering(("web",))
    gathering.hear("web", [record(at, at) for at in range(MAX_RECORDS + 5)], at_end=True)
    assert [len(gathering.take()), len(gathering.take())] == [MAX_RECORDS, 5]
    large = b"x" * (MAX_BYTES // 4)
    gathering.hear("web", [record(at, at, large) for at in range(9)], at_end=True)
    assert [len(gathering.take()) for _ in range(3)] == [4, 4, 1]


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 50), st.booleans()), max_size=60), st.integers(1, 5))
def test_each_record_is_taken_once_in_the_order_of_its_topic(sent: list[tuple[str, int, bool]], at_once: int) -> None:
    gathering, offsets, taken = Gathering(TOPICS), dict.fromkeys(TOPICS, 0), []
    for topic, time, at_end in sent:
        records = [record(offsets[topic] + at, time + at) for at in range(at_once)]
        offsets[topic] += at_once
        gathering.hear(topic, records, at_end=at_end)
        taken += gathering.take()
    for topic in TOPICS:
        gathering.hear(topic, [], at_end=True)
    while more := gathering.take():
        taken += more
    assert gathering.is_done
    assert {topic: [each.offset for name, each in taken if name == topic] for topic in TOPICS} == {
        topic: list(range(count)) for topic, count in offsets.items()
    }
