"""One attempt over HTTP, with receivers that do what they should, and what they should not."""

import asyncio
import gzip
import socket
import ssl
import threading
import time
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from stream.kafka.embedded.process import HOST, free_port
from stream.webhooks.exchange import Answer, HttpRequest, Outcome, Verdict
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.sender import AttemptResult, Sender
from tests.kit.certificates import Authority
from tests.webhooks.receiving import (
    BODY,
    EVENT,
    SECRET,
    Names,
    PlainTemplate,
    Receiver,
    endpoint,
    now,
    post,
    raw_receiver,
    receiver,
)


def sender(**rest) -> Sender:
    return Sender(AllowedHosts([HOST]), version="1.2.3", **rest)


async def attempt(url: str, **rest) -> AttemptResult:
    async with sender() as made:
        return await made.attempt(endpoint(**rest), [post(url)], EVENT, now)


def is_plain(result: AttemptResult) -> None:
    """What is told has no secrets, and is one printable line."""
    for text in (result.outcome.reason, result.excerpt):
        assert "s3cr3t" not in text
        assert text.isprintable()
        assert len(text) <= 200


async def test_a_request_comes_as_the_template_made_it_and_is_verified_by_the_official_library():
    async with receiver() as server:
        before = now()
        result = await attempt(server.url)
        after = now()
    [got] = server.requests
    assert (got.method, got.target, got.body) == ("POST", "/hook/s3cr3t-path?token=s3cr3t-query", BODY)
    assert got.headers["User-Agent"] == "customer-lifecycle/1.2.3"
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["webhook-id"] == EVENT
    assert before // 1_000 <= int(got.headers["webhook-timestamp"]) <= after // 1_000
    assert Webhook(SECRET).verify(got.body, got.headers)["data"]["to"] == "lead"
    assert result.outcome == Outcome(Verdict.DELIVERED, "200 ok")
    assert (result.status, result.excerpt) == (200, "ok")
    assert before <= result.at <= after
    assert 0 < result.seconds < (after - before + 1_000) / 1_000


async def test_a_repetition_has_the_same_id_and_the_time_at_which_it_is_sent():
    times = [1_764_000_000_999, 1_764_000_000_999, 1_764_000_300_000, 1_764_000_300_000]
    async with receiver() as server, sender() as made:
        for _ in range(2):
            await made.attempt(endpoint(), [post(server.url)], EVENT, lambda: times.pop(0))
    assert [got.headers["webhook-id"] for got in server.requests] == [EVENT, EVENT]
    assert [got.headers["webhook-timestamp"] for got in server.requests] == ["1764000000", "1764000300"]
    assert len({got.headers["webhook-signature"] for got in server.requests}) == 2


async def test_requests_that_belong_together_are_sent_one_after_the_other_and_each_is_signed():
    async with receiver() as server, sender() as made:
        bodies = [b'{"clear":true}', b'{"set":"lead"}']
        result = await made.attempt(endpoint(), [post(server.url, body) for body in bodies], EVENT, now)
    assert [got.body for got in server.requests] == bodies
    assert [Webhook(SECRET).verify(got.body, got.headers) for got in server.requests]
    assert result.outcome.verdict is Verdict.DELIVERED


async def test_the_first_request_that_is_not_delivered_ends_an_attempt():
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=410 if len(server.requests) == 2 else 200)

    async with receiver(handle) as server, sender() as made:
        result = await made.attempt(endpoint(), [post(server.url)] * 3, EVENT, now)
    assert len(server.requests) == 2
    assert (result.outcome.verdict, result.status) == (Verdict.GONE, 410)


async def test_an_attempt_without_requests_is_delivered():
    async with sender() as made:
        result = await made.attempt(endpoint(), [], EVENT, now)
    assert (result.outcome.verdict, result.status) == (Verdict.DELIVERED, None)


async def test_two_secrets_give_two_signatures_and_whoever_has_either_verifies():
    async with receiver() as server:
        await attempt(server.url, secrets=(b"n" * 32, b"o" * 32))
    [got] = server.requests
    assert got.headers["webhook-signature"].count(" ") == 1
    for secret in (b"n" * 32, b"o" * 32):
        assert Webhook(secret).verify(got.body, got.headers)


async def test_without_a_secret_nothing_is_signed():
    async with receiver() as server:
        await attempt(server.url, secrets=())
    assert not [name for name in server.requests[0].headers if name.lower().startswith("webhook-")]


