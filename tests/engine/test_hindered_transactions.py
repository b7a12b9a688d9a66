"""What a broker says that it could not do is asked again where that is safe, and is an error where it is not."""

from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import KafkaError, for_code

from stream.engine.delivery import Route, Transactional
from tests.kit.exactly_once import (
    REQUESTS,
    Strike,
    batch_of,
    batches_in,
    left_by,
    left_to_next_owner,
    new_route,
    refusing,
)
from tests.kit.kafka import SharedKafka

AGAIN = {
    "ADD_PARTITIONS": (3, 14, 15, 16, 51),
    "ADD_OFFSETS": (14, 15, 16, 51),
    "PRODUCE": (3, 5, 6, 19),
    "COMMIT_OFFSET": (14, 15, 16, 51),
    "END": (),
}
"""By request, the errors after which it is sent again: nothing was done, or it does not matter if it was."""
REPEATED = [name for name in AGAIN if AGAIN[name]]
ERRORS = (-1, 1, 2, 3, 5, 6, 7, 10, 14, 15, 16, 18, 19, 20, 22, 29, 30, 35, 45, 46, 48, 49, 51, 53, 56, 59, 67, 9999)


@pytest.fixture
async def route(kafka: SharedKafka, topic_prefix: str) -> Route:
    return await new_route(kafka.bootstrap, topic_prefix)


@pytest.fixture
async def delivery(route: Route) -> AsyncIterator[Transactional]:
    writer = Transactional(route)
    await writer.start()
    await writer.write(batch_of(7))
    yield writer
    await writer.discard()


@pytest.mark.parametrize("request_name", REPEATED)
async def test_what_was_not_done_yet_is_asked_again(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    for number, code in enumerate(AGAIN[request_name], 8):
        with monkeypatch.context() as patch:
            strike = Strike(patch, REQUESTS[request_name], "before", refusing(code))
            await delivery.write(batch_of(number))
            assert strike.fell.is_set()
    assert not delivery.is_visible
    assert batches_in(await left_by(route)) == set(range(7, 8 + len(AGAIN[request_name])))


@pytest.mark.parametrize("request_name", REPEATED)
async def test_to_ask_again_does_no_harm_where_it_was_done(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    """As where a leader wrote a batch, and then no longer led the partition: the broker knows it by its number."""
    for number, code in enumerate(AGAIN[request_name], 8):
        with monkeypatch.context() as patch:
            strike = Strike(patch, REQUESTS[request_name], "after", refusing(code))
            await delivery.write(batch_of(number))
            assert strike.fell.is_set()
    assert batches_in(await left_by(route)) == set(range(7, 8 + len(AGAIN[request_name])))


@pytest.mark.parametrize("request_name", AGAIN)
async def test_whatever_else_fails_is_an_error_and_the_writer_of_no_more_use(
    kafka: SharedKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    route = await new_route(kafka.bootstrap, topic_prefix)
    for code in (code for code in ERRORS if code not in AGAIN[request_name]):
        delivery = Transactional(route)
        try:
            await delivery.start()
            with monkeypatch.context() as patch:
                Strike(patch, REQUESTS[request_name], "before", refusing(code))
                with pytest.raises(for_code(code)):
                    await delivery.write(batch_of(8))
            assert delivery.is_visible == (request_name == "END")
            with pytest.raises(KafkaError, match="failed before"):
                await delivery.write(batch_of(8))
        finally:
            await delivery.discard()
    assert batches_in(await left_to_next_owner(route)) == set()


@pytest.mark.parametrize(("request_name", "code"), [("ADD_OFFSETS", 51), ("PRODUCE", 19), ("COMMIT_OFFSET", 14)])
async def test_it_is_not_asked_again_when_the_broker_has_ended_the_transaction(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch, request_name: str, code: int
) -> None:
    """For its time: the error is the one that was said all the while."""
    assert delivery._writer is not None
    monkeypatch.setattr(delivery._writer, "_timeout", 0.5)
    Strike(monkeypatch, REQUESTS[request_name], "before", refusing(code), once=False)
    with pytest.raises(for_code(code)):
        await delivery.write(batch_of(8))
    assert batches_in(await left_to_next_owner(route)) == {7}
