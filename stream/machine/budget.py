"""What one transaction takes at most, besides the `max_records` of one fetch."""

from typing import Final

MAX_BYTES: Final = 4 << 20
"""Of stage changes, customer records and dead letters, give or take those of a breath."""
SHARE: Final = MAX_BYTES // 4
"""Of these, for deadlines of other customers than those whose interactions wait."""
MAX_FIRED: Final = 5_000
"""Customers whose deadlines are fired."""
MAX_LOOKED: Final = 20_000
"""Customers looked at, most of whose deadlines have moved on, before interactions get their turn."""
