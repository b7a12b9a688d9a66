"""Which addresses webhooks may be sent to: judged by what they are, and when they are dialled."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import SettingsError
from stream.kafka.embedded.process import HOST, free_port
from stream.webhooks.exchange import Verdict
from stream.webhooks.sending.addresses import plain, special
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.sender import AttemptResult, Sender
from tests.webhooks.receiving import EVENT, Names, endpoint, now, post, receiver

SPECIAL4 = {
    "an address of this host": "0.0.0.0 0.1.2.3",
    "a private address": "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1",
    "an address of a provider's own network": "100.64.0.1 100.100.100.200 100.127.255.255",
    "a loopback address": "127.0.0.1 127.255.255.254",
    "a cloud platform's own address": "168.63.129.16",
    "a link-local address": "169.254.169.254 169.254.170.2",
    "an address reserved for protocols": "192.0.0.1 192.0.0.192",
    "an address for documentation": "192.0.2.1 198.51.100.1 203.0.113.1",
    "an address of a relay to IPv6": "192.88.99.1",
    "an address for measurements": "198.18.0.1 198.19.255.255",
    "a multicast address": "224.0.0.1 239.255.255.255",
    "a reserved address": "240.0.0.1 255.255.255.254",
    "a broadcast address": "255.255.255.255",
}
SPECIAL6 = {
    "an address of this host": "::",
    "a loopback address": "::1",
    "an IPv6 address that embeds one of IPv4": "::127.0.0.1 ::8.8.8.8 ::7f00:1",
    "an address of a network's own translation to IPv4": "64:ff9b:1::7f00:1 64:ff9b:1:ffff::808:808",
    "an address that discards": "100::1",
    "a Teredo address, which embeds one of IPv4": "2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "an address reserved for protocols": "2001:2::1 2001:10::1 2001:20::1 2001:1ff::1",
    "an address for documentation": "2001:db8::1 3fff::1",
    "a 6to4 address, which embeds one of IPv4": "2002:7f00:1:: 2002:808:808::1",
    "a private address": "fc00::1 fd00:ec2::254",
    "a link-local address": "fe80::1 febf::1",
    "a site-local address": "fec0::1 feff::1",
    "a multicast address": "ff02::1 ff0e::1",
    "a special address": "100:0:0:1::1 200::1 1000::1 4000::1 5f00::1 64:ff9b:2::1 8000::1 e000::1",
    "an address of one network link": "fe80::1%eth0 2606:4700::1%1",
    "an address that embeds 127.0.0.1, a loopback address": (
        "64:ff9b::7f00:1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:7f00:1"
    ),
    "an address that embeds 10.0.0.1, a private address": "64:ff9b::a00:1 2606:4700:1:2:0:5efe:a00:1",
}
PUBLIC = """1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15
    168.63.129.17 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
    2000::1 2606:4700:4700::1111 2a00:1450:4001::200e 2620:fe::fe 2001:200::1 3ffe::1
    64:ff9b::808:808 2606:4700::5efe:808:808 2606:4700::1:5efe:7f00:1"""


def pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(address, kind) for kind, addresses in table.items() for address in addresses.split()]


@pytest.mark.parametrize(("text", "kind"), pairs(SPECIAL4) + pairs(SPECIAL6))
def test_a_special_address_is_known_for_what_it_is(text, kind):
    assert special(plain(text)) == kind


@pytest.mark.parametrize(("text", "kind"), pairs(SPECIAL4))
def test_an_address_of_ipv4_is_the_same_where_ipv6_maps_it(text, kind):
    assert special(plain(f"::ffff:{text}")) == kind
    assert special(ip_address(f"::ffff:{text}")) == f"an address that embeds {text}, {kind}"


@pytest.mark.parametrize("text", PUBLIC.split())
def test_hosts_of_the_public_internet_are_not_special(text):
    assert special(plain(text)) is None
    assert special(plain(f"::ffff:{text}" if ":" not in text else text)) is None


@given(st.ip_addresses())
def test_whatever_python_takes_for_special_is_special(address):
    flags = ("is_loopback", "is_link_local", "is_multicast", "is_reserved", "is_unspecified", "is_private")
    embeds = address.version == 6 and (address in ip_network("64:ff9b::/96") or address.ipv4_mapped)
    if not embeds and (any(getattr(address, flag) for flag in flags) or not address.is_global):
        assert special(address) is not None


@given(st.ip_addresses(v=4))
def test_what_embeds_an_address_of_ipv4_is_never_more_public_than_that(inner):
    number = int(inner)
    for prefix in ("::ffff:0:0", "64:ff9b::", "::", "2606:4700::5efe:0:0", "2606:4700::200:5efe:0:0"):
        if special(inner):
            assert special(ip_address(int(ip_address(prefix)) + number))
    assert special(ip_address((0x2002 << 112) + (number << 80)))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("crm.internal", "crm.internal", 443, "10.0.0.7"),
        ("CRM.internal.", "crm.INTERNAL", 443, "10.0.0.7"),
        ("crm.internal:8080", "crm.internal.", 8080, "10.0.0.7"),
        ("bücher.internal", "xn--bcher-kva.internal", 80, "fd00::7"),
        ("10.0.0.7", "crm.internal", 443, "10.0.0.7"),
        ("10.0.0.7:8080", "10.0.0.7", 8080, "10.0.0.7"),
        ("10.0.0.0/8", "10.1.2.3", 1, "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", 1, "::ffff:10.1.2.3"),
        ("::1", "::1", 80, "::1"),
        ("[::1]:8080", "::1", 8080, "::1"),
        ("[fd00::7]", "crm.internal", 80, "fd00::7"),
        ("fd00::/8", "crm.internal", 80, "fd00::7"),
    ],
)
def test_an_entry_allows_what_it_names(entry, host, port, address):
    assert AllowedHosts([entry]).allow(host, port, plain(address))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("crm.internal", "other.internal", 443, "10.0.0.7"),
        ("crm.internal", "sub.crm.internal", 443, "10.0.0.7"),
        ("crm.internal", "10.0.0.7", 443, "10.0.0.7"),
        ("crm.internal:8080", "crm.internal", 443, "10.0.0.7"),
        ("10.0.0.7", "crm.internal", 443, "10.0.0.8"),
        ("10.0.0.7:8080", "10.0.0.7", 443, "10.0.0.7"),
        ("10.0.0.0/8", "10.0.0.7", 443, "127.0.0.1"),
        ("10.0.0.0/8", "x", 443, "64:ff9b::a00:1"),
        ("::1", "127.0.0.1", 80, "127.0.0.1"),
    ],
)
def test_an_entry_allows_nothing_else(entry, host, port, address):
    assert not AllowedHosts([entry]).allow(host, port, plain(address))


@pytest.mark.parametrize(
    "entry",
    [
        "http://crm.internal",
        "crm.internal/hook",
        "*.internal",
        "*",
        "a b",
        "",
        "ada@crm.internal",
        "crm:http",
        "crm:99999",
        "10.0.0.1/8",
        "10.0.0.0/8:80",
        "crm?x",
        "crm#x",
        "[::1",
        "crm\n",
    ],
)
def test_an_entry_that_is_none_is_refused_with_what_would_be_right(entry):
    with pytest.raises(SettingsError, match=r"webhook_allowed_hosts: .+ is none; it is a list of host names"):
        AllowedHosts([entry])


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[list[object]]:
    """Connections to that port of this machine's usual address; where it is taken, a test could not fail."""
    reached: list[object] = []

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(writer.get_extra_info("peername"))
        writer.close()

    async with await asyncio.start_server(note, HOST, port, family=socket.AF_INET):
        yield reached


