"""A collector that only passes on: aiohttp and aiokafka, each item of a body to the topic as it is.

BROKER, TOPIC and PORT come from the environment. Run by the product's own Python, with the product's own libraries.
"""

import asyncio
import os

import orjson
from aiohttp import web
from aiokafka import AIOKafkaProducer

TOPIC = os.environ["TOPIC"]
PRODUCER = web.AppKey("producer", AIOKafkaProducer)
TAKEN = b'{"success":true}'


async def batch(request: web.Request) -> web.Response:
    """Take a batch of Segment's calls."""
    producer = request.app[PRODUCER]
    body = orjson.loads(await request.read())
    await asyncio.gather(
        *[await producer.send(TOPIC, orjson.dumps(item), key=item["userId"].encode()) for item in body["batch"]]
    )
    return web.Response(body=TAKEN, content_type="application/json")


async def single(request: web.Request) -> web.Response:
    """Take one interaction."""
    body = await request.read()
    item = orjson.loads(body)
    await request.app[PRODUCER].send_and_wait(TOPIC, body, key=item["customer_id"].encode())
    return web.Response(body=TAKEN, content_type="application/json")


async def ready(_request: web.Request) -> web.Response:
    """Answer, so that it is known to run."""
    return web.Response()


async def connection(app):
    """Keep a producer while the application runs."""
    async with AIOKafkaProducer(bootstrap_servers=os.environ["BROKER"], acks="all", enable_idempotence=True) as made:
        app[PRODUCER] = made
        yield


if __name__ == "__main__":
    app = web.Application(client_max_size=4 << 20)
    app.cleanup_ctx.append(connection)
    app.add_routes(
        [web.post("/v1/batch", batch), web.post("/v1/interactions", single), web.get("/readyz", ready)],
    )
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
