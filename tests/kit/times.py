"""Times in tests, in milliseconds, as everywhere in the product."""

HOUR = 3_600_000
DAY = 24 * HOUR
T0 = 1_700_000_000_000  # 2023-11-14T22:13:20Z
"""A moment at which histories begin that may begin at any."""
