"""A small server that stands for a tool: it checks what it gets, keeps it, and answers in the tool's own forms."""

import re
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Self, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from aiohttp import web

Shape = TypeVar("Shape")


class Kept(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    """As it was sent, without the query."""
    query: dict[str, str]
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def place(self) -> str:
        """The path with %40 as @: both mean the same, and clients differ."""
        return unquote(self.path)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body) if self.body else None


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Refusal(Exception):
    """What was sent is not as the tool's official client sends it, or not what the tool would take."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


Handler = Callable[..., Reply]


def json_reply(status: int, value: object, media_type: str = "application/json") -> Reply:
    """An answer in JSON."""
    return Reply(status, msgspec.json.encode(value), {"Content-Type": media_type})


def basic(user: str, password: str) -> str:
    """The header of HTTP's basic authentication."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


class Double:
    """The part that all share. A tool has `routes`, `credentials`, and `refuse`: its own form of an error.

    async with HubSpot() as hubspot:
        …                             # send to hubspot.url
        assert hubspot.kept[0].json == …
    """

    routes: ClassVar[tuple[tuple[str, str, str], ...]]
    """Method, pattern of the path, name of the method that answers: it gets the request, and the pattern's groups."""
    credentials: ClassVar[tuple[tuple[str, str], ...]]
    """Headers, by name in lower case, with what they must be."""
    media_types: ClassVar[tuple[str, ...]] = ("application/json",)

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.next: deque[Reply] = deque()
        """Answers that are given first, whatever comes."""

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._arrived))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def refuse(self, status: int, message: str) -> Reply:
        """The tool's own form of an error."""
        raise NotImplementedError

    def shaped(self, kept: Kept, shape: type[Shape]) -> Shape:
        """The body, which must be of this shape and no other. Raises Refusal."""
        try:
            return msgspec.json.decode(kept.body, type=shape)
        except msgspec.DecodeError as error:
            raise Refusal(400, f"invalid body: {error}") from None

    async def _arrived(self, request: web.BaseRequest) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        kept = Kept(request.method, path, dict(parse_qsl(query)), headers, await request.read())
        self.kept.append(kept)
        reply = self.next.popleft() if self.next else self._answer(kept)
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    def _answer(self, kept: Kept) -> Reply:
        try:
            return self._taken(kept)
        except Refusal as refusal:
            return self.refuse(refusal.status, refusal.message)

    def _taken(self, kept: Kept) -> Reply:
        for name, value in self.credentials:
            if kept.headers.get(name) != value:
                raise Refusal(401, "invalid credentials")
        for method, pattern, handler in self.routes:
            match = re.fullmatch(pattern, kept.path)
            if match is not None and method == kept.method:
                if kept.body and kept.media_type not in self.media_types:
                    raise Refusal(415, "unsupported media type")
                answering: Handler = getattr(self, handler)
                return answering(kept, *map(unquote, match.groups()))
        raise Refusal(404, "no such path")
