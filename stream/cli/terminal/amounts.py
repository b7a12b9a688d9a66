"""How many of something, as people write it."""


def amount(count: int, noun: str) -> str:
    """`1 record`, `1,000 records`; for nouns whose plural takes an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
