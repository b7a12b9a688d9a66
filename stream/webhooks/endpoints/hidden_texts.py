"""Credentials where people see them: their last four characters, and nothing else."""

import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

_SHOWN: Final = 4
_LONG: Final = 12
"""Of a shorter text four characters would be too much."""
_SHORTEST: Final = 4
"""What is shorter stands in every second text, and is nobody's secret."""
_SCHEMES: Final = ("authorization", "proxy-authorization")
"""Headers, in small letters, that hold a scheme and then a credential, which may be made of several texts."""


def last_four(secret: str) -> str:
    """The end of a secret, by which people know it; nothing of a short one."""
    return "…" + (secret[-_SHOWN:] if len(secret) >= _LONG else "")


def without(text: str, hidden: Iterable[str]) -> str:
    """A text in which the ends of secrets stand for them, whether as they are, in a URL or in JSON."""
    for secret in sorted(map(_hidden_part, hidden), key=len, reverse=True):
        if len(secret) < _SHORTEST:
            continue
        for form in dict.fromkeys((secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1])):
            text = text.replace(form, last_four(secret))
    return text


def _hidden_part(secret: str) -> str:
    """Of a URL what stands behind the host, which lists show; a template may put more behind it."""
    if not secret.startswith(("https://", "http://")):
        return secret
    return "/" + secret.partition("://")[2].partition("/")[2].rstrip("/")


def header_without(name: str, value: str, hidden: Iterable[str]) -> str:
    """The value of a header in which the ends of secrets stand for them."""
    if name.lower() in _SCHEMES:
        scheme, space, credential = value.rpartition(" ")
        return scheme + space + last_four(credential)
    return without(value, hidden)
