"""Keys of the changelog: a byte that says what the record is, then the id."""

from typing import Final

from stream.core.interaction import Kind

CUSTOMER: Final = b"c"
ANONYMOUS: Final = b"a"
LAYOUT: Final = b"t"
POSITION: Final = b"p"
"""The first byte of a changelog key: what the record is."""
KINDS: Final = frozenset({CUSTOMER, ANONYMOUS, LAYOUT, POSITION})


def customer_key(kind: Kind, subject: str) -> bytes:
    """The changelog key of a subject."""
    return (CUSTOMER if kind == "customer" else ANONYMOUS) + subject.encode()
