"""Whether two changelogs hold the same records, in whatever order and partitions."""

from xxhash import xxh3_128_intdigest


class Checksum:
    """Of records, by key and value; it does not depend on their order."""

    def __init__(self) -> None:
        self.count = 0
        self._total = 0

    def add(self, key: bytes, value: bytes) -> None:
        """Add a record, once."""
        self.count += 1
        self._total += xxh3_128_intdigest(len(key).to_bytes(4) + key + value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checksum) and (self.count, self._total) == (other.count, other._total)

    __hash__ = None  # type: ignore[assignment]
