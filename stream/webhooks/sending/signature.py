"""The headers that tell a receiver who sent a request, and which one it is: Standard Webhooks 1.0."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from standardwebhooks import Webhook

_UNSAFE: Final = re.compile(r"[^!-\-/-~]").sub
"""What is no visible ASCII, and the full stop, which separates id, time and body where they are signed."""
_SIGNERS: Final = 1_024

_signer: Final = lru_cache(_SIGNERS)(Webhook)


def webhook_id(event_id: str) -> str:
    """A change's id as `webhook-id`, the same at every repetition.

    A space, a full stop, and what is no visible ASCII are %XX of their UTF-8: a header carries nothing else unharmed,
    and the standard wants no full stop in an id, so that id, time and body cannot be parted in another way.
    """
    return _UNSAFE(_escaped, event_id)


def signature_headers(secrets: Sequence[bytes], event_id: str, body: bytes, at: int) -> dict[str, str]:
    """The three headers of a request that is sent at `at`, epoch milliseconds; with one signature for each secret.

    Raises UnicodeDecodeError for a body that is not UTF-8: receivers verify texts.
    """
    identity, seconds, text = webhook_id(event_id), at // 1_000, body.decode()
    time = datetime.fromtimestamp(seconds, UTC)  # the library takes the wall clock of any other zone for UTC's
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(seconds),
        # one space between: receivers that use the library fail at two
        "webhook-signature": " ".join(_signer(secret).sign(identity, time, text) for secret in secrets),
    }


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
