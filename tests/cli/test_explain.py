"""`lifecycle explain` against a server that answers as a worker does."""

import json
import socket

import pytest
from aiohttp import web

from tests.cli.answering import Answering, answer_about, answering
from tests.cli.commands import Run


def test_a_customer_is_explained_for_people(lifecycle: Run) -> None:
    with answering(Answering("42")) as server:
        found = lifecycle("explain", "42", "--url", server.url)
    assert (found.returncode, found.stderr) == (0, "")
    assert server.asked == ["/v1/customers/42"]
    lines = [line.strip() for line in found.stdout.splitlines()]
    assert "in Visitor since 14 November 2023, 22:13:20, for 0s" in lines
    assert "✗ engagement 41.3 of 50, 8.7 are missing" in lines
    assert any(line.startswith("On 14 December 2023, 22:13:20, it goes to dormant by time alone") for line in lines)


def test_json_is_the_answer_itself(lifecycle: Run) -> None:
    with answering(Answering("42")) as server:
        found = lifecycle("explain", "42", "--json", "--url", server.url + "/")
    assert (found.returncode, found.stdout.count("\n")) == (0, 1)
    assert json.loads(found.stdout) == json.loads(json.dumps(answer_about("42")))


def test_one_lifecycle_can_be_asked_for(lifecycle: Run) -> None:
    with answering(Answering("42")) as server:
        found = lifecycle("explain", "42", "--json", "--lifecycle", "side", "--url", server.url)
        assert [each["lifecycle"] for each in json.loads(found.stdout)["lifecycles"]] == ["side"]
        found = lifecycle("explain", "42", "--lifecycle", "shopp", "--url", server.url)
    assert (found.returncode, found.stdout) == (1, "")
    assert "no lifecycle 'shopp'; it has: shop, side" in found.stderr


@pytest.mark.parametrize("customer", ["a/b", "50%", "..", "über mich", "a?b#c", "+1 2", "%2F", "."])
def test_an_id_may_have_any_sign(lifecycle: Run, customer: str) -> None:
    with answering(Answering(customer)) as server:
        found = lifecycle("explain", customer, "--json", "--url", server.url)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["customer_id"] == customer


def test_a_visitor_is_asked_for_by_the_anonymous_id(lifecycle: Run) -> None:
    with answering(Answering("b-7")) as server:
        assert lifecycle("explain", "--anonymous", "b-7", "--url", server.url).returncode == 0
    assert server.asked == ["/v1/anonymous/b-7"]


def test_the_settings_of_the_worker_say_where_it_is(lifecycle: Run) -> None:
    with answering(Answering("42")) as server:
        host, port = server.url.removeprefix("http://").split(":")
        for around in (
            {"LIFECYCLE_WEB_URL": server.url},
            {"LIFECYCLE_WEB_BIND": host, "LIFECYCLE_WEB_PORT": port},
            {"LIFECYCLE_WEB_BIND": "0.0.0.0", "LIFECYCLE_WEB_PORT": port},  # noqa: S104 - where a worker listens
        ):
            assert lifecycle("explain", "42", environment=around).returncode == 0
    assert len(server.asked) == 3


@pytest.mark.parametrize("variable", ["LIFECYCLE_WEB_TOKEN", "LIFECYCLE_TOKEN"])
def test_a_token_is_sent_and_never_shown(lifecycle: Run, variable: str) -> None:
    with answering(Answering("42", token="s3cret-s3cret-s3cret")) as server:  # noqa: S106
        right = {variable: "s3cret-s3cret-s3cret"}
        found = lifecycle("explain", "42", "--url", server.url, environment=right)
        assert (found.returncode, found.stderr) == (0, "")
        wrong = lifecycle("explain", "42", "--url", server.url, environment={variable: "wrong-wrong-wrong-wrong"})
        without = lifecycle("explain", "42", "--url", server.url)
    for each in (wrong, without):
        assert (each.returncode, each.stdout) == (1, "")
        assert "asks for a token: set LIFECYCLE_WEB_TOKEN or LIFECYCLE_TOKEN" in each.stderr
        assert "wrong-wrong" not in each.stderr


def test_nobody_with_this_id_is_an_error_that_says_what_else_to_try(lifecycle: Run) -> None:
    with answering(Answering("42")) as server:
        found = lifecycle("explain", "43", "--url", server.url)
    assert (found.returncode, found.stdout) == (1, "")
    assert "knows nobody with this id" in found.stderr
    assert "--anonymous" in found.stderr


def test_while_the_partition_moves_it_is_asked_again(lifecycle: Run) -> None:
    with answering(Answering("42", moving=3)) as server:
        found = lifecycle("explain", "42", "--url", server.url)
    assert found.returncode == 0, found.stderr
    assert len(server.asked) == 4


def test_a_move_that_takes_longer_than_one_waits_for_is_told_at_once(lifecycle: Run) -> None:
    with answering(Answering("42", moving=100, retry_after="60")) as server:
        found = lifecycle("explain", "42", "--url", server.url)
    assert (found.returncode, found.stdout) == (1, "")
    assert "partition is moving between workers" in found.stderr
    assert "partition 0 moves" in found.stderr
    assert len(server.asked) == 1


def test_where_no_worker_is_it_is_said_how_to_name_one(lifecycle: Run) -> None:
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        found = lifecycle("explain", "42", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (found.returncode, found.stdout) == (1, "")
    assert "no worker at http://127.0.0.1:" in found.stderr
    assert "--url" in found.stderr


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:6066", "http://", "http://127.0.0.1:99999", ""])
def test_what_is_no_url_is_an_error_and_no_traceback(lifecycle: Run, url: str) -> None:
    found = lifecycle("explain", "42", "--url", url, environment={"LIFECYCLE_WEB_PORT": "1"})
    assert (found.returncode, found.stdout) == (1, "")
    assert "Traceback" not in found.stderr
    assert "worker" in found.stderr


def test_another_server_is_no_worker(lifecycle: Run) -> None:
    class Other(Answering):
        async def about(self, request: web.Request) -> web.Response:
            return web.Response(text="<html>hello</html>")

    with answering(Other("42")) as server:
        found = lifecycle("explain", "42", "--url", server.url)
    assert (found.returncode, found.stdout) == (1, "")
    assert "answered 200 and no explanation" in found.stderr
