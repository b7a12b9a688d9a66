"""How often an address may send a token that is none: nobody guesses one, and nobody keeps a worker busy with that."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import Final

TRIES: Final = 10
"""Wrong tokens of one address in a row."""
EVERY: Final = 6.0
"""Seconds after which it has one more."""
_MOST: Final = 10_000
"""Addresses that are remembered; then the one that tried the longest ago is forgotten."""
_NETWORK_BITS: Final = 64
"""What one sender has of IPv6."""


class Tries:
    """Wrong tokens by address."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By sender: tries that it had at a time; the latest of them last."""

    def wait(self, address: str | None, now: float) -> float:
        """Seconds until this address may try; 0 where it may now. `now` is of a clock that never goes back."""
        return max(0.0, (1.0 - self._at(_sender(address), now)) * EVERY)

    def failed(self, address: str | None, now: float) -> None:
        """A token of this address was none."""
        sender = _sender(address)
        left = self._at(sender, now) - 1.0
        self._left[sender] = left, now
        self._left.move_to_end(sender)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)

    def _at(self, sender: str, now: float) -> float:
        left, then = self._left.get(sender, (float(TRIES), now))
        return min(float(TRIES), left + (now - then) / EVERY)


def _sender(address: str | None) -> str:
    """Whom an address belongs to: of IPv6, everybody has a whole network of them."""
    if address is None:
        return ""
    parsed = ip_address(address)
    return str(int(parsed) >> _NETWORK_BITS) if isinstance(parsed, IPv6Address) else address
