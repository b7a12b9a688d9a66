"""Write keys of a run: each SDK has one for each part of it, so that records tell by their source where they belong."""

from typing import Final, Literal, NamedTuple

from tests.sdks.sdks import Sdk

Part = Literal["document", "story", "limited", "faults"]
PARTS: Final[tuple[Part, ...]] = ("document", "story", "limited", "faults")
RATE: Final = 4
"""Interactions a second that the key of the part `limited` allows."""


class Key(NamedTuple):
    """One key of the file."""

    sdk: Sdk
    part: Part
    origins: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Its name, which each record has as a header."""
        return f"{self.sdk.slug}.{self.part}"

    @property
    def text(self) -> str:
        """What the SDK sends. No secret: it is valid for as long as the run lasts."""
        return f"key-of-{self.sdk.slug}-{self.part}"

    def table(self) -> str:
        """Its table in the file."""
        lines = ["[[key]]", f'key = "{self.text}"', f'source = "{self.source}"']
        if self.origins:
            lines.append(f"origins = {list(self.origins)}")
        if self.part == "limited":
            lines.append(f"rate = {RATE}")
        return "\n".join([*lines, ""])
