"""`GET /v1/customers/{id}` and `/v1/anonymous/{id}`: where a customer stands, why, and what is missing to go on."""

import asyncio
from typing import Final

from aiohttp import web

from stream.codec.explanations import customer_data
from stream.codec.fields import spelled
from stream.core.explain import explain
from stream.core.interaction import Kind
from stream.engine.questions import MovingError
from stream.engine.state_reader import StateReader
from stream.settings import Settings
from stream.web.lookup.answers import error_answer, json_answer, moving_answer, require_known
from stream.web.lookup.forwarding import Forwarder, passed_on, was_forwarded

PATHS: Final[dict[str, Kind]] = {"/v1/customers/{id}": "customer", "/v1/anonymous/{id}": "anonymous"}
_PATIENCE: Final = 2.0
"""Seconds for a batch to be written; one lasts a second at most."""


class CustomerLookup:
    """Answers where the partition is ours, asks its owner where it is not."""

    def __init__(self, reader: StateReader, forwarder: Forwarder, settings: Settings) -> None:
        self._reader, self._forwarder, self._settings = reader, forwarder, settings

    async def answer(self, request: web.Request, kind: Kind) -> web.Response:
        """The answer about the customer whose id the path has."""
        require_known(request, ())
        subject = spelled(request.match_info["id"], self._settings.ids)
        try:
            partition = await self._reader.home(subject)
        except MovingError:
            return moving_answer()
        elsewhere = await self.elsewhere(request, partition)
        return elsewhere or await self._local(kind, subject, partition)

    async def elsewhere(self, request: web.Request, partition: int) -> web.Response | None:
        """The answer of the partition's owner; None where that is this worker."""
        reader = self._reader
        if partition in reader.owned:
            return None
        owner = reader.owner(partition)
        if was_forwarded(request) or owner is None or owner == reader.url:
            return moving_answer(partition)
        answer = await self._forwarder.ask(request, owner)
        return moving_answer(partition) if answer is None else passed_on(answer)

    async def _local(self, kind: Kind, subject: str, partition: int) -> web.Response:
        try:
            async with asyncio.timeout(_PATIENCE):
                state = await self._reader.customer(kind, subject, partition)
        except (MovingError, TimeoutError):
            return moving_answer(partition)
        if state.customer is None:
            word = "customer" if kind == "customer" else "anonymous visitor"
            return error_answer(404, "unknown_customer", f"there is no {word} with this id, or it was forgotten")
        clock = state.clock or 0
        data = customer_data(
            state.customer,
            explain(self._reader.model, state.customer, clock),
            partition=partition,
            offset=state.offset - 1,
            clock=clock,
            at=max([clock, *(life.clock for life in state.customer.lives.values())]),
        )
        return json_answer(data)