async def test_headers_of_the_endpoint_are_sent_and_replace_those_of_the_template_but_never_the_signature():
    headers = (("X-Team", "growth"), ("content-type", "application/cloudevents+json"), ("webhook-id", "mine"))
    async with receiver() as server:
        await attempt(server.url, headers=headers)
    [got] = server.requests
    assert (got.headers["X-Team"], got.headers["webhook-id"]) == ("growth", EVENT)
    assert [value for name, value in got.headers.items() if name.lower() == "content-type"] == [
        "application/cloudevents+json"
    ]


async def test_a_url_is_sent_byte_for_byte_as_the_template_encoded_it():
    async with receiver() as server, sender() as made:
        url = f"http://{HOST}:{server.port}/contacts/ada%40example.com%2F%2e%2B?q=a%20b%26"
        await made.attempt(endpoint(), [HttpRequest("PUT", url, (), b"{}")], EVENT, now)
    assert (server.requests[0].method, server.requests[0].target) == ("PUT", url.partition(str(server.port))[2])


async def test_a_connection_is_used_again_and_no_cookie_comes_back():
    async def handle(request: web.Request) -> web.Response:
        response = web.Response(status=204)
        response.set_cookie("session", "1")
        return response

    async with receiver(handle) as server, sender() as made:
        results = [await made.attempt(endpoint(), [post(server.url)], EVENT, now) for _ in range(3)]
    assert [result.status for result in results] == [204, 204, 204]
    assert len(server.peers) == 1
    assert not any("Cookie" in got.headers for got in server.requests)


async def test_a_redirect_is_a_failure_that_says_so_and_is_not_followed():
    async def handle(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with receiver(handle) as server:
        result = await attempt(server.url)
    assert len(server.requests) == 1
    assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, 307)
    assert result.outcome.reason == "307: redirects are not followed; give the final URL"


async def test_a_receiver_that_hangs_ends_with_the_timeout_and_an_unknown_outcome():
    async def handle(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with receiver(handle) as server:
        result = await attempt(server.url, timeout=0.2)
    assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, None)
    assert result.outcome.reason == (
        f"no whole answer from {HOST}:{server.port} within 0.2 s: whether it was taken is unknown"
    )
    is_plain(result)


async def test_an_answer_that_drips_is_bounded_by_the_timeout_too():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with raw_receiver(head, *[b"x"] * 1_000, pause=0.05) as server:
        result = await attempt(server.url, timeout=0.3)
    assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, 200)
    assert "within 0.3 s" in result.outcome.reason


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
    ids=["before it", "in its first line", "in its body", "in its chunks"],
)
async def test_a_connection_that_is_cut_in_an_answer_is_an_unknown_outcome(answer):
    async with raw_receiver(answer) as server:
        result = await attempt(server.url)
    assert len(server.requests) == 1
    assert result.outcome.verdict is Verdict.AGAIN
    assert result.outcome.reason.endswith(
        "cut the connection before its answer was whole: whether it was taken is unknown"
    )
    is_plain(result)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
async def test_one_attempt_is_one_request_whatever_its_method(method):
    """By itself aiohttp repeats some methods where a connection was cut."""
    async with raw_receiver(b"") as server, sender() as made:
        result = await made.attempt(endpoint(), [HttpRequest(method, server.url, (), b"{}")], EVENT, now)
    assert [got.method for got in server.requests] == [method]
    assert "cut the connection" in result.outcome.reason


async def test_an_answer_with_long_headers_is_understood():
    async with raw_receiver(
        b"HTTP/1.1 200 OK\r\nPolicy: " + b"a" * 30_000 + b"\r\nContent-Length: 0\r\n\r\n"
    ) as server:
        assert (await attempt(server.url)).outcome.verdict is Verdict.DELIVERED


async def test_host_names_whose_lookup_hangs_hold_up_no_others(monkeypatch):
    """More of them than threads that the process shares; their attempts end by their timeout."""
    release, look_up = threading.Event(), socket.getaddrinfo

    def slow(host: str, *rest: Any) -> Any:
        if host.startswith("slow"):
            release.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return look_up(HOST if host == "quick.test" else host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        async with receiver() as server, sender() as made, asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(
                    made.attempt(
                        endpoint(f"slow-{number}", timeout=1.0),
                        [post(server.named(f"slow{number}.test"))],
                        EVENT,
                        now,
                    )
                )
                for number in range(40)
            ]
            await asyncio.sleep(0)
            quick = await made.attempt(endpoint("quick"), [post(server.named("quick.test"))], EVENT, now)
            await asyncio.to_thread(time.time)
            assert quick.outcome.verdict is Verdict.DELIVERED
            assert not any(task.done() for task in waiting)
    finally:
        release.set()
    assert {task.result().outcome.verdict for task in waiting} == {Verdict.AGAIN}
    # Whether the connection or all of it took too long, on a machine that stands still for a moment.
    assert f"slow0.test:{server.port} within 1 s" in waiting[0].result().outcome.reason


