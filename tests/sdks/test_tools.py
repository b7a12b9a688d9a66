"""What `make sdks` compares of clients of marketing tools: it notices each difference that matters, and no other."""

from dataclasses import replace

import orjson
import pytest

from stream.webhooks.templating.template_file import template_names
from tests.sdks.sdks import SENDERS
from tests.sdks.tools import CLIENTS, differences, pins
from tests.webhooks.doubles.double import Kept
from tests.webhooks.tool_cases import BY_TEMPLATE

CASE = replace(BY_TEMPLATE["klaviyo"], headers={"authorization": "k"})
OURS = Kept(
    "POST",
    "/a/b%40c",
    {"q": "1"},
    {"authorization": "k", "content-type": "application/json"},
    b'{"at": "2026-01-01T10:00:00Z", "n": 1, "list": [{"a": 1.5}]}',
)


def test_every_template_but_two_has_a_client_at_one_release() -> None:
    """Mautic has none in Python; `generic` is for services of one's own."""
    assert set(CLIENTS) == set(template_names()) - {"mautic", "generic"}
    assert set(CLIENTS.values()) < set(pins())
    program = (SENDERS / "tools.py").read_text(encoding="utf-8")
    for name in CLIENTS:
        assert f"def tell_{name.replace('-', '_')}(url)" in program


def test_the_same_is_the_same_however_it_is_written() -> None:
    body = b'{"list":[{"a":1.5}],"n":1,"at":"2026-01-01T11:00:00.000+01:00"}'
    same = OURS._replace(path="/a/b@c", body=body, headers={**OURS.headers, "user-agent": "x"})
    assert list(differences(CASE, [OURS], [same])) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"method": "PUT"}, "request 1: its method is POST, the client's PUT"),
        ({"path": "/a"}, "request 1: its place is /a/b@c, the client's /a"),
        ({"query": {}}, "request 1: its query is {'q': '1'}, the client's {}"),
        ({"headers": {**OURS.headers, "content-type": "text/plain"}}, "its media_type is application/json"),
        ({"headers": {**OURS.headers, "authorization": "other"}}, "request 1: its authorization is not the client's"),
        ({"n": "1"}, "request 1: .n is 1, the client's '1'"),
        ({"n": 1.0}, "request 1: .n is 1, the client's 1.0"),
        ({"at": "2026-01-01T10:00:01Z"}, "request 1: .at is '2026-01-01T10:00:00Z'"),
        ({"list": []}, "request 1: .list is [{'a': 1.5}], the client's []"),
        ({"list": [{"b": 1}]}, "request 1: only the template has .list[0].a, 1.5"),
        ({"more": None}, "request 1: only the client has .more, None"),
    ],
)
def test_each_difference_is_named(changed: dict[str, object], said: str) -> None:
    fields = {name: value for name, value in changed.items() if name in Kept._fields}
    members = {name: value for name, value in changed.items() if name not in Kept._fields}
    theirs = OURS._replace(**fields, body=orjson.dumps({**OURS.json, **members}))  # type: ignore[arg-type]
    assert any(said in each for each in differences(CASE, [OURS], [theirs]))


def test_a_request_more_or_less_is_one() -> None:
    assert list(differences(CASE, [OURS, OURS], [OURS])) == ["the template sends 2 requests, the client 1"]
