"""The file of write keys: what is in it, what is said where it is wrong, and how many each source may send."""

import pytest

from stream.errors import SettingsError
from stream.web.collector.answers import Refused
from stream.web.collector.rates import Rates
from stream.web.collector.write_keys import Source, WriteKeys, parse_write_keys

KEY = "0123456789abcdef"
TOPICS = ("p-web", "p-crm")


def test_each_key_has_its_source_origins_rate_and_topic() -> None:
    table = parse_write_keys(
        f"""
        [[key]]
        key = "{KEY}"
        source = "shop"
        origins = ["https://Shop.example/", "null"]
        rate = 0.5
        topic = "crm"
        [[key]]
        key = "{KEY}2"
        source = "shop"
        """,
        "p-",
        TOPICS,
    )
    assert table.find(KEY) == Source("shop", frozenset({"https://shop.example", "null"}), 0.5, "p-crm")
    assert table.find(KEY + "2") == Source("shop", frozenset(), None, "p-web")
    assert table.find("") is table.find(KEY + "3") is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('source = "a"', "key 1 (a): `key` is missing"),
        ('key = "short"\nsource = "a"', "key 1 (a): its key is not"),
        (f'key = "{KEY}"', "key 1: it needs a `source`"),
        (f'key = "{KEY}"\nsource = ""', "key 1: it needs a `source`"),
        (f'key = "{KEY}"\nsource = "a"\norigin = "*"', "unknown key 'origin'; known are key, origins, rate"),
        (f'key = "{KEY}"\nsource = "a"\norigins = "*"', "its `origins` are a list"),
        (f'key = "{KEY}"\nsource = "a"\norigins = ["shop.example"]', "'shop.example' is no origin"),
        (f'key = "{KEY}"\nsource = "a"\norigins = ["https://shop.example/path"]', "with no path"),
        (f'key = "{KEY}"\nsource = "a"\nrate = 0', "its `rate` is interactions a second"),
        (f'key = "{KEY}"\nsource = "a"\nrate = "fast"', "its `rate` is interactions a second"),
        (f'key = "{KEY}"\nsource = "a"\nrate = true', "its `rate` is interactions a second"),
        (f'key = "{KEY}"\nsource = "a"\ntopic = "other"', "its `topic` is one of the setting interactions: web, crm"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right_and_without_the_key(entry: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_write_keys(f"[[key]]\n{entry}\n", "p-", TOPICS)
    assert said in str(raised.value)
    assert KEY not in str(raised.value)
    assert "short" not in str(raised.value).replace("a token of at least", "")


def test_without_a_file_no_key_is_known() -> None:
    keys = WriteKeys("", "", ("interactions",))
    assert not keys.required
    assert keys.find("") is keys.find(KEY) is None
    assert not keys.allow("https://shop.example")


class Clock:
    """Seconds, as a test turns them on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def wait_of(rates: Rates, source: Source, count: int) -> int | None:
    try:
        rates.charge(source, count)
    except Refused as refused:
        return refused.retry_after
    return None


def test_a_source_may_send_what_its_rate_brings_in_five_seconds_at_once_and_waits_for_what_it_took_beyond() -> None:
    clock = Clock()
    rates, source = Rates(clock), Source("shop", rate=10.0)
    assert [wait_of(rates, source, 20) for _ in range(4)] == [None, None, None, 2]
    clock.now = 1.5
    assert wait_of(rates, source, 1) is None
    clock.now = 1_000.0
    assert [wait_of(rates, source, 50), wait_of(rates, source, 1)] == [None, 1]


def test_to_ask_whether_anything_is_left_takes_nothing() -> None:
    clock = Clock()
    rates, source = Rates(clock), Source("shop", rate=0.2)
    assert [wait_of(rates, source, 0) for _ in range(9)] == [None] * 9
    assert [wait_of(rates, source, 1), wait_of(rates, source, 0)] == [None, 5]


def test_each_source_has_a_rate_of_its_own_and_one_without_has_none() -> None:
    rates = Rates(Clock())
    assert wait_of(rates, Source("a", rate=1.0), 100) is None
    assert wait_of(rates, Source("a", rate=1.0), 1) == 96
    assert wait_of(rates, Source("b", rate=1.0), 1) is None
    assert [wait_of(rates, Source("c"), 1_000_000) for _ in range(3)] == [None] * 3
