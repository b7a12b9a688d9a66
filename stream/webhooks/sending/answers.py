"""What is kept of an answer: a bounded part of its body, and of that a line for people."""

from collections.abc import Iterable
from typing import Final

from aiohttp import ClientResponse

LONGEST_BODY: Final = 64 * 1_024
"""Bytes that are read, after unpacking."""
LONGEST_TEXT: Final = 200
"""Characters of an excerpt, and of a reason."""
SHORTEST_SECRET: Final = 8
"""Shorter texts are words that an answer may say by itself."""


async def read_body(response: ClientResponse) -> bytes:
    """The body, at most its first 64 KiB; the connection of a longer one is closed, and nothing more is read.

    Raises what aiohttp raises.
    """
    body = await response.content.read(LONGEST_BODY)
    if response.content.at_eof():
        return body
    parts, left = [body], LONGEST_BODY - len(body)
    while left and (part := await response.content.read(left)):
        parts.append(part)
        left -= len(part)
    if not response.content.at_eof():
        response.close()
    return b"".join(parts)


def excerpt(body: bytes) -> str:
    """The beginning of a body as one line: what is not printable is a space, and spaces in a row are one."""
    if not body:
        return ""
    text = body[: 8 * LONGEST_TEXT].decode(errors="replace")
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())[:LONGEST_TEXT]


def without(secrets: Iterable[str], text: str) -> str:
    """A text in which these are not shown: some tools quote what they were sent."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET and secret in text:
            text = text.replace(secret, "***")
    return text
