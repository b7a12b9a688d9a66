"""A collector as one writes it with FastAPI: bodies are models, each item goes to the topic by aiokafka.

BROKER and TOPIC come from the environment:

    python -m uvicorn fastapi_collector:app --port 8000 --no-access-log
"""

import asyncio
import os
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request
from pydantic import BaseModel

TOPIC = os.environ["TOPIC"]


class Batch(BaseModel):
    """A batch of Segment's calls."""

    batch: list[dict[str, Any]]


class Interaction(BaseModel):
    """One interaction."""

    id: str
    type: str
    customer_id: str
    time: int
    properties: dict[str, Any] = {}


@asynccontextmanager
async def connection(app: FastAPI):
    """Keep a producer while the application runs."""
    async with AIOKafkaProducer(bootstrap_servers=os.environ["BROKER"], acks="all", enable_idempotence=True) as made:
        app.state.producer = made
        yield


app = FastAPI(lifespan=connection)


@app.post("/v1/batch")
async def batch(body: Batch, request: Request) -> dict[str, bool]:
    """Take a batch of Segment's calls."""
    producer = request.app.state.producer
    await asyncio.gather(
        *[await producer.send(TOPIC, orjson.dumps(item), key=item["userId"].encode()) for item in body.batch]
    )
    return {"success": True}


@app.post("/v1/interactions")
async def single(body: Interaction, request: Request) -> dict[str, bool]:
    """Take one interaction."""
    value = body.model_dump_json().encode()
    await request.app.state.producer.send_and_wait(TOPIC, value, key=body.customer_id.encode())
    return {"success": True}


@app.get("/readyz")
async def ready() -> dict[str, bool]:
    """Answer, so that it is known to run."""
    return {"ready": True}
