"""What one person did at the simulated shop, and under which of their ids the shop saw it."""

from typing import Final

from stream.core.interaction import Interaction

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
"""Spans in milliseconds, as the diary counts."""

DEVICES: Final = ("phone", "desktop")
BY_OURSELVES: Final = None
"""In place of a device: the shop itself knows it, as of a delivered e-mail."""


class Diary:
    """The interactions of one person, in the order in which they were thought of.

    A device shows its own anonymous id until its owner signs in on it, then the customer's id beside it.
    """

    def __init__(self, number: int) -> None:
        self.customer_id = f"c{number:05}"
        self.signed_in: set[str] = set()
        """Devices on which we know who it is."""
        self.entries: list[Interaction] = []
        """Those that nobody has fetched yet."""
        self._number = number
        self._count = 0

    @property
    def known(self) -> bool:
        """Whether the shop knows this person at all."""
        return bool(self.signed_in)

    def note(
        self,
        time: int,
        name: str,
        properties: dict[str, object] | None = None,
        *,
        device: str | None = BY_OURSELVES,
        campaign: str | None = None,
    ) -> None:
        """Something happened, at a time in epoch milliseconds."""
        self._count += 1
        context: dict[str, object] = {}
        if device is not None:
            context["device"] = {"type": device}
        if campaign is not None:
            context["campaign"] = {"name": campaign}
        self.entries.append(
            Interaction(
                customer_id=self.customer_id if device is None or device in self.signed_in else None,
                anonymous_id=None if device is None else f"v{self._number:05}-{device}",
                id=f"i{self._number:05}-{self._count}",
                name=name,
                time=time,
                properties=properties or {},
                context=context,
            )
        )

    def identify(self, time: int, device: str) -> None:
        """From now on we know who uses this device."""
        self.signed_in.add(device)
        self.note(time, "identify", device=device)
