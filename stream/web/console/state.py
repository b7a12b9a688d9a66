"""`GET /v1/console`: what a browser needs to know before it can ask anything, its own rights among it."""

from typing import Final, get_args

from aiohttp import web

from stream.settings import Clock
from stream.web.answers import json_answer
from stream.web.authentication import is_from_this_machine, token_of
from stream.web.console.about import About
from stream.web.tokens import Role, Tokens

PATH: Final = "/v1/console"
_PRODUCT: Final = "Customer lifecycle"
_OF_THIS_MACHINE: Final[frozenset[Role]] = frozenset({"read", "operate"})


class ConsoleState:
    """Says what the console may show to whoever asks."""

    def __init__(self, tokens: Tokens, clock: Clock, about: About) -> None:
        self._tokens, self._clock, self._about = tokens, clock, about

    async def answer(self, request: web.Request) -> web.Response:
        """The state, which holds nothing that not everybody may know, but for the asker's own name and roles."""
        token, required = token_of(request, self._tokens), self._tokens.required
        only_this_machine = not required and not is_from_this_machine(request)
        of_nobody = frozenset() if required or only_this_machine else _OF_THIS_MACHINE
        roles = of_nobody if token is None else token.roles
        return json_answer(
            {
                "product": _PRODUCT,
                "version": self._about.version,
                "login": required and token is None,
                "roles": [each for each in get_args(Role) if each in roles],
                "name": None if token is None else token.name,
                "clock": self._clock,
                "demo": self._about.demo,
                "only_this_machine": only_this_machine,
            }
        )
