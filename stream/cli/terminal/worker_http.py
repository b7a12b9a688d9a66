"""Questions to a running worker over HTTP: where it is, with which token, and what its answers mean."""

import asyncio
import os
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from stream.codec.plain import plain
from stream.errors import LifecycleError
from stream.settings import Settings
from stream.settings_sources import TOKEN_VARIABLE

_TRY_FOR: Final = 15.0
"""Seconds for which a question is asked again while its partition moves."""
_ANSWER: Final = ClientTimeout(total=10)
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - to be asked, not listened on
"""Addresses that a server listens on for all of a machine, and the one of them that is here."""


def worker_url(settings: Settings) -> str:
    """Where a worker with these settings is reached from this machine."""
    if settings.web_url:
        return settings.web_url
    host = _EVERYWHERE.get(settings.web_bind, settings.web_bind)
    scheme = "https" if settings.web_certfile else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.web_port}"


def token_of(settings: Settings) -> str:
    """The token to show: that of the workers, else of LIFECYCLE_TOKEN; empty where there is none."""
    return settings.web_token or os.environ.get(TOKEN_VARIABLE, "")


async def ask_worker(base: str, path: str, token: str) -> dict[str, Any]:
    """The answer about a customer; `path` is percent-encoded. While the partition moves, it is asked again.

    Raises LifecycleError that says what to do.
    """
    base = base.rstrip("/")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    loop = asyncio.get_running_loop()
    until = loop.time() + _TRY_FOR
    try:
        async with ClientSession(headers=headers, timeout=_ANSWER) as session:
            while True:
                async with session.get(URL(base + path, encoded=True), allow_redirects=False) as response:
                    wait = _retry_after(response)
                    if response.status != 503 or loop.time() + wait > until:
                        return await _read(response, base)
                await asyncio.sleep(wait)
    except (ClientError, TimeoutError, OSError) as error:
        said = "it does not answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise LifecycleError(
            f"no worker at {base}: {said}. Name one with --url or the setting web_url; "
            "`lifecycle worker` starts one on port web_port"
        ) from error
    except ValueError as error:
        raise LifecycleError(f"{base} is no URL of a worker, such as http://127.0.0.1:6066: {error}") from error


def _retry_after(response: ClientResponse) -> float:
    try:
        return max(0.1, float(response.headers.get("Retry-After", "1")))
    except ValueError:  # a date
        return 1.0


async def _read(response: ClientResponse, base: str) -> dict[str, Any]:
    body = await response.read()
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if response.status == 200 and isinstance(found, dict) and "lifecycles" in found:
        return found
    error = found.get("error") if isinstance(found, dict) else None
    said = f": {plain(error)}" if isinstance(error, str) else ""
    raise LifecycleError(_why(response.status, base) + said)


def _why(status: int, base: str) -> str:
    if status == 401:
        return f"{base} asks for a token: set LIFECYCLE_WEB_TOKEN or {TOKEN_VARIABLE} to one with the role `read`"
    if status == 403:
        return f"{base}: this token may not read customers; it needs the role `read`"
    if status == 404:
        return f"{base} knows nobody with this id, or the customer was forgotten; --anonymous asks for a visitor"
    if status == 503:
        return f"{base}: the customer's partition is moving between workers, or none has it; try again in a while"
    return f"{base} answered {status} and no explanation; is it a worker of this version?"
