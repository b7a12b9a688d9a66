"""A server that answers questions about customers as a worker does, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from stream.codec.explanations import customer_data
from stream.core.explain import explain
from tests.core.subject import Subject, lifecycle
from tests.kit.times import T0

SHOP = lifecycle("""
title: Online shop
scores: {engagement: {}}
signals: {looked: {each: page, add: {engagement: 41.3}}}
facts: {last_visit: {last: page}}
stages: {visitor: {title: Visitor, actions: [call]}, lead: {title: Lead}, dormant: {}}
transitions:
  - {from: visitor, to: lead, when: engagement >= 50}
  - {from: visitor, to: dormant, when: since(last_visit) >= 30d}
""")
SIDE = lifecycle("stages: {start: {}}", "side")


def answer_about(customer: str) -> dict[str, Any]:
    """What a worker says of somebody with this id who viewed one page."""
    subject = Subject(SHOP, SIDE)
    subject.sees(T0, "page")
    assert subject.customer is not None
    subject.customer.id = customer
    told = explain(subject.model, subject.customer, T0)
    return customer_data(subject.customer, told, partition=0, offset=7, clock=T0, at=T0)


class Answering:
    """Knows one customer by the id; what was asked is kept."""

    def __init__(self, customer: str, *, token: str = "", moving: int = 0, retry_after: str = "0") -> None:
        self.customer = customer
        self.token = token
        self.moving = moving
        """So many questions are answered that the partition moves."""
        self.retry_after = retry_after
        self.asked: list[str] = []
        """The paths as they were sent."""
        self.url = ""

    async def about(self, request: web.Request) -> web.Response:
        self.asked.append(request.raw_path)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "send a token"}, status=401)
        if self.moving:
            self.moving -= 1
            headers = {"Retry-After": self.retry_after}
            return web.json_response({"error": "partition 0 moves"}, status=503, headers=headers)
        if request.match_info["id"] != self.customer:
            return web.json_response({"error": "nobody has this id"}, status=404)
        return web.json_response(answer_about(self.customer))


@contextmanager
def answering(server: Answering) -> Iterator[Answering]:
    """Serve on a free port of this machine until the end."""
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_get("/v1/customers/{id}", server.about)
    app.router.add_get("/v1/anonymous/{id}", server.about)
    runner = web.AppRunner(app)

    async def begin() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
