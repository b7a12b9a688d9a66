"""The SDKs that are run, at the releases which `senders/` pins."""

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Final, Literal

SENDERS: Final = Path(__file__).parent / "senders"


class Quirk(Enum):
    """What an SDK does unlike the others, so that something else must arrive."""

    LEAVES_OUT_NULLS = auto()
    """Members that are null, or no number, are not sent."""
    MENDS_TEXTS = auto()
    """Half a sign is sent as a question mark."""
    HAS_NO_SCREENS = auto()
    """There is no such call."""
    TAKES_NO_TIMES = auto()
    """A call's time cannot be stated."""


Language = Literal["python", "node", "browser", "java"]


@dataclass(frozen=True)
class Sdk:
    """One SDK, and how it is run."""

    package: str
    """As its registry names it."""
    language: Language
    module: str
    """What a program imports."""
    quirks: frozenset[Quirk] = frozenset()

    @property
    def version(self) -> str:
        """The pinned release."""
        return _pins()[self.package]

    @property
    def slug(self) -> str:
        """The package's name as a part of file names, ids and write keys."""
        return re.sub(r"[^a-z0-9]+", "-", self.package).strip("-")

    @property
    def is_of_a_browser(self) -> bool:
        """Then it has one visitor at a time, and adds to pages what it knows of them."""
        return self.language == "browser"

    @property
    def pause(self) -> float:
        """Seconds between pings. A customer's latest 128 ids are remembered, and a browser is one customer alone."""
        return 0.5 if self.is_of_a_browser else 0.1


SDKS: Final = (
    Sdk("segment-analytics-python", "python", "segment.analytics"),
    Sdk("rudder-sdk-python", "python", "rudderstack.analytics"),
    Sdk("events-sdk-python", "python", "hightouch.htevents"),
    Sdk("customerio-cdp-analytics", "python", "customerio.analytics"),
    Sdk("@segment/analytics-node", "node", "@segment/analytics-node"),
    Sdk("@rudderstack/rudder-sdk-node", "node", "@rudderstack/rudder-sdk-node"),
    Sdk("@segment/analytics-next", "browser", "@segment/analytics-next"),
    Sdk(
        "@rudderstack/analytics-js",
        "browser",
        "@rudderstack/analytics-js/bundled",
        frozenset({Quirk.LEAVES_OUT_NULLS, Quirk.HAS_NO_SCREENS, Quirk.TAKES_NO_TIMES}),
    ),
    Sdk(
        "com.segment.analytics.java:analytics",
        "java",
        "com.segment.analytics",
        frozenset({Quirk.LEAVES_OUT_NULLS, Quirk.MENDS_TEXTS}),
    ),
)


@cache
def _pins() -> dict[str, str]:
    lines = (SENDERS / "requirements.txt").read_text(encoding="utf-8").splitlines()
    node: dict[str, str] = json.loads((SENDERS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    java = re.findall(
        r"<groupId>(.+)</groupId>\s*<artifactId>(.+)</artifactId>\s*<version>(.+)</version>\s*</dependency>",
        (SENDERS / "java" / "pom.xml").read_text(encoding="utf-8"),
    )
    return {
        **dict(re.split("==", line, maxsplit=1) for line in lines),
        **node,
        **{f"{group}:{artifact}": version for group, artifact, version in java},
    }
