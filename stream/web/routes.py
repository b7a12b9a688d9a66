"""`/livez`, `/readyz` and `/metrics`.

Live: the event loop answers, and nothing failed that ends the worker. Ready: Kafka answers, a member of the consumer
group, and every owned partition is recovered and runs. Both answer with a JSON body that says why. Where a token is
set, everything else asks for it, and who does not send it sees of `/readyz` the states alone: positions and lags
show how much business there is.
"""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from stream.core.times import format_time
from stream.engine.status import EngineStatus, PartitionStatus, Phase
from stream.kafka.contact import ContactStatus
from stream.kafka.worker_versions import GroupVersions
from stream.web.authentication import require_token, sees_details
from stream.web.browsers import say_to_browsers
from stream.web.openapi import PATH as OPENAPI
from stream.web.openapi import description
from stream.web.tokens import Tokens


def health_routes(
    status: Callable[[], EngineStatus],
    registry: CollectorRegistry,
    tokens: Tokens | None = None,
    group: GroupVersions | None = None,
) -> web.Application:
    """The application that serves health and metrics; without tokens to everybody.

    `group` knows the lifecycles of this worker and of others; workers that differ are named, and are no less ready.
    """
    known = Tokens() if tokens is None else tokens

    async def livez(_request: web.Request) -> web.Response:
        live = status().phase is not Phase.FAILED
        return web.json_response({"status": "live" if live else "failed"}, status=200 if live else 503)

    async def readyz(request: web.Request) -> web.Response:
        now = status()
        body: dict[str, Any] = {"status": "ready" if now.ready else "not ready", "phase": now.phase}
        body["kafka"] = shown_contact(now.kafka)
        open_to_sender = sees_details(request, known)
        if now.dead_letters is not None:
            body["dead_letters"] = asdict(now.dead_letters) if open_to_sender else {"share": now.dead_letters.share}
        if open_to_sender:
            body["delivery"] = now.delivery
            body["topic_partitions"] = now.topic_partitions
            body["partitions"] = [_shown(each) for each in now.partitions]
            if group is not None:
                body["lifecycles"] = msgspec.to_builtins(group.ours.lifecycles)
                body["others"] = msgspec.to_builtins(group.others)
        else:
            body["partitions"] = [{"partition": each.partition, "state": each.state.value} for each in now.partitions]
        return web.json_response(body, status=200 if now.ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        return metrics_answer(request, registry)

    app = web.Application(middlewares=[require_token(known)])
    app.on_response_prepare.append(say_to_browsers)
    app.router.add_get(OPENAPI, description)
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


def metrics_answer(request: web.Request, registry: CollectorRegistry) -> web.Response:
    """All metrics, in the format and encoding that the sender asks for."""
    try:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    except (TypeError, ValueError):  # a version that is no version
        encode, content_type = choose_encoder("")
    headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    response = web.Response(body=encode(registry), headers=headers)
    if _takes_gzip(request.headers.get("Accept-Encoding", "")):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def shown_contact(kafka: ContactStatus) -> dict[str, Any]:
    """What `/readyz` says of Kafka."""
    return {**asdict(kafka), "since": format_time(kafka.since)}


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header asks for gzip by name, and not with the weight 0, which forbids it."""
    for each in accepted.lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        if coding == "gzip":
            return not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", parameter) for parameter in parameters)
    return False


def _shown(partition: PartitionStatus) -> dict[str, Any]:
    opened = partition.open_transaction_since
    return {
        **asdict(partition),
        "state": partition.state.value,
        "lag": partition.lag,
        "open_transaction_since": None if opened is None else format_time(opened),
    }
