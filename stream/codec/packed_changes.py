"""Stage changes that wait by the hundred thousand, packed: what they have in common is not kept with each.

For memory alone. What is written down stays JSON, so that nobody who reads it needs to know what it was packed against.
"""

import zlib
from typing import Final, NamedTuple

_LEVEL: Final = 1
_POOR: Final = 3
"""Where a change takes more than a third of its bytes, it is not like the example."""
_KEEPS: Final = 1_000
"""Changes that an example serves at least, whatever they are like."""


class PackedChange(NamedTuple):
    """A change's value in about a seventh of its bytes."""

    packed: bytes
    like: bytes
    """The change that it was packed against."""

    @property
    def value(self) -> bytes:
        """The value that was packed."""
        return zlib.decompressobj(-zlib.MAX_WBITS, self.like).decompress(self.packed)


class _Example:
    """A change that others of its lifecycle are packed against."""

    __slots__ = ("served", "value")

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.served = 0


class ChangePacker:
    """Packs changes against one of the same lifecycle: they have the same names, and much the same values."""

    def __init__(self) -> None:
        self._examples: dict[str, _Example] = {}

    def pack(self, lifecycle: str, value: bytes) -> PackedChange:
        """Pack the value of a change of this lifecycle."""
        example = self._examples.get(lifecycle)
        if example is None:
            example = self._examples[lifecycle] = _Example(value)
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 4, zlib.Z_DEFAULT_STRATEGY, example.value)
        packed = PackedChange(packer.compress(value) + packer.flush(), example.value)
        example.served += 1
        if example.served >= _KEEPS and len(packed.packed) * _POOR > len(value):
            self._examples[lifecycle] = _Example(value)
        return packed
