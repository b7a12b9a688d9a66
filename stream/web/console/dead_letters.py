"""`GET /v1/dead-letters`: what goes wrong now, by reason, and the latest of it.

A dead letter holds what somebody sent, so its key, its value and the words that may quote them are for who may read
customers. What goes wrong, how often and where, is for operators.
"""

import asyncio
import time
from typing import Any, Final

from aiohttp import web
from aiokafka.errors import KafkaError

from stream.codec.dead_letters import NEVER_ON_A_TOPIC, DeadLetter
from stream.errors import BrokerError
from stream.kafka.permissions import of_dead_letters, require
from stream.operations.dead_letter_help import HELP
from stream.operations.dead_letter_tail import SHOWN, DeadLetterTail, latest_dead_letters
from stream.settings import Settings
from stream.web.answers import error_answer, json_answer
from stream.web.authentication import refusal_without
from stream.web.lookup.questions import require_known, whole_number
from stream.web.tokens import Tokens

PATH: Final = "/v1/dead-letters"
_LATEST: Final = 50
_MOST: Final = 500
_PATIENCE: Final = 5.0
"""Seconds for Kafka to answer."""
_FRESH: Final = 1.0
"""Seconds for which what was read is good enough for the next who asks."""


class DeadLetters:
    """Shows the end of the topic of dead letters, which is read when somebody asks."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings, self._tokens = settings, tokens
        self._reading = asyncio.Lock()
        self._granted = False
        self._tail: tuple[float, DeadLetterTail] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """The reasons, the most frequent first, and the latest dead letters."""
        require_known(request, ("limit",))
        limit = whole_number(request, "limit", _LATEST, _MOST)
        try:
            async with asyncio.timeout(_PATIENCE):
                tail = await self._latest()
        except BrokerError as error:
            return error_answer(503, "kafka_refuses", str(error))
        except (KafkaError, OSError, TimeoutError):
            return error_answer(503, "kafka_away", "the topic of dead letters cannot be read now; ask again")
        reads = refusal_without("read", request, self._tokens) is None
        return json_answer(
            {
                "looked_at": tail.looked_at,
                "complete": tail.complete,
                "reasons": [
                    {"reason": reason, "count": count, "latest": latest, "help": HELP.get(reason)}
                    for reason, count, latest in tail.counts()
                ],
                "latest": [_shown(each, reads=reads) for each in tail.letters[:limit]],
            }
        )

    async def _latest(self) -> DeadLetterTail:
        """Raises BrokerError where Kafka does not let us, KafkaError where it does not answer."""
        async with self._reading:
            if self._tail is None or time.monotonic() - self._tail[0] > _FRESH:
                if not self._granted:
                    await require(self._settings, of_dead_letters(self._settings))
                    self._granted = True
                try:
                    self._tail = None
                    self._tail = time.monotonic(), await latest_dead_letters(self._settings)
                except KafkaError:
                    self._granted = False
                    raise
            return self._tail[1]


def _shown(letter: DeadLetter, *, reads: bool) -> dict[str, Any]:
    return {
        "reason": letter.reason,
        "detail": letter.detail[:SHOWN] if reads else None,
        "at": letter.time,
        "address": str(letter.address),
        "topic": letter.source.topic,
        "partition": letter.source.partition,
        "offset": None if letter.source.partition == NEVER_ON_A_TOPIC else letter.source.offset,
        "key": _text(letter.key) if reads else None,
        "value": _text(letter.value) if reads else None,
        "size": letter.whole,
    }


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "backslashreplace")[:SHOWN]
