"""A collector as one writes it with FastAPI that looks at what it takes: every item is a model, and is sent by its key.

BROKER and TOPIC come from the environment:

    python -m uvicorn fastapi_models_collector:app --port 8000 --no-access-log
"""

import asyncio
import os
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, model_validator

TOPIC = os.environ["TOPIC"]


class Call(BaseModel):
    """One of Segment's calls; what else it has is kept."""

    model_config = ConfigDict(extra="allow")

    type: Literal["track", "page", "screen", "identify", "group", "alias"]
    messageId: str  # noqa: N815 as SDKs send it
    userId: str | None = None  # noqa: N815 as SDKs send it
    anonymousId: str | None = None  # noqa: N815 as SDKs send it
    event: str | None = None
    timestamp: datetime
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}

    @model_validator(mode="after")
    def belongs_to_somebody(self) -> "Call":
        """One of the two ids is there."""
        if not (self.userId or self.anonymousId):
            raise ValueError("userId or anonymousId is needed")
        return self

    @property
    def key(self) -> bytes:
        """Whose it is."""
        return (self.userId or self.anonymousId or "").encode()


class Batch(BaseModel):
    """A batch of them."""

    batch: list[Call]
    sentAt: datetime | None = None  # noqa: N815 as SDKs send it


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
        *[await producer.send(TOPIC, call.model_dump_json().encode(), key=call.key) for call in body.batch]
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