async def sent(names: Names | None, url: str, *allowed: str) -> AttemptResult:
    async with Sender(AllowedHosts(allowed), version="1", resolver=names) as sender:
        return await sender.attempt(endpoint(), [post(url)], EVENT, now)


async def test_a_literal_address_in_a_url_is_judged():
    async with receiver() as server:
        result = await sent(None, server.url)
        assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, None)
        assert result.outcome.reason == (
            f"{HOST}, a loopback address; if that is meant, add {HOST} to the setting webhook_allowed_hosts"
        )
        assert server.peers == set()
        assert (await sent(None, server.url, f"{HOST}:{server.port}")).outcome.verdict is Verdict.DELIVERED


@pytest.mark.parametrize(
    "host",
    ["[::ffff:127.0.0.1]", "[::1]", "[::]", "0.0.0.0", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1%251]"],  # noqa: S104
)
async def test_a_literal_address_that_leads_here_by_another_way_is_judged(host):
    async with receiver() as server:
        result = await sent(None, server.named(host))
        assert result.outcome.verdict is Verdict.AGAIN
        assert "webhook_allowed_hosts" in result.outcome.reason
        assert server.peers == set()


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "localhost"])
async def test_another_spelling_of_an_address_of_this_machine_does_not_reach_it(host):
    async with receiver() as server:
        result = await sent(None, server.named(host))
        assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, None)
        assert server.peers == set()


