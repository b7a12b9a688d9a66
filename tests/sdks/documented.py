"""The programs of docs/sdks.md: each is run as it stands there, and its one order must arrive."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.docs.documents import DOCS, blocks
from tests.sdks.checking import Placed
from tests.sdks.sdks import Sdk

PAGE: Final = DOCS / "sdks.md"
_KEY: Final = "WRITE_KEY"
_COLLECTOR: Final = "http://127.0.0.1:6067"
_CUSTOMER: Final = b"42"


def program(sdk: Sdk, url: str, key: str) -> str:
    """The program of an SDK with another address and key. Raises LookupError where the page has none."""
    for block in blocks(PAGE):
        if block.attributes.get("sdk") == sdk.package:
            return block.text.replace(_COLLECTOR, url).replace(_KEY, key)
    raise LookupError(f"{PAGE.name} has no program for {sdk.package}")


def differences(found: list[Placed]) -> Iterator[str]:
    """Whatever is wrong with what arrived of a program."""
    orders: list[dict[str, Any]] = []
    for _partition, record in found:
        if record.key != _CUSTOMER:
            yield f"there is something of {record.key!r}"
        raw = json.loads(record.value or b"")
        if raw["type"] == "track":
            orders.append(raw)
    if [(each["event"], each["properties"]) for each in orders] != [("Order Completed", {"total": 19.9})]:
        yield f"there are {orders}, and should be one order of 19.9"
