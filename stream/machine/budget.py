"""What one run of the machine may do: the bounds of one transaction, besides the `max_records` of one fetch."""

from typing import Final

MAX_BYTES: Final = 4 << 20
"""Bytes of stage changes, customer records and dead letters; exceeded by what is made between two yields at most."""
SHARE: Final = MAX_BYTES // 4
"""Bytes of these that one turn of the deadlines may make while interactions wait."""
MAX_FIRED: Final = 5_000
"""Customers whose deadlines are fired."""
MAX_LOOKED: Final = 20_000
"""Customers that one turn looks at while interactions wait: the deadlines of most of them have moved on."""


class Budget:
    """What one run has done so far, and whether that is enough."""

    def __init__(self) -> None:
        self.bytes = 0
        """Bytes made to be written."""
        self.figures = 0
        """Bytes, about, that the figures of the batch will take."""
        self.fired = 0
        """Customers whose deadlines were fired, or who were considered after an edit."""
        self.looked = 0
        """Customers looked at in this turn of the deadlines."""
        self._shared = False
        self._turn_bytes = MAX_BYTES

    @property
    def full(self) -> bool:
        """The batch must be written before the next record."""
        return self.bytes + self.figures >= MAX_BYTES

    def begin_turn(self, *, shared: bool) -> None:
        """The deadlines have their turn; `shared`: interactions may go on before all that are due were fired."""
        self.looked = 0
        self._shared = shared
        self._turn_bytes = self.bytes + SHARE if shared else MAX_BYTES

    @property
    def turn_is_over(self) -> bool:
        """No more deadlines in this turn."""
        return self.fired >= MAX_FIRED or self.bytes >= self._turn_bytes or (self._shared and self.looked >= MAX_LOOKED)