async def test_a_name_that_leads_to_a_special_address_is_refused_with_the_name_and_the_address():
    async with receiver() as server:
        result = await sent(Names(crm_test=[[HOST]]), server.named("crm.test"))
        assert result.outcome.reason == (
            f"crm.test leads to {HOST}, a loopback address; if that is meant, add crm.test or {HOST} "
            "to the setting webhook_allowed_hosts"
        )
        assert server.peers == set()
        for allowed in ("crm.test", f"crm.test:{server.port}", HOST, "127.0.0.0/8"):
            assert (await sent(Names(crm_test=[[HOST]]), server.named("crm.test"), allowed)).status == 200


async def test_a_name_that_resolves_anew_is_judged_by_the_address_that_is_dialled():
    """First it leads to 127.0.0.3, which is allowed, and later to this machine's usual address."""

    async def close(request: web.Request) -> web.Response:
        response = web.Response()
        response.force_close()
        return response

    names = Names(crm_test=[["127.0.0.3"], [HOST]])
    async with receiver(close, host="127.0.0.3") as first, listening(first.port) as reached:
        url = first.named("crm.test")
        async with Sender(AllowedHosts(["127.0.0.3"]), version="1", resolver=names) as sender:
            assert (await sender.attempt(endpoint(), [post(url)], EVENT, now)).status == 200
            sender._session.connector.clear_dns_cache()  # as time does
            result = await sender.attempt(endpoint(), [post(url)], EVENT, now)
    assert "crm.test leads to 127.0.0.1" in result.outcome.reason
    assert reached == []
    assert names.lookups == ["crm.test", "crm.test"]


async def test_of_several_addresses_only_those_that_are_allowed_are_dialled():
    async with receiver(host="127.0.0.3") as server, listening(server.port) as reached:
        names = Names(crm_test=[[HOST, "127.0.0.3", "::1"]])
        result = await sent(names, server.named("crm.test"), "127.0.0.3")
        assert result.outcome.verdict is Verdict.DELIVERED
        assert reached == []


async def test_several_addresses_of_which_none_may_be_dialled_are_told_plainly():
    names = Names(crm_test=[[HOST, "::1", "10.0.0.1"]])
    result = await sent(names, f"http://crm.test:{free_port()}/hook")
    assert "crm.test leads to " in result.outcome.reason
    assert "webhook_allowed_hosts" in result.outcome.reason
    assert "Multiple" not in result.outcome.reason


async def test_a_resolver_that_gives_no_address_is_refused():
    result = await sent(Names(crm_test=[["localhost"]]), f"http://crm.test:{free_port()}/hook")
    assert (result.outcome.verdict, result.status) == (Verdict.AGAIN, None)


async def test_a_connection_made_for_an_allowed_name_serves_no_other_name():
    async with receiver() as server:
        names = Names(crm_test=[[HOST]], other_test=[[HOST]])
        async with Sender(AllowedHosts(["crm.test"]), version="1", resolver=names) as sender:
            for _ in range(2):
                good = await sender.attempt(endpoint(), [post(server.named("crm.test"))], EVENT, now)
                assert good.outcome.verdict is Verdict.DELIVERED
                bad = await sender.attempt(endpoint(), [post(server.named("other.test"))], EVENT, now)
                assert "other.test leads to" in bad.outcome.reason
    assert len(server.requests) == 2
    assert len(server.peers) == 1


async def test_attempts_at_once_are_judged_each_by_its_own_host():
    async with receiver() as server:
        names = Names(crm_test=[[HOST]], other_test=[[HOST]])
        async with Sender(AllowedHosts(["crm.test"]), version="1", resolver=names) as sender:
            hosts = ["crm.test", "other.test"] * 10
            results = await asyncio.gather(
                *(sender.attempt(endpoint(), [post(server.named(host))], EVENT, now) for host in hosts)
            )
    assert [result.outcome.verdict is Verdict.DELIVERED for result in results] == [True, False] * 10


async def test_a_redirect_to_a_special_address_is_not_followed():
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://127.0.0.1:{inner.port}/admin")

    async with receiver() as inner, receiver(away, host="127.0.0.3") as outer:
        result = await sent(None, outer.named("127.0.0.3"), "127.0.0.3")
        assert (result.status, inner.peers) == (302, set())


async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    async with receiver() as proxy, receiver() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{HOST}:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await sent(None, server.url, HOST)).status == 200
        assert (proxy.peers, len(server.requests)) == (set(), 1)
