"""What the collector answers, in the way that official SDKs understand (`docs/collector.md`).

Success is 200 with `{"success":true}`, the one answer that none of them repeats. Everything else has `code` for
programs and `message` for people. Nothing is ever redirected.
"""

from collections.abc import Sequence
from math import ceil
from typing import Final

import orjson
from aiohttp import web

_JSON: Final = "application/json"
_TAKEN: Final = b'{"success":true}'


class Refused(Exception):
    """The request is not taken; `answer` says why."""

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: float | None = None, allowed: Sequence[str] = ()
    ) -> None:
        """`retry_after` is in seconds, and given as whole ones: senders that obey it come back after that.

        `allowed` are the methods of the path, where it was another one.
        """
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self._allowed = allowed
        self.retry_after = None if retry_after is None else max(1, ceil(retry_after))

    def answer(self) -> web.Response:
        """The same as an answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self._allowed:
            headers["Allow"] = ", ".join(self._allowed)
        body = orjson.dumps({"success": False, "code": self.code, "message": self.message})
        return web.Response(body=body, status=self.status, content_type=_JSON, headers=headers)


def taken() -> web.Response:
    """All of it is safe in Kafka."""
    return web.Response(body=_TAKEN, content_type=_JSON)
