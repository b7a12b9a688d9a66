"""Standard Webhooks 1.0: what is signed, and how it is told."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from stream.webhooks.sending.signature import signature_headers, webhook_id


def now() -> int:
    """Of this moment: the official library takes no signature that is older than five minutes."""
    return int(datetime.now(UTC).timestamp() * 1_000)


def test_the_fixed_vector_of_the_standard_comes_out():
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1_614_265_330_999)
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_the_zone_of_the_machine_does_not_matter(zone, monkeypatch):
    import time  # noqa: PLC0415 - what this test alone needs

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        found = signature_headers([b"k" * 24], "id", b"{}", now())
        assert Webhook(b"k" * 24).verify(b"{}", found) == {}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_each_secret_signs_with_one_space_between():
    at = now()
    found = signature_headers([b"new" * 8, b"old" * 8], "id", b"{}", at)["webhook-signature"]
    alone = [signature_headers([each * 8], "id", b"{}", at)["webhook-signature"] for each in (b"new", b"old")]
    assert found == " ".join(alone)


@given(st.text(min_size=1), st.text(), st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3))
def test_whatever_is_signed_the_official_library_verifies_and_no_header_needs_more_than_ascii(event_id, text, secrets):
    if any(0xD800 <= ord(sign) < 0xE000 for sign in event_id + text):
        return
    found = signature_headers(secrets, event_id, text.encode(), now())
    for secret in secrets:
        Webhook(secret).verify(text.encode(), found, json_parse=False)
    assert all(value.isascii() and value.isprintable() and value.strip() == value for value in found.values())
    assert "." not in found["webhook-id"]


@pytest.mark.parametrize(
    ("event_id", "sent"),
    [
        ("shop:customer:42:0-7:2", "shop:customer:42:0-7:2"),
        ("shop:anonymous:a/b?c=%20+d_~:2.0-7:1", "shop:anonymous:a/b?c=%20+d_~:2%2E0-7:1"),
        ("shop:customer:ada@example.com:0-7:2", "shop:customer:ada@example%2Ecom:0-7:2"),
        ("shop:customer:Zoë 🙂\n:0-7:2", "shop:customer:Zo%C3%AB%20%F0%9F%99%82%0A:0-7:2"),
    ],
)
def test_an_id_is_itself_but_for_what_no_header_carries_and_full_stops(event_id, sent):
    assert webhook_id(event_id) == sent


def test_a_body_that_is_no_text_is_not_signed():
    with pytest.raises(UnicodeDecodeError):
        signature_headers([b"k" * 24], "id", b"\xff", now())
