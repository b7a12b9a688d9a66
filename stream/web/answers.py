"""What a worker answers: JSON, and errors with a code for programs and a message for people."""

from typing import Final

import orjson
from aiohttp import web

_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
RETRY: Final = {"Retry-After": "1"}
"""Seconds: a partition moves in less, unless a worker died."""


def json_answer(body: object) -> web.Response:
    """A JSON answer, which nobody may keep: it is of this moment."""
    return web.Response(body=orjson.dumps(body), headers=_JSON)


def error_answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that says what is wrong; one of 503 says when to ask again."""
    return web.Response(
        status=status,
        body=orjson.dumps({"code": code, "message": message}),
        content_type="application/json",
        headers=RETRY if status == 503 else headers,
    )
