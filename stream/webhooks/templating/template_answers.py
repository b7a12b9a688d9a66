"""What a tool's answer means, as its template says it: taken, again later, never, or the endpoint is gone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import orjson

from stream.webhooks.exchange import Answer, Outcome, Verdict
from stream.webhooks.templating.filters import as_text
from stream.webhooks.templating.retry_after import WaitHeader, asked_to_wait

LONGEST_REASON: Final = 200
"""Characters."""
_LONGEST_JSON: Final = 65_536
_SPACES: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_EMPTY: Final[tuple[object, ...]] = (None, 0, "", False)
_NOTHING: Final = frozenset[int]()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRules:
    """How answers of one tool are judged. 410 always disables the endpoint, and what is not named is tried again."""

    success: frozenset[int] = _NOTHING
    """Statuses; empty: all from 200 to 299."""
    errors_at: tuple[str, ...] = ()
    """JSON pointers: where one of these leads to something in a success, the tool has refused what it was sent."""
    refused: frozenset[int] = _NOTHING
    gone: frozenset[int] = _NOTHING
    message: tuple[str, ...] = ()
    """JSON pointers to what the tool says of an error, the first that leads to something counts."""
    is_text: bool = False
    """The body of an error is its message."""
    wait: tuple[WaitHeader, ...] = ()
    """Headers that say how long to wait, besides `Retry-After`."""

    def outcome(self, answer: Answer) -> Outcome:
        """What an answer means."""
        status = answer.status
        taken = status in self.success if self.success else 200 <= status < 300
        if not taken:
            verdict = Verdict.AGAIN
            if status == HTTPStatus.GONE or status in self.gone:
                verdict = Verdict.GONE
            elif status in self.refused:
                verdict = Verdict.REFUSED
            wait = asked_to_wait(answer.headers, self._waits(status)) if verdict is Verdict.AGAIN else None
            return Outcome(verdict, self._reason(answer), wait)
        if self.errors_at and any(not _is_empty(each) for each in _pointed(answer.body, self.errors_at)):
            return Outcome(Verdict.REFUSED, self._reason(answer))
        return Outcome(Verdict.DELIVERED, str(status))

    def _waits(self, status: int) -> tuple[WaitHeader, ...]:
        """Many tools send these with every answer: they ask for a pause where there were too many requests."""
        return self.wait if status == HTTPStatus.TOO_MANY_REQUESTS else ()

    def _reason(self, answer: Answer) -> str:
        said = answer.body.decode(errors="replace") if self.is_text else ""
        for each in _pointed(answer.body, self.message):
            if not said and not _is_empty(each):
                said = each if isinstance(each, str) else _short(each)
        said = _SPACES.sub(" ", said).strip()
        text = f"{answer.status} {said}".strip()
        return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def _short(value: object) -> str:
    return as_text(value) if isinstance(value, bool | int | float) else orjson.dumps(value).decode()


def _is_empty(value: object) -> bool:
    return value in _EMPTY or value in ([], {})


def _pointed(body: bytes, pointers: tuple[str, ...]) -> list[object]:
    """What JSON pointers (RFC 6901) lead to in a body, None where that is nothing; all None where it is no JSON."""
    if not pointers:
        return []
    try:
        document: object = orjson.loads(body[:_LONGEST_JSON])
    except orjson.JSONDecodeError:
        return [None] * len(pointers)
    return [_at(document, pointer) for pointer in pointers]


def _at(document: object, pointer: str) -> object:
    found = document
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isdecimal() and key.isascii() and len(key) < 6 and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found
