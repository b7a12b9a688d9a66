"""`GET /v1/customers/{id}` and `/v1/anonymous/{id}`: where a customer stands, why, and what is missing to go on.

With `/changes` behind it: the latest stage changes, as far as their topic keeps them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import orjson
from aiohttp import web
from aiokafka.errors import KafkaError

from stream.codec.explanations import customer_data
from stream.codec.fields import spelled
from stream.core.customer import Customer
from stream.core.explain import explain
from stream.core.interaction import Kind
from stream.engine.committed_state import MovingError
from stream.engine.state_reader import CustomerState, StateReader
from stream.kafka.change_history import ChangeHistory, History, Home, LastChange
from stream.settings import Settings
from stream.web.answers import error_answer, json_answer
from stream.web.lookup.forwarding import Forwarder, passed_on, was_forwarded
from stream.web.lookup.questions import RefusedError, moving_answer, require_known, whole_number

PATHS: Final[dict[str, Kind]] = {"/v1/customers/{id}": "customer", "/v1/anonymous/{id}": "anonymous"}
CHANGES: Final = 20
MOST_CHANGES: Final = 200
AnswerOf = Callable[[CustomerState, Customer], Awaitable[web.Response]]
_PATIENCE: Final = 2.0
"""Seconds for a batch to be written; one lasts a second at most."""


class CustomerLookup:
    """Answers where the partition is ours, asks its owner where it is not."""

    def __init__(self, reader: StateReader, forwarder: Forwarder, settings: Settings) -> None:
        self._reader, self._forwarder, self._settings = reader, forwarder, settings
        self._history = ChangeHistory(settings)

    async def answer(self, request: web.Request, kind: Kind) -> web.Response:
        """The answer about the customer whose id the path has."""
        require_known(request, ())
        return await self.at_home(request, kind, self._explained)

    async def _elsewhere(self, request: web.Request, partition: int) -> web.Response | None:
        """The answer of the partition's owner; None where that is this worker."""
        reader = self._reader
        if reader.owns(partition):
            return None
        owner = reader.owner(partition)
        if was_forwarded(request) or owner is None or owner == reader.url:
            return moving_answer(partition)
        answer = await self._forwarder.ask(request, owner)
        return moving_answer(partition) if answer is None else passed_on(answer)

    async def changes(self, request: web.Request, kind: Kind) -> web.Response:
        """The latest stage changes of the customer whose id the path has."""
        require_known(request, ("limit",))
        limit = whole_number(request, "limit", CHANGES, MOST_CHANGES)
        return await self.at_home(request, kind, partial(self._changes, limit))

    async def at_home(self, request: web.Request, kind: Kind, answer: AnswerOf) -> web.Response:
        """The answer where the customer is: here, or at another worker."""
        subject = spelled(request.match_info["id"], self._settings.ids)
        try:
            partition = await self._reader.home(subject)
        except MovingError:
            return moving_answer()
        elsewhere = await self._elsewhere(request, partition)
        if elsewhere is not None:
            return elsewhere
        try:
            state = self._reader.customer_now(kind, subject, partition)
            if state is None:
                async with asyncio.timeout(_PATIENCE):
                    state = await self._reader.customer(kind, subject, partition)
        except (MovingError, TimeoutError):
            return moving_answer(partition)
        if state.customer is None:
            word = "customer" if kind == "customer" else "anonymous visitor"
            return error_answer(404, "unknown_customer", f"there is no {word} with this id, or it was forgotten")
        return await answer(state, state.customer)

    async def _explained(self, state: CustomerState, customer: Customer) -> web.Response:
        clock = state.clock or 0
        data = customer_data(
            customer,
            explain(self._reader.model, customer, clock),
            partition=state.partition,
            offset=state.offset - 1,
            clock=clock,
            at=max([clock, *(life.clock for life in customer.lives.values())]),
        )
        return json_answer(data)

    async def _changes(self, limit: int, state: CustomerState, customer: Customer) -> web.Response:
        history = await self.history(state, customer, limit)
        changes = [orjson.Fragment(change) for change in history.changes]
        return json_answer({"changes": changes, "complete": history.complete})

    async def history(self, state: CustomerState, customer: Customer, limit: int) -> History:
        """The latest stage changes of a customer, at most `limit`. Raises RefusedError where they cannot be read."""
        lives = [LastChange(name, life.born, life.sequence, life.entered) for name, life in customer.lives.items()]
        try:
            home = Home(state.partition, await self._reader.partitions())
            return await self._history.latest(customer.id.encode(), home, lives, limit)
        except (MovingError, KafkaError, TimeoutError):
            raise RefusedError(503, "kafka_away", "the topic of stage changes cannot be read now; ask again") from None
