"""How often a wrong token may be sent, by address and time."""

from stream.web.console.tries import EVERY, TRIES, Tries


def exhausted(tries: Tries, address: str | None, now: float) -> int:
    """How many wrong tokens are heard."""
    heard = 0
    while tries.wait(address, now) <= 0:
        tries.failed(address, now)
        heard += 1
        assert heard <= TRIES
    return heard


def test_an_address_has_some_tries_and_then_one_every_while() -> None:
    tries = Tries()
    assert exhausted(tries, "192.0.2.1", 100.0) == TRIES
    assert tries.wait("192.0.2.1", 100.0) == EVERY
    assert exhausted(tries, "192.0.2.1", 100.0 + EVERY) == 1
    assert exhausted(tries, "192.0.2.1", 100.0 + EVERY * 3) == 2
    assert exhausted(tries, "192.0.2.1", 1_000_000.0) == TRIES


def test_others_are_not_held_up() -> None:
    tries = Tries()
    exhausted(tries, "192.0.2.1", 0.0)
    assert tries.wait("192.0.2.2", 0.0) == 0
    exhausted(tries, None, 0.0)
    assert tries.wait("2001:db8::1", 0.0) == 0


def test_a_network_of_ipv6_is_one_sender() -> None:
    """Whoever has one address of it has all."""
    tries = Tries()
    exhausted(tries, "2001:db8:0:1::1", 0.0)
    assert tries.wait("2001:db8:0:1:ffff::2", 0.0) > 0
    assert tries.wait("2001:db8:0:2::1", 0.0) == 0


def test_a_bounded_number_of_addresses_is_remembered() -> None:
    tries = Tries()
    for number in range(20_000):
        tries.failed(f"10.0.{number >> 8}.{number & 255}", 0.0)
    assert len(tries._left) == 10_000
