"""`lifecycle explain`: why a customer is in its stage, asked of a running worker."""

import asyncio
import sys
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.console import Console

from stream.cli.terminal.explanation_view import explanation_view
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.worker_http import ask_worker, token_of, worker_url
from stream.codec.plain import plain
from stream.errors import LifecycleError
from stream.settings import Settings


@with_settings("web_url", "web_bind", "web_port")
def explain(
    customer: Annotated[str, typer.Argument(help="The customer's id, as interactions have it.")],
    *,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="It is the anonymous id of a visitor who never logged in.")
    ] = False,
    lifecycle: Annotated[str | None, typer.Option(metavar="NAME", help="Of this lifecycle only, by its name.")] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A worker, whichever: `https://worker:6066`; by default web_url, else web_bind and web_port.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as one line of JSON.")] = False,
    settings: Settings,
) -> None:
    """Say why a customer is in its stage, what is missing for each way out, and what time alone will do.

    A worker is asked, and answers for every customer, whichever of the workers has it. Where workers ask for a token,
    it is taken from LIFECYCLE_WEB_TOKEN or LIFECYCLE_TOKEN. While the customer's partition moves to another worker the
    question is asked again, for up to 15 seconds.

    The JSON is described by `lifecycle schema customer`. The exit code is 1 where nobody has this id.
    """
    path = f"/v1/{'anonymous' if anonymous else 'customers'}/{_encoded(customer)}"
    answer = asyncio.run(ask_worker(url or worker_url(settings), path, token_of(settings)))
    answer["lifecycles"] = _only(answer, lifecycle)
    if json:
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
    else:
        Console().print(explanation_view(answer))


def _encoded(customer: str) -> str:
    """An id as one segment of a path, whatever is in it; a segment of dots would be taken for a folder."""
    encoded = quote(customer, safe="")
    return encoded.replace(".", "%2E") if customer in (".", "..") else encoded


def _only(answer: dict[str, Any], name: str | None) -> list[dict[str, Any]]:
    """The explanations that are asked for. Raises LifecycleError where there is none of that lifecycle."""
    told: list[dict[str, Any]] = answer["lifecycles"]
    found = [each for each in told if name in (None, each["lifecycle"])]
    if name is not None and not found:
        there = ", ".join(plain(each["lifecycle"]) for each in told) or "none"
        raise LifecycleError(f"this customer has no lifecycle {name!r}; it has: {there}")
    return found