async def test_an_http_1_0_server_is_understood_where_the_end_of_the_connection_ends_the_body():
    async with raw_receiver(b"HTTP/1.0 200 OK\r\n\r\n", b"taken") as server:
        result = await attempt(server.url)
    assert (result.outcome.verdict, result.excerpt) == (Verdict.DELIVERED, "taken")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 OK\r\n\r\n", b"\x15\x03\x01\x00\x02\x02"])
async def test_what_is_no_http_is_said_to_be_none(answer):
    async with raw_receiver(answer) as server:
        result = await attempt(server.url)
    assert result.outcome.verdict is Verdict.AGAIN
    assert result.outcome.reason == f"what {HOST}:{server.port} answered is no HTTP: whether it was taken is unknown"


async def test_of_a_huge_body_64_kib_are_read_and_the_connection_is_closed():
    written = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"x" * 65_536)
            written += 65_536
        return response

    template = PlainTemplate()
    async with receiver(handle) as server:
        result = await attempt(server.url, template=template)
    assert (result.outcome.verdict, result.status) == (Verdict.DELIVERED, 200)
    assert len(template.answers[0].body) == 64 * 1_024
    assert result.excerpt == "x" * 200
    assert written < 20_000_000


async def test_the_bound_of_a_body_counts_after_unpacking():
    packed = gzip.compress(b"0" * 8_000_000)

    async def handle(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    template = PlainTemplate()
    async with receiver(handle) as server:
        await attempt(server.url, template=template)
    assert template.answers[0].body == b"0" * 64 * 1_024


async def test_a_short_answer_that_is_compressed_is_unpacked():
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b'{"status":"ok"}'), headers={"Content-Encoding": "gzip"})

    async with receiver(handle) as server:
        assert (await attempt(server.url)).excerpt == '{"status":"ok"}'


async def test_an_answer_that_is_not_compressed_as_it_says_is_told():
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=b"plain text", headers={"Content-Encoding": "gzip"})

    async with receiver(handle) as server:
        result = await attempt(server.url)
    assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, 200)
    assert "is not compressed as it says" in result.outcome.reason


async def test_nobody_listening_is_told_with_host_and_port_alone():
    port = free_port()
    result = await attempt(Receiver(port=port).url)
    assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, None)
    assert result.outcome.reason == f"no connection to {HOST}:{port}: connection refused"


async def test_a_name_that_does_not_exist_is_told():
    async with sender(resolver=Names()) as made:
        result = await made.attempt(endpoint(), [post("http://crm.example/hook/s3cr3t")], EVENT, now)
    assert result.outcome == Outcome(Verdict.AGAIN, "crm.example cannot be looked up: no such host")


async def test_the_systems_resolver_says_so_too():
    async with sender() as made:
        result = await made.attempt(endpoint(), [post("http://does-not-exist.invalid/hook/s3cr3t")], EVENT, now)
    assert result.outcome.reason.startswith("does-not-exist.invalid cannot be looked up: ")
    is_plain(result)


async def test_a_certificate_of_an_authority_that_nobody_knows_is_not_trusted(tmp_path):
    authority = Authority("Unknown authority", tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority.issue("receiver", tmp_path / "receiver.pem", ("crm.test",)))
    names = Names(crm_test=[[HOST]], other_test=[[HOST]])
    trusting = ssl.create_default_context(cafile=str(authority.file))
    async with receiver(tls=tls) as server:
        url = server.named("crm.test")
        async with sender(resolver=names) as made:
            unknown = await made.attempt(endpoint(), [post(url)], EVENT, now)
        async with sender(resolver=names, tls=trusting) as made:
            known = await made.attempt(endpoint(), [post(url)], EVENT, now)
            another = await made.attempt(endpoint(), [post(server.named("other.test"))], EVENT, now)
    place = f"crm.test:{server.port}"
    assert unknown.outcome.verdict is Verdict.AGAIN
    assert unknown.outcome.reason.startswith(f"the certificate of {place} is not trusted: unable to get local issuer")
    assert known.outcome.verdict is Verdict.DELIVERED
    assert "Hostname mismatch" in another.outcome.reason
    assert len(server.requests) == 1
    is_plain(another)


