"""URLs and headers that an endpoint may name."""

import re
from typing import Final
from urllib.parse import urlsplit

OURS: Final = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive"}
    | {"te", "trailer", "upgrade", "expect", "user-agent", "accept-encoding", "proxy-connection"}
)
"""Headers, in small letters, that belong to the request itself; `webhook-…` are ours as well."""
CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "api-token"})
"""Headers, in small letters, that are there to hold a secret."""
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_URL: Final = re.compile(r"""[!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]+""")
_LONGEST_VALUE: Final = 4_096
_LONGEST_URL: Final = 2_048


def wrong_with_url(text: str) -> str:
    """What is wrong with a URL, as a sentence that repeats nothing of it; empty where nothing is."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return "a URL such as https://example.com/hook was expected"
    if parts.username is not None or parts.password is not None:
        return "user and password do not stand in a URL, which proxies log; send them as a header"
    if parts.fragment:
        return "what follows # is never sent; leave it out"
    if not _URL.fullmatch(text):
        return "a URL has ASCII characters without white space; others are written as %C3%A9, a host as xn--…"
    return f"a URL has at most {_LONGEST_URL:,} characters" if len(text) > _LONGEST_URL else ""


def wrong_with_header(name: str) -> str:
    """What is wrong with the name of a header; empty where nothing is."""
    if not _TOKEN.fullmatch(name):
        return "this is no name of a header: letters, digits and -"
    if name.lower() in OURS or name.lower().startswith("webhook-"):
        return f"{name} is set by us, for every request"
    return ""


def wrong_with_header_value(value: str) -> str:
    """What is wrong with the value of a header, without repeating it; empty where nothing is."""
    if not _VALUE.fullmatch(value):
        return "the value of a header has printable ASCII characters, none of them white space at its ends"
    return f"the value of a header has at most {_LONGEST_VALUE:,} characters" if len(value) > _LONGEST_VALUE else ""
