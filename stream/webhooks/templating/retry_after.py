"""How long a tool asks to be left alone: `Retry-After`, and the headers that some tools have instead of it."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, NamedTuple

LONGEST: Final = 86_400.0
"""Seconds: who asks for more is asked again after a day, the longest pause of the schedule."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)


class WaitForm(StrEnum):
    """What the number in a header counts."""

    SECONDS = "seconds"
    """From now on."""
    EPOCH = "epoch seconds"
    """The time at which requests are taken again."""


class WaitHeader(NamedTuple):
    """A header that says how long to wait, besides `Retry-After`."""

    name: str
    """In lower case."""
    form: WaitForm


RATE_LIMIT_HEADERS: Final = (
    WaitHeader("x-ratelimit-reset", WaitForm.EPOCH),
    WaitHeader("x-sib-ratelimit-reset", WaitForm.SECONDS),
)
"""As Braze and Brevo send them. Others count seconds in the first: a template names those that its tool has."""


def asked_to_wait(
    headers: Mapping[str, str], others: Iterable[WaitHeader] = (), clock: Callable[[], float] = time.time
) -> float | None:
    """Seconds from 0 to LONGEST; None where no header says so, or none that can be read.

    `headers` have names in lower case. `Retry-After` comes first, as seconds or as a date of HTTP, then `others` in
    their order. A time is compared with the answer's own `Date`, where it has one: the tool's clock need not be ours.
    """
    found = _retry_after(headers.get("retry-after", "").strip(), headers, clock)
    for name, form in others:
        if found is not None:
            break
        number = headers.get(name, "").strip()
        if _NUMBER.fullmatch(number):
            found = float(number) if form is WaitForm.SECONDS else float(number) - _now(headers, clock)
    return None if found is None else min(max(found, 0.0), LONGEST)


def _retry_after(text: str, headers: Mapping[str, str], clock: Callable[[], float]) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    at = _date(text)
    return None if at is None else at - _now(headers, clock)


def _now(headers: Mapping[str, str], clock: Callable[[], float]) -> float:
    at = _date(headers.get("date", ""))
    return clock() if at is None else at


def _date(text: str) -> float | None:
    """Epoch seconds of a date of HTTP, in any of its three forms."""
    try:
        found: datetime = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
