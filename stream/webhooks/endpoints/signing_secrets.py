"""Secrets that webhooks are signed with, as Standard Webhooks writes them: `whsec_` and base64.

Read strictly: some libraries drop what is no base64, and would sign with another key than the receiver has.
"""

from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST: Final = 24
LONGEST: Final = 64
"""Bytes."""
_HOW: Final = 'as echo "whsec_$(openssl rand -base64 32)" makes'


class SecretError(Exception):
    """A text that is no secret to sign with; the message says what would be right, and repeats nothing of it."""


def read_secret(text: str) -> bytes:
    """The key that a secret stands for. Raises SecretError."""
    if not text.startswith(PREFIX):
        raise SecretError(f"a secret begins with {PREFIX}, {_HOW}")
    encoded = text.removeprefix(PREFIX)
    try:
        key = b64decode(encoded, validate=True)
    except (Error, ValueError):
        key = None
    if key is None or b64encode(key).decode() != encoded:
        raise SecretError(f"what follows {PREFIX} is not padded standard base64, {_HOW}")
    if not SHORTEST <= len(key) <= LONGEST:
        raise SecretError(f"a secret has {SHORTEST} to {LONGEST} bytes, this one {len(key)}; make one {_HOW}")
    return key


def written(key: bytes) -> str:
    """The secret of a key, as its file has it."""
    return PREFIX + b64encode(key).decode()
