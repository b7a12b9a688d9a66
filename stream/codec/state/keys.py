"""Keys of the changelog: a byte that says what the record is, then the id."""

from typing import Final

from stream.core.interaction import Kind

CUSTOMER: Final = b"c"
ANONYMOUS: Final = b"a"
LAYOUT: Final = b"t"
POSITION: Final = b"p"
FIGURE: Final = b"f"
"""The first byte of a changelog key: what the record is."""
KINDS: Final = frozenset({CUSTOMER, ANONYMOUS, LAYOUT, POSITION, FIGURE})


def kind_of(key: bytes) -> Kind | None:
    """Which kind of subject the record of a changelog key is of; None where it is no customer's."""
    if key[:1] == CUSTOMER:
        return "customer"
    return "anonymous" if key[:1] == ANONYMOUS else None


def customer_key(kind: Kind, subject: str) -> bytes:
    """The changelog key of a subject."""
    return (CUSTOMER if kind == "customer" else ANONYMOUS) + subject.encode()
