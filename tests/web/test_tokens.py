"""Tokens with roles, in a file that is read again when it changes; over real sockets."""

import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from stream.errors import SettingsError
from stream.watched_file import WatchedFile
from stream.web.authentication import require_token
from stream.web.server import serve
from stream.web.tokens import Tokens, parse_tokens

READ, OPERATE, NEW = "read-0123456789abcdef", "operate-0123456789abcdef", "new-0123456789abcdef"
FILE = f"""
[[token]]
token = "{READ}"
name = "crm"
roles = ["read"]

[[token]]
token = "{OPERATE}"
name = "prometheus"
roles = ["operate"]
"""


def application(tokens: Tokens) -> web.Application:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="answered")

    app = web.Application(middlewares=[require_token(tokens)])
    for path in ("/v1/customers/42", "/metrics", "/livez"):
        app.router.add_get(path, answer)
    return app


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
async def url(file: Path) -> AsyncIterator[str]:
    async with serve(application(Tokens(path=str(file))), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


async def ask(url: str, token: str | None = None, **headers: str) -> tuple[int, str]:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/v1/customers/42", READ, 200),
        ("/v1/customers/42", OPERATE, 403),
        ("/v1/customers/42", NEW, 401),
        ("/v1/customers/42", None, 401),
        ("/v1/nothing", None, 401),
        ("/metrics", OPERATE, 200),
        ("/metrics", READ, 403),
        ("/livez", None, 200),
    ],
)
async def test_a_token_opens_what_its_roles_say(url: str, path: str, token: str | None, status: int) -> None:
    assert (await ask(url + path, token))[0] == status


async def test_who_lacks_a_role_is_told_which(url: str) -> None:
    assert "'crm' has not the role 'operate'" in (await ask(f"{url}/metrics", READ))[1]


async def test_a_new_token_is_valid_without_a_restart_and_an_old_one_no_more(
    url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.watched_file._LOOK_EVERY", 0.0)
    write(file, FILE.replace(READ, NEW))
    assert (await ask(f"{url}/v1/customers/42", NEW))[0] == 200
    assert (await ask(f"{url}/v1/customers/42", READ))[0] == 401


async def test_a_file_that_became_unreadable_leaves_in_force_what_it_held(
    url: str, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("stream.watched_file._LOOK_EVERY", 0.0)
    for text in ("[[token]]\nname = 'half", "[[token]]\nname = 'other"):
        write(file, text)
        assert (await ask(f"{url}/v1/customers/42", READ))[0] == 200
        assert (await ask(f"{url}/v1/customers/42", READ))[0] == 200
    assert len([record for record in caplog.records if "stays in force" in record.getMessage()]) == 2
    write(file, FILE.replace(READ, NEW))
    assert (await ask(f"{url}/v1/customers/42", NEW))[0] == 200
    assert READ not in caplog.text


async def test_a_file_is_looked_at_once_a_second_at_most(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    stat = os.stat

    def counting(path: os.PathLike[str]) -> os.stat_result:
        looked.append(str(path))
        return stat(path)

    watched = WatchedFile(file, parse_tokens)
    monkeypatch.setattr("stream.watched_file.os.stat", counting)
    monkeypatch.setattr("stream.watched_file._LOOK_EVERY", 3_600.0)
    for _ in range(100):
        assert len(watched.value) == 2
    assert looked == []


async def test_without_tokens_customers_are_shown_to_this_machine_alone() -> None:
    """A proxy on this machine speaks for others, and so does a page in a browser here that names its own host."""
    async with serve(application(Tokens()), "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}/v1/customers/42"
        assert (await ask(url))[0] == 200
        assert (await ask(url, Host="localhost:6066"))[0] == 200
        for header, value in (("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=::1"), ("Host", "shop.example")):
            status, body = await ask(url, **{header: value})
            assert status == 403
            assert "web_tokens" in body
        assert (await ask(f"http://127.0.0.1:{port}/metrics", Host="shop.example"))[0] == 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[token]", "no TOML"),
        ("[[tokens]]\n", "unknown key 'tokens'; known are token"),
        ("token = 'x'\n", r"begin each token with a line `\[\[token\]\]`"),
        ("[[token]]\nname = 'a'\nroles = ['read']\n", "`token` is missing"),
        ("[[token]]\ntoken = 'short'\nname = 'a'\nroles = ['read']\n", "a token of at least 16 letters"),
        (f"[[token]]\ntoken = '{READ}'\nroles = ['read']\n", "it needs a `name`"),
        (
            f"[[token]]\ntoken = '{READ}'\nname = 'a'\nroles = ['write']\n",
            "`roles` are a list of collect, read, operate",
        ),
        (f"[[token]]\ntoken = '{READ}'\nname = 'a'\nroles = 'read'\n", "`roles` are a list of collect"),
        (f"[[token]]\ntoken = '{READ}'\nname = 'a'\nrole = ['read']\n", "unknown key 'role'"),
    ],
)
def test_a_file_of_tokens_says_what_is_wrong_and_repeats_no_secret(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        parse_tokens(text)
    assert READ not in str(refused.value)
    assert "short" not in str(refused.value)


def test_a_file_that_is_not_there_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: No such file"):
        Tokens(path=str(tmp_path / "none.toml"))


def test_what_is_logged_of_a_file_is_its_path(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = WatchedFile(file, parse_tokens)
    write(file, FILE + "\n")
    watched._looked = -10.0
    assert len(watched.value) == 2
    assert [str(file) in record.getMessage() for record in caplog.records] == [True]
