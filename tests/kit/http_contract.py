"""Holds answers over HTTP against the description that the product serves of itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import orjson
from aiohttp import web
from jsonschema import Draft202012Validator

from stream.web.openapi import document

_OF_AIOHTTP: Final = frozenset({404, 405})
"""Of paths and methods that there are not."""


@contextmanager
def held(app: web.Application) -> Iterator[None]:
    """Every answer of `app` within the block is one that the description has. Raises AssertionError at its end.

    Streams are held by what stands at their head.
    """
    others: list[str] = []

    async def look(request: web.Request, response: web.StreamResponse) -> None:
        body = response.body if isinstance(response, web.Response) else None
        try:
            hold(request.method, request.path, response.status, response.content_type, _bytes(body))
        except AssertionError as error:
            others.append(str(error))

    app.on_response_prepare.append(look)
    yield
    assert not others, others


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else b""


def hold(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Raises AssertionError where the description has not this answer."""
    if method == "OPTIONS":  # a preflight: of browsers, for browsers
        return
    operation = operation_of("GET" if method == "HEAD" else method, path)
    if operation is None:
        assert status in _OF_AIOHTTP | {401, 403}, f"{method} {path}: {status}, and the description has no such path"
        return
    responses = operation["responses"]
    assert str(status) in responses, f"{method} {path}: {status} is none of {', '.join(responses)}"
    response = _resolved(responses[str(status)])
    if "content" not in response:
        assert body == b"", f"{method} {path}: {status} with a body"
        return
    assert content_type in response["content"], f"{method} {path}: {content_type}"
    if content_type == "application/json":
        errors = list(_validator(orjson.dumps(response["content"][content_type]["schema"])).iter_errors(_json(body)))
        assert not errors, f"{method} {path}: {errors[0].json_path}: {errors[0].message}"


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the description says of a question; None where it has no such path."""
    for template, item in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), _plain(path)) and method.lower() in item:
            found: dict[str, Any] = item[method.lower()]
            return found
    return None


def _plain(path: str) -> str:
    """Without the query and a slash at the end, with which every path of the collector is there, too."""
    return path.partition("?")[0].rstrip("/") or "/"


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = document()
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: dict[str, Any] = found
    return resolved


@cache
def _validator(schema: bytes) -> Draft202012Validator:
    """References in a schema lead into the whole description."""
    return Draft202012Validator({**orjson.loads(schema), "components": document()["components"]})


def _json(body: bytes) -> object:
    found: object = orjson.loads(body)
    return found
