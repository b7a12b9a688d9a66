"""What is kept of deliveries in Kafka: bytes that this version and each later one reads."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.codec import deliveries as records_of
from stream.codec.deliveries import DeliveryCommand, EndpointState, GivenUpDelivery, WaitingDelivery
from stream.errors import StateError
from tests.webhooks.machines import NOW, commanded, ended, endpoint, id_of, ids, machine, named, run, value

WAITING = bytes.fromhex("960107cf0000019b78fff90002cf0000019b79000c88c4147b22637573746f6d65725f6964223a223432227d")
ENDPOINT = bytes.fromhex(
    "9601cf0000019b78fff900cf0000019b78fffce8a834313020476f6e65cf0000019b790000d0cf0000019b790004b8"
)
ENDPOINT_OF_THE_FIRST_VERSION = bytes.fromhex("9501cf0000019b78fff900cf0000019b78fffce8a834313020476f6e65c0")
NEW_ENDPOINT = bytes.fromhex("9601c0c0a0c000")
KEY = b"dcrm\x00shop:customer:42:0-39:2"


def test_a_delivery_is_written_as_ever():
    delivery = WaitingDelivery(1, 7, NOW, 2, NOW + 5_000, b'{"customer_id":"42"}')
    assert records_of.encode(delivery) == WAITING
    assert records_of.decode_waiting(WAITING) == delivery
    assert records_of.delivery_key("crm", id_of("42", 2)) == KEY
    assert records_of.split_delivery_key(KEY) == ("crm", id_of("42", 2))


def test_what_is_known_of_an_endpoint_is_written_as_ever():
    state = EndpointState(1, NOW, NOW + 1_000, "410 Gone", NOW + 2_000, NOW + 3_000)
    assert records_of.encode(state) == ENDPOINT
    assert records_of.decode_endpoint(ENDPOINT) == state
    assert records_of.encode(EndpointState()) == NEW_ENDPOINT
    assert records_of.endpoint_key("crm") == b"ecrm"


def test_a_record_without_the_fields_that_came_later_is_read():
    state = records_of.decode_endpoint(ENDPOINT_OF_THE_FIRST_VERSION)
    assert state == EndpointState(1, NOW, NOW + 1_000, "410 Gone", None, 0)


def test_a_state_of_these_bytes_is_restored():
    position = (
        b'{"format":1,"offsets":{"stage-changes":12,"commands":3},"clock":null,"partitions":1,"live_from":null,'
        b'"topic_ids":{"stage-changes":"topic-id"},"lifecycles":{},"settings":{},"generation":1,"begun":null,'
        b'"since":null,"gathered":{},"changes_from":{}}'
    )
    made = machine(changelog={KEY: WAITING, b"ecrm": NEW_ENDPOINT, b"email": ENDPOINT, b"p": position})
    assert (made.next_offset, made.next_command) == (12, 3)
    assert made.take("crm", 9, NOW) == []
    [delivery] = made.take("crm", 9, NOW + 5_000)
    assert (delivery.event_id, delivery.attempts, delivery.came) == (id_of("42", 2), 2, NOW)
    assert delivery.value == b'{"customer_id":"42"}'
    assert made.waiting["mail"].state.disabled_reason == "410 Gone"


def test_the_machine_writes_these_records():
    made = machine(named(endpoint(), endpoint("mail")))
    batch = run(made, [value("42", 2)])
    assert [each.key for each in batch.state] == [KEY, b"dmail\x00shop:customer:42:0-39:2", b"p"]
    assert records_of.decode_waiting(batch.state[0].value) == WaitingDelivery(1, 0, NOW, 0, 0, value("42", 2))
    done = run(made, (), ended(made.take("crm", 1, NOW)[0]))
    assert [(each.key, each.value) for each in done.state][:-1] == [(KEY, None)]


@pytest.mark.parametrize(
    ("key", "written", "says"),
    [
        (KEY, b"\x96\x02" + WAITING[2:], "has format 2, this version reads 1: it was written by a newer version"),
        (KEY, WAITING[:-3], "cannot be read"),
        (KEY, b"", "cannot be read"),
        (b"ecrm", b"\x96\x02" + ENDPOINT[2:], "has format 2"),
        (b"ecrm", b"\xc1", "cannot be read"),
    ],
)
def test_a_record_of_a_newer_version_or_a_damaged_one_is_not_taken_for_a_state(key, written, says):
    with pytest.raises(StateError, match=says):
        machine(changelog={key: written})


@given(
    st.builds(
        WaitingDelivery,
        st.just(1),
        st.integers(0, 1 << 62),
        st.integers(0, 1 << 62),
        st.integers(0, 20),
        st.integers(0, 1 << 62),
        st.binary(max_size=200),
    )
)
def test_what_is_written_is_read(delivery):
    assert records_of.decode_waiting(records_of.encode(delivery)) == delivery


@given(
    st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 9), st.integers(0, 1 << 62), st.integers(1, 99)
)
def test_an_id_says_whose_it_is_and_where_it_stands(subject, generation, offset, sequence):
    born = f"0-{offset}" if generation == 1 else f"{generation}.0-{offset}"
    event_id = f"shop:customer:{subject}:{born}:{sequence}"
    assert records_of.split_delivery_key(records_of.delivery_key("crm", event_id)) == ("crm", event_id)
    assert records_of.lifecycle_of(event_id) == "shop"
    assert records_of.subject_of(event_id) == f"customer:{subject}"
    assert records_of.place_of(event_id) == (generation, offset, sequence)


COMMANDS = {
    b'{"command":"pause","endpoint":"crm","at":5}': DeliveryCommand("pause", "crm", 5),
    b'{"command":"resume","endpoint":"crm","at":5}': DeliveryCommand("resume", "crm", 5),
    b'{"command":"disable","endpoint":"crm","at":5,"reason":"410 Gone"}': DeliveryCommand(
        "disable", "crm", 5, "410 Gone"
    ),
    b'{"command":"redeliver","endpoint":"crm","at":5,"id":"shop:customer:42:0-39:2","change":{"a": 1}}': (
        DeliveryCommand("redeliver", "crm", 5, id="shop:customer:42:0-39:2", change=msgspec.Raw(b'{"a": 1}'))
    ),
}


@pytest.mark.parametrize(("written", "command"), COMMANDS.items())
def test_a_command_is_written_as_ever(written, command):
    assert records_of.encode_command(command) == written
    read = records_of.decode_command(written)
    assert records_of.encode_command(read) == written
    assert bytes(read.change) == bytes(command.change)


def test_a_command_with_fields_of_a_later_version_is_obeyed():
    made = machine()
    assert records_of.decode_command(b'{"command":"pause","endpoint":"crm","at":5,"why":"holidays"}') is not None
    run(made, [value("1")], commanded(DeliveryCommand("pause", "crm", NOW)))
    assert ids(made.take("crm", 9, NOW)) == []


def test_a_dead_letter_says_what_was_given_up_and_why():
    written = records_of.given_up("crm", "shop:customer:a\nb:0-39:2", b"{}", "refused", "no\temail", 3, NOW)
    assert written.key == b"a\nb"
    assert list(written.headers) == [
        ("webhook_endpoint", b"crm"),
        ("webhook_id", b"shop:customer:a%0Ab:0-39:2"),
        ("webhook_reason", b"refused"),
        ("webhook_detail", b"no%09email"),
        ("webhook_attempts", b"3"),
        ("webhook_at", b"%d" % NOW),
    ]
    read = records_of.read_given_up(written.value, written.headers)
    assert read == GivenUpDelivery("crm", "shop:customer:a%0Ab:0-39:2", "refused", "no%09email", 3, NOW, b"{}")


@pytest.mark.parametrize("headers", [[], [("webhook_endpoint", b"crm")], [("webhook_at", b"soon")]])
def test_a_record_that_is_no_dead_letter_is_none(headers):
    assert records_of.read_given_up(b"{}", headers) is None
