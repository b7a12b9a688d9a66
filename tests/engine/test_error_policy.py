"""What is done about an error; no Kafka needed."""

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
)

from stream.engine.error_policy import ErrorPolicy
from stream.errors import PositionError, StateError
from stream.machine.batch import DeadlineFailed, RecordFailed

FENCED_WAIT = 3.0


def kind(policy: ErrorPolicy, error: Exception, position: int | None = 10) -> str:
    return policy.judge(error, position, FENCED_WAIT).kind


def test_errors_of_kafka_never_count_toward_giving_up() -> None:
    policy = ErrorPolicy()
    for error in (KafkaError(), KafkaConnectionError(), ConnectionResetError(), TimeoutError()) * 10:
        verdict = policy.judge(error, 10, FENCED_WAIT)
        assert (verdict.kind, verdict.fatal, verdict.ours) == ("kafka", False, False)


def test_the_wait_grows_to_a_limit_and_a_written_batch_resets_it() -> None:
    policy = ErrorPolicy()
    waits = [policy.judge(KafkaError(), 10, FENCED_WAIT).delay for _ in range(20)]
    assert waits == sorted(waits)
    assert waits[-1] == 5.0
    policy.forget_before(11)
    assert policy.judge(KafkaError(), 11, FENCED_WAIT).delay == waits[0]


def test_who_was_fenced_waits_longer_than_a_heartbeat() -> None:
    verdict = ErrorPolicy().judge(ProducerFenced(), 10, FENCED_WAIT)
    assert (verdict.kind, verdict.delay) == ("fenced", FENCED_WAIT)


def test_what_a_person_must_decide_is_fatal_at_once() -> None:
    assert kind(ErrorPolicy(), PositionError()) == "fatal"
    assert kind(ErrorPolicy(), StateError()) == "fatal"


def test_an_interaction_is_isolated_the_second_time_and_fatal_only_if_that_does_not_help() -> None:
    policy = ErrorPolicy()
    assert [kind(policy, RecordFailed(12)), sorted(policy.isolated_offsets)] == ["record", []]
    assert [kind(policy, RecordFailed(12)), sorted(policy.isolated_offsets)] == ["record", [12]]
    assert [kind(policy, RecordFailed(12)) for _ in range(3)] == ["bug", "bug", "fatal"]


def test_interactions_are_counted_each_for_itself_and_forgotten_once_passed() -> None:
    policy = ErrorPolicy()
    kind(policy, RecordFailed(12))
    kind(policy, RecordFailed(13))
    assert policy.isolated_offsets == set()
    kind(policy, RecordFailed(13))
    assert policy.isolated_offsets == {13}
    policy.forget_before(14)
    assert policy.isolated_offsets == set()


def test_a_customers_deadlines_are_isolated_the_second_time() -> None:
    policy = ErrorPolicy()
    assert [kind(policy, DeadlineFailed(b"c")) for _ in range(2)] == ["deadline", "deadline"]
    assert policy.isolated_keys == {b"c"}


def test_any_other_error_of_ours_is_fatal_the_third_time_at_one_position() -> None:
    policy = ErrorPolicy()
    assert [kind(policy, ZeroDivisionError(), position) for position in (1, 1, 2, 2, 2)] == [
        "bug",
        "bug",
        "bug",
        "bug",
        "fatal",
    ]


def test_a_bug_that_comes_back_after_progress_is_counted_anew() -> None:
    policy = ErrorPolicy()
    assert [kind(policy, ZeroDivisionError()) for _ in range(2)] == ["bug", "bug"]
    policy.forget_before(11)
    assert kind(policy, ZeroDivisionError(), 11) == "bug"


def test_a_record_too_large_for_its_topic_is_ours() -> None:
    policy = ErrorPolicy()
    assert [kind(policy, MessageSizeTooLargeError()) for _ in range(3)] == ["bug", "bug", "fatal"]
