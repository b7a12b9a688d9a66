"""The description of what is served: that it is OpenAPI, and that it names what there is."""

import re

import aiohttp
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from stream.collector import Collector
from stream.settings import Settings
from stream.web.openapi import document
from stream.web.server import serve
from tests.kit.http_contract import hold, operation_of
from tests.web.rig import Rig


def test_the_description_is_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


async def test_it_is_served_to_everybody() -> None:
    """Also where everything else asks for a token: it is no secret."""
    rig = Rig(token="0123456789abcdef")  # noqa: S106 a test's own
    async with (
        serve(rig.routes, Settings().web_bind, 0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/v1/openapi.json") as response,
    ):
        assert (response.status, response.content_type) == (200, "application/json")
        assert orjson.loads(await response.read()) == document()


def test_it_names_every_path_that_a_worker_serves() -> None:
    served = {re.sub(r"\{(\w+)[^}]*\}", r"{\1}", resource.canonical) for resource in Rig().routes.router.resources()}
    assert served - document()["paths"].keys() == set()


def test_it_names_every_path_that_a_collector_serves() -> None:
    """Each is there with a slash at its end, too; Jitsu's calls are one path of the description."""
    served = {resource.canonical.rstrip("/") for resource in Collector(Settings())._routes.router.resources()}
    described = {path for path in served if operation_of("GET", path) or operation_of("POST", path)}
    assert served - described == {"/{path}"}
    assert "/v1/openapi.json" in described


async def test_a_collector_serves_it_without_a_key_and_without_kafka() -> None:
    routes = Collector(Settings(bootstrap="127.0.0.1:1"))._routes
    async with (
        serve(routes, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/v1/openapi.json") as response,
    ):
        assert (response.status, orjson.loads(await response.read())) == (200, document())


@pytest.mark.parametrize(
    ("path", "status", "kind", "body"),
    [
        ("/v1/lifecycles", 500, "application/json", b"{}"),
        ("/v1/lifecycles", 200, "text/html", b""),
        ("/v1/lifecycles", 200, "application/json", b"{}"),
        ("/v1/lifecycles", 400, "application/json", b'{"error":"words"}'),
        ("/v1/nothing", 200, "application/json", b"{}"),
        ("/v1/customers/42", 200, "application/json", b'{"customer_id":"42"}'),
    ],
)
def test_an_answer_that_is_not_as_described_is_noticed(path: str, status: int, kind: str, body: bytes) -> None:
    with pytest.raises(AssertionError):
        hold("GET", path, status, kind, body)
