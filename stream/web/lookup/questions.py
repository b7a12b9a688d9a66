"""What a question of the lookup asks, and how it is refused."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any, Final

import orjson
from aiohttp import web

from stream.web.answers import error_answer

MAX_CURSOR: Final = 2_000


class RefusedError(Exception):
    """A question that cannot be answered as it is."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """`code` is for programs, `message` says to people what would be right."""
        super().__init__(message)
        self.status, self.code = status, code


def moving_answer(partition: int | None = None) -> web.Response:
    """The customer's partition has no owner that could answer now."""
    which = "the state" if partition is None else f"partition {partition}"
    return error_answer(503, "moving", f"{which} has no owner that can answer now, as while a worker starts; ask again")


def whole_number(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number of the query, from 1 to `most`. Raises RefusedError."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise RefusedError(400, "bad_query", f"{name}={text!r}: a whole number from 1 to {most}")
    return int(text)


def choice(request: web.Request, name: str, allowed: tuple[str, ...]) -> str:
    """A word of the query, the first of `allowed` where there is none. Raises RefusedError."""
    text = request.query.get(name, allowed[0])
    if text not in allowed:
        raise RefusedError(400, "bad_query", f"{name}={text!r}: one of {', '.join(allowed)}")
    return text


def require_known(request: web.Request, names: Iterable[str]) -> None:
    """Raises RefusedError for a parameter that the question does not have: most are slips of the pen."""
    if not request.query_string:
        return
    known = sorted(names)
    for name in request.query:
        if name not in known:
            raise RefusedError(400, "bad_query", f"unknown parameter {name!r}; known are {', '.join(known) or 'none'}")


def encode_cursor(value: object) -> str:
    """Where the next page begins, as a text that people do not make up."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def decode_cursor(text: str) -> Any:  # noqa: ANN401 the caller looks at what it is
    """What `encode_cursor` was given. Raises RefusedError."""
    text = text if len(text) <= MAX_CURSOR and text.isascii() else ""
    try:
        return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise RefusedError(400, "bad_cursor", "the cursor is none that an answer's `next` gave") from None
