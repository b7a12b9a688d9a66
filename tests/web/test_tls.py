"""HTTPS, with a certificate that is renewed while the server runs."""

import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from stream.errors import SettingsError
from stream.settings import Settings
from stream.web.server import serve
from stream.web.tls import server_context
from tests.kit.certificates import Authority


def application() -> web.Application:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="answered")

    app = web.Application()
    app.router.add_get("/", answer)
    return app


async def ask(port: int, authority: Authority) -> str:
    context = ssl.create_default_context(cafile=str(authority.file))
    async with aiohttp.ClientSession() as session, session.get(f"https://localhost:{port}/", ssl=context) as response:
        return await response.text()


async def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.watched_file._LOOK_EVERY", 0.0)
    old, new = Authority("old", tmp_path), Authority("new", tmp_path)
    file = old.issue("worker", tmp_path / "worker.pem", ("localhost",))
    tls = server_context(Settings(web_certfile=str(file)))
    async with serve(application(), "127.0.0.1", 0, tls=tls) as port:
        assert await ask(port, old) == "answered"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(port, new)
        new.issue("worker", tmp_path / "renewed.pem", ("localhost",)).replace(file)
        assert await ask(port, new) == "answered"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(port, old)


async def test_http_is_served_where_no_certificate_is_set() -> None:
    assert server_context(Settings()) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"web_keyfile": "key.pem"}, "HTTPS needs both"),
        ({"web_certfile": "none.pem"}, r"none\.pem: No such file"),
        ({"web_certfile": "text.pem"}, "no certificate with its private key"),
    ],
)
def test_a_certificate_that_cannot_be_used_ends_the_start(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    (tmp_path / "text.pem").write_text("no certificate", encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        server_context(Settings(**{name: str(tmp_path / file) for name, file in settings.items()}))
