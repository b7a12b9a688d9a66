"""Requests of the story as they were sent, kept as cases for `make test`, and read again.

What belongs to one machine is taken out: addresses, ports, the browser's and Node's own headers and versions. Keys and
people were made up for the run.
"""

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.sdks.sdks import Sdk
from tests.sdks.sending import Sent
from tests.sdks.wire import Exchange

FOLDER: Final = Path(__file__).parents[1] / "web" / "collector" / "recorded"
ORIGIN: Final = "https://shop.example"
"""Where the page of a browser is, in a recording."""
_COLLECTOR: Final = "collector.example"
_KEPT: Final = re.compile(
    r"authorization|content-(type|encoding)|origin|user-agent|access-control-.*|x-.*|anonymousid|sentat", re.IGNORECASE
)
"""Headers that an SDK sets, or that say to the collector what it must do."""
_REPLACED: Final = ((re.compile(r'("nodeVersion":")[^"]*'), r"\g<1>20.0.0"),)


class Recording(NamedTuple):
    """What an SDK sent when it told the story."""

    version: str
    sent: Sent
    requests: list[Exchange]
    """Without their answers."""


def record(sdk: Sdk, sent: Sent, exchanges: Iterable[Exchange]) -> Path:
    """Write the requests of one SDK; where they are then."""
    requests = [_request(each) for each in exchanges]
    data = {"sdk": sdk.package, "version": sdk.version, "began": sent.began, "ended": sent.ended, "requests": requests}
    FOLDER.mkdir(exist_ok=True)
    file = _file(sdk)
    file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def recorded(sdk: Sdk) -> Recording:
    """What was recorded of an SDK."""
    data = json.loads(_file(sdk).read_text(encoding="utf-8"))
    requests = [_exchange(each) for each in data["requests"]]
    return Recording(data["version"], Sent(data["began"], data["ended"], 0, []), requests)


def _file(sdk: Sdk) -> Path:
    return FOLDER / f"{sdk.slug}.json"


def _request(exchange: Exchange) -> dict[str, Any]:
    named = {name.lower(): value for name, value in exchange.headers}
    here = {named["host"]: _COLLECTOR, **({named["origin"]: ORIGIN} if "origin" in named else {})}
    return {
        "method": exchange.method,
        "path": exchange.path,
        "headers": {name: _elsewhere(value, here) for name, value in exchange.headers if _KEPT.fullmatch(name)},
        "body": _elsewhere(exchange.unpacked.decode(), here),
    }


def _elsewhere(text: str, here: dict[str, str]) -> str:
    for found, instead in here.items():
        text = text.replace(found, instead)
    for pattern, instead in _REPLACED:
        text = pattern.sub(instead, text)
    return text


def _exchange(request: dict[str, Any]) -> Exchange:
    headers = list(request["headers"].items())
    body = request["body"].encode()
    if ("content-encoding", "gzip") in [(name.lower(), value) for name, value in headers]:
        body = gzip.compress(body, mtime=0)
    return Exchange(request["method"], request["path"], headers, body, 200, b"")
