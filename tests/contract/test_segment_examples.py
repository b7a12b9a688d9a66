"""The examples of Segment's calls and e-commerce events are read as the spec means them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.interactions import DEFAULT_BLOCKED, encode_native
from stream.core.interaction import Interaction
from stream.core.times import parse_time
from tests.contract.segment_ecommerce import EVENTS, schema_of
from tests.kit.decoding import decode

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES = SCHEMAS / "examples"
NATIVE = Draft202012Validator(json.loads((SCHEMAS / "interaction.schema.json").read_text(encoding="utf-8")))

CALLS = sorted((EXAMPLES / "interaction-segment").glob("*.json"))
ECOMMERCE = sorted((EXAMPLES / "interaction-segment-ecommerce").glob("*.json"))
WEBHOOKS = sorted((EXAMPLES / "interaction-invalid").glob("*-webhook-*.json"))

VISITOR, PHONE, BUYER = "4d0c9c54-70b1-4e0e-9a3b-5ce1f8c2d7a6", "e91f3a07-2c6d-4f4b-8b55-0a7d94f3c1e2", "u-3001"
TEAPOTS = "9b1d2c30-5f6e-4f0a-8c7d-11aa22bb33cc"

CALLS_READ = {
    # file: (customer id, anonymous id, name, time, where its properties stand)
    "track": ("u-2002", TEAPOTS, "Order Completed", "2026-03-01T09:29:57.400Z", "properties"),
    "track-skewed-clock": (None, "phone-31", "Level Finished", "2026-03-01T09:28:30Z", "properties"),
    "track-without-type": ("u-2002", None, "Signed Up", "2026-03-01T09:30:00Z", "properties"),
    "track-unreadable-sent-at": ("u-2002", None, "Signed Up", "2026-03-01T09:30:00Z", None),
    "page": (None, TEAPOTS, "page", "2026-03-01T09:30:00Z", "properties"),
    "page-all-properties": (None, VISITOR, "page", "2026-05-04T18:03:00.400Z", "properties"),
    "screen": ("2002", None, "screen", "2026-03-01T09:30:00Z", "properties"),
    "screen-on-a-phone": (None, PHONE, "screen", "2026-05-05T03:58:02.250Z", "properties"),
    "identify": ("u-2002", TEAPOTS, "identify", "2026-03-01T09:30:00Z", "traits"),
    "identify-all-traits": (BUYER, VISITOR, "identify", "2026-05-04T18:07:56.100Z", "traits"),
    "identify-context-traits": ("u-2002", None, "identify", "2026-03-01T09:30:00Z", "context.traits"),
    "group": ("u-2002", None, "group", "2026-03-01T09:30:00Z", "traits"),
    "group-all-traits": (None, PHONE, "group", "2026-05-04T18:20:00Z", "traits"),
    "alias": ("u-2002", None, "alias", "2026-03-01T09:30:00Z", None),
    "alias-with-an-anonymous-id": (BUYER, VISITOR, "alias", "2026-05-04T18:08:00Z", None),
}

BESIDE = {
    # file: what stands beside the properties, and is one
    "page": {"name": "Pricing"},
    "page-all-properties": {"category": "Shop"},
    "screen": {"name": "Basket"},
    "screen-on-a-phone": {"category": "Account"},
    "group": {"groupId": "acct-9"},
    "group-all-traits": {"groupId": "acct-12"},
    "alias": {"previousId": TEAPOTS},
    "alias-with-an-anonymous-id": {"previousId": "mara@mail.example"},
}

ECOMMERCE_READ = {
    # file: (customer id, anonymous id, event, time)
    "products-searched": (None, VISITOR, "Products Searched", "2026-05-04T18:02:11.480Z"),
    "products-searched-by-fields": (None, PHONE, "Products Searched", "2026-05-04T18:02:40Z"),
    "product-list-viewed": (None, VISITOR, "Product List Viewed", "2026-05-04T18:03:05.120Z"),
    "product-list-filtered": (None, VISITOR, "Product List Filtered", "2026-05-04T18:03:31.900Z"),
    "promotion-viewed": (None, VISITOR, "Promotion Viewed", "2026-05-04T18:01:02Z"),
    "promotion-clicked": (None, VISITOR, "Promotion Clicked", "2026-05-04T18:01:06.250Z"),
    "product-clicked": (None, VISITOR, "Product Clicked", "2026-05-04T18:03:40.010Z"),
    "product-viewed": (None, VISITOR, "Product Viewed", "2026-05-04T18:03:41.330Z"),
    "product-added": (None, VISITOR, "Product Added", "2026-05-04T18:04:56.500Z"),
    "product-removed": (None, VISITOR, "Product Removed", "2026-05-04T18:06:17Z"),
    "cart-viewed": (None, VISITOR, "Cart Viewed", "2026-05-04T18:07:00.700Z"),
    "checkout-started": (BUYER, VISITOR, "Checkout Started", "2026-05-04T18:08:12Z"),
    "checkout-step-viewed": (BUYER, VISITOR, "Checkout Step Viewed", "2026-05-04T18:09:01Z"),
    "checkout-step-completed": (BUYER, VISITOR, "Checkout Step Completed", "2026-05-04T18:09:44Z"),
    "payment-info-entered": (BUYER, VISITOR, "Payment Info Entered", "2026-05-04T18:10:20Z"),
    "order-completed": (BUYER, VISITOR, "Order Completed", "2026-05-04T18:11:08.700Z"),
    "order-completed-by-a-server": ("3044", None, "Order Completed", "2026-05-06T07:30:00Z"),
    "order-updated": (BUYER, None, "Order Updated", "2026-05-04T19:00:00Z"),
    "order-refunded": (BUYER, None, "Order Refunded", "2026-05-19T09:15:30Z"),
    "order-refunded-in-part": (BUYER, None, "Order Refunded", "2026-05-12T14:45:00Z"),
    "order-cancelled": (BUYER, None, "Order Cancelled", "2026-05-05T06:00:00Z"),
    "coupon-entered": (BUYER, VISITOR, "Coupon Entered", "2026-05-04T18:08:30Z"),
    "coupon-applied": (BUYER, VISITOR, "Coupon Applied", "2026-05-04T18:08:30.600Z"),
    "coupon-denied": (BUYER, VISITOR, "Coupon Denied", "2026-05-04T18:08:24Z"),
    "coupon-removed": (BUYER, VISITOR, "Coupon Removed", "2026-05-04T18:08:51Z"),
    "product-added-to-wishlist": (None, VISITOR, "Product Added to Wishlist", "2026-05-02T21:40:00Z"),
    "product-removed-from-wishlist": (None, VISITOR, "Product Removed from Wishlist", "2026-05-02T21:44:00Z"),
    "wishlist-product-added-to-cart": (BUYER, VISITOR, "Wishlist Product Added to Cart", "2026-05-03T08:00:00Z"),
    "product-shared": (BUYER, VISITOR, "Product Shared", "2026-05-03T08:02:00Z"),
    "cart-shared": (BUYER, VISITOR, "Cart Shared", "2026-05-03T08:10:00Z"),
    "product-reviewed": (BUYER, None, "Product Reviewed", "2026-05-28T17:20:00Z"),
}


def names(path: Path) -> str:
    return path.stem


def record_of(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_bytes())
    return record


def read(record: object) -> Interaction | Rejected:
    return decode(json.dumps(record).encode(), None, DEFAULT_BLOCKED)


def at(record: dict[str, Any], where: str | None) -> dict[str, Any]:
    """The object at a path of keys in the record; nothing where there is no path."""
    if where is None:
        return {}
    for key in where.split("."):
        record = record[key]
    return record


def expected(
    record: dict[str, Any], customer: str | None, anonymous: str | None, name: str, time: str, where: str | None
) -> Interaction:
    milliseconds = parse_time(time)
    assert milliseconds is not None
    context = record.get("context", {})
    return Interaction(customer, anonymous, record.get("messageId"), name, milliseconds, at(record, where), context)


@pytest.mark.parametrize("path", CALLS, ids=names)
def test_a_call_is_read_as_the_spec_means_it(path):
    wanted = expected(record_of(path), *CALLS_READ[path.stem])
    wanted.properties = {**wanted.properties, **BESIDE.get(path.stem, {})}
    assert decode(path.read_bytes(), None, DEFAULT_BLOCKED) == wanted


@pytest.mark.parametrize("path", ECOMMERCE, ids=names)
def test_an_ecommerce_event_is_read_as_the_spec_means_it(path):
    record = record_of(path)
    found = decode(path.read_bytes(), None, DEFAULT_BLOCKED)
    assert found == expected(record, *ECOMMERCE_READ[path.stem], "properties")


def test_every_call_of_the_spec_has_an_example():
    calls = {record_of(path).get("type") for path in CALLS}
    assert calls == {None, "track", "page", "screen", "identify", "group", "alias"}
    assert {path.stem for path in CALLS} == set(CALLS_READ)


def test_every_ecommerce_event_of_the_spec_has_an_example():
    assert {record_of(path)["event"] for path in ECOMMERCE} == set(EVENTS)
    assert {path.stem for path in ECOMMERCE} == set(ECOMMERCE_READ)


@pytest.mark.parametrize("path", ECOMMERCE, ids=names)
def test_an_ecommerce_example_has_properties_that_the_spec_names_with_their_types(path):
    record = record_of(path)
    assert list(Draft202012Validator(schema_of(record["event"])).iter_errors(record["properties"])) == []


def test_every_property_that_the_spec_names_stands_in_an_example_of_its_event():
    shown = {event: set[str]() for event in EVENTS}
    for path in ECOMMERCE:
        record = record_of(path)
        shown[record["event"]] |= set(record["properties"])
    assert shown == {event: set(properties) for event, properties in EVENTS.items()}


@pytest.mark.parametrize("path", [*CALLS, *ECOMMERCE], ids=names)
def test_what_an_example_becomes_passes_the_published_schema_and_is_read_back_the_same(path):
    interaction = decode(path.read_bytes(), None, DEFAULT_BLOCKED)
    assert isinstance(interaction, Interaction)
    written = encode_native(interaction)
    assert list(NATIVE.iter_errors(json.loads(written))) == []
    assert decode(written, None, DEFAULT_BLOCKED) == interaction


def test_the_time_that_segment_corrected_is_the_one_that_we_work_out_without_it():
    parts = {"timestamp", "originalTimestamp", "sentAt", "receivedAt"}
    whole = [record for record in map(record_of, [*CALLS, *ECOMMERCE]) if parts <= set(record)]
    assert len(whole) == 3
    for record in whole:
        corrected = parse_time(record.pop("timestamp"))
        interaction = read(record)
        assert isinstance(interaction, Interaction)
        assert interaction.time == corrected != parse_time(record["originalTimestamp"])


def test_a_batch_as_an_sdk_sends_it_is_rejected_and_its_calls_are_read():
    batch = record_of(EXAMPLES / "interaction-invalid" / "bad_shape-segment-batch.json")
    rejected = read(batch)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.BAD_SHAPE
    assert "send each of its calls" in rejected.detail
    found = [read(call) for call in batch["batch"]]
    assert [each.name for each in found if isinstance(each, Interaction)] == [
        *("identify", "Signed Up", "page", "screen", "group", "alias"),
    ]


def test_no_part_of_a_webhook_of_another_service_is_read_but_a_segment_call_inside():
    """Whatever part of it a careless relay takes for the record."""
    assert len(WEBHOOKS) == 5
    read_parts = [part for path in WEBHOOKS for part in parts_of(json.loads(path.read_bytes())) if not rejected(part)]
    assert [part["event"] for part in read_parts] == ["Audit"]


def parts_of(value: Any) -> list[Any]:
    """The value, and every value inside it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(part for each in inner for part in parts_of(each))]


def rejected(value: object) -> bool:
    return isinstance(read(value), Rejected)