async def test_tls_to_a_server_that_has_none_is_told():
    async with raw_receiver(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        result = await attempt(server.url.replace("http:", "https:"))
    assert result.outcome.verdict is Verdict.AGAIN
    is_plain(result)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/x", "http://", "http:///x", "no url", "http://[::1", "http://127.0.0.1:99999/"]
)
async def test_a_url_that_is_none_is_told_and_ends_nothing(url):
    result = await attempt(url)
    assert result.outcome == Outcome(Verdict.AGAIN, "the endpoint's URL is none that can be sent to")


async def test_a_body_that_cannot_be_signed_is_told():
    async with sender() as made:
        result = await made.attempt(endpoint(), [post("http://127.0.0.1:1/", b"\xff")], EVENT, now)
    assert result.outcome == Outcome(Verdict.AGAIN, "the body is not UTF-8, and cannot be signed")


async def test_a_header_that_would_add_another_is_not_sent():
    async with receiver() as server:
        result = await attempt(server.url, headers=(("X-Team", "growth\r\nX-Admin: yes"),))
    assert server.requests == []
    assert result.outcome == Outcome(Verdict.AGAIN, "the request could not be sent: ValueError")


async def test_a_template_that_fails_on_an_answer_ends_nothing():
    class Failing(PlainTemplate):
        def outcome(self, answer: Answer) -> Outcome:
            raise KeyError("status")

    async with receiver() as server:
        result = await attempt(server.url, template=Failing())
    assert (result.outcome.verdict, result.status, result.excerpt) == (Verdict.AGAIN, 200, "ok")
    assert "KeyError" in result.outcome.reason


async def test_what_a_receiver_quotes_of_credentials_is_not_shown():
    async def handle(request: web.Request) -> web.Response:
        said = [request.path_qs, request.headers["Authorization"], request.headers["X-Key"], "application/json"]
        return web.Response(status=400, text="Cannot POST\n" + "\t".join(said) + "\x1b[31m")

    async with receiver(handle) as server, sender() as made:
        hidden = frozenset({server.url, "s3cr3t-key-of-a-team"})
        crm = endpoint(headers=(("X-Key", "s3cr3t-key-of-a-team"),), hidden=hidden)
        request = post(server.url, BODY, ("Authorization", "Basic czNjcjN0LWI2NA=="))
        result = await made.attempt(crm, [request], EVENT, now)
    assert result.excerpt == "Cannot POST *** Basic *** *** application/json [31m"
    assert result.outcome.reason.count("***") == 3
    assert "czNjcjN0" not in result.outcome.reason
    assert "s3cr3t" not in result.outcome.reason


async def test_headers_of_an_answer_are_found_by_their_names_in_lower_case():
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "7"})

    template = PlainTemplate()
    async with receiver(handle) as server:
        await attempt(server.url, template=template)
    assert template.answers[0].headers["retry-after"] == "7"


async def test_an_endpoint_that_hangs_holds_its_own_requests_back_and_nobody_elses():
    arrived, most = 0, 0
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        nonlocal arrived, most
        arrived += 1
        most = max(most, arrived)
        await release.wait()
        arrived -= 1
        return web.Response()

    async with receiver(hang) as slow, receiver() as quick, sender() as made, asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(made.attempt(endpoint("slow", concurrency=2), [post(slow.url)], EVENT, now))
            for _ in range(200)
        ]
        for _ in range(100):
            result = await made.attempt(endpoint("quick"), [post(quick.url)], EVENT, now)
            assert result.outcome.verdict is Verdict.DELIVERED
        assert not any(task.done() for task in waiting)
        release.set()
    assert most == 2
    assert all(task.result().outcome.verdict is Verdict.DELIVERED for task in waiting)


async def test_being_cancelled_is_the_one_thing_that_leaves_an_attempt():
    begun = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(60)
        return web.Response()

    async with receiver(hang) as server, sender() as made:
        task = asyncio.create_task(made.attempt(endpoint(concurrency=1), [post(server.url)], EVENT, now))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        begun.clear()
        again = asyncio.create_task(made.attempt(endpoint(concurrency=1), [post(server.url)], EVENT, now))
        await begun.wait()
        again.cancel()
