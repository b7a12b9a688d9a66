"""The console's open paths: whatever is sent there, nothing breaks, and nobody is let in without a token."""

import asyncio
import logging
from contextlib import suppress
from urllib.parse import quote

import aiohttp
import orjson
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from stream.web.server import serve
from tests.web.rig import Rig

TOKEN = "0123456789abcdef-of-this-test"  # noqa: S105 a test's own
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
BODY = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda token: orjson.dumps({"token": token}), st.text(max_size=50)),
    st.builds(
        orjson.dumps,
        st.recursive(
            st.none() | st.integers(-9, 9) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
    ),
)


class Complaints(logging.Handler):
    """What is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage() + repr(record.exc_info))


async def answers(
    method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, dict[str, str]]:
    """Status and headers of a worker with a token, which complains of nothing."""
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        rig = Rig(token=TOKEN)
        async with serve(rig.routes, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
            url = URL(f"http://127.0.0.1:{port}{path}", encoded=True)
            async with session.request(method, url, data=body, headers=headers) as response:
                await response.read()
                found = response.status, dict(response.headers)
    finally:
        logging.getLogger().removeHandler(complaints)
    assert complaints.heard == []
    return found


@example(b'{"token": "\\ud800"}', "http://[", "same-origin", "application/json")
@example(b'{"token": "\\u0000"}', "null", "", "application/json")
@given(BODY, HEADER, st.sampled_from(["", "same-origin", "x"]), st.sampled_from(["application/json", "text/plain"]))
def test_no_body_and_no_header_logs_in_without_a_token(body: bytes, origin: str, site: str, kind: str) -> None:
    headers = {"Origin": origin, "Content-Type": kind} | ({"Sec-Fetch-Site": site} if site else {})
    status, answered = asyncio.run(answers("POST", "/v1/console/login", headers, body))
    assert status in (400, 401, 403, 413, 415)
    assert "Set-Cookie" not in answered


@example("lifecycle_token=%")
@example('lifecycle_token="\\303\\266"; lifecycle_token=%ff%00')
@given(HEADER)
def test_no_cookie_is_a_token_that_is_none(cookie: str) -> None:
    status, _ = asyncio.run(answers("GET", "/v1/lifecycles", {"Cookie": cookie}))
    assert status == 401


@given(st.text(max_size=30))
def test_no_name_of_a_file_leads_out_of_the_folder(name: str) -> None:
    with suppress(UnicodeEncodeError):  # a lone surrogate, which no URL has
        status, answered = asyncio.run(answers("GET", "/console/" + quote(name, safe=""), {}))
        assert (status, answered["X-Content-Type-Options"]) in [(401, "nosniff"), (404, "nosniff")]
