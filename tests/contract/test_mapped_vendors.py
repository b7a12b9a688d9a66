"""Objects of PostHog, Mixpanel, Amplitude and Snowplow, in the form that their libraries send, by the setting `map`."""

import json

import pytest

from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.interactions import DEFAULT_READING, InteractionDecoder
from stream.core.interaction import Interaction

NOW = 1_772_380_829_000  # 2026-03-01T16:00:29Z
MADE = 1_772_380_827_029
LONG = "123456789012345678901234567890"

POSTHOG = {
    "event": "Order Completed",
    "distinct_id": "c-6",
    "timestamp": "2026-03-01T16:00:27.029123+00:00",
    "uuid": "0195522e-8b4f-7d33-9b1c-d1a2f1a0c001",
    "properties": {"total": 19.9, "$lib": "posthog-python", "$lib_version": "7.91.1", "$set": {"plan": "pro"}},
}
MIXPANEL = {
    "event": "Order Completed",
    "properties": {
        "token": "f00",
        "distinct_id": 42,
        "time": 1772380827.029,
        "$insert_id": "29fc2962f1a5",
        "mp_lib": "python",
        "total": 19.9,
    },
}
AMPLITUDE = {
    "event_type": "Order Completed",
    "user_id": "c-6",
    "device_id": "d-1",
    "time": MADE,
    "insert_id": "5f0adeff",
    "event_properties": {"total": 19.9, "items": [{"sku": "a"}]},
    "library": "amplitude-python/1.3.0",
}
SNOWPLOW = {
    "e": "ue",
    "eid": "b1f0a7d2",
    "dtm": str(MADE),
    "stm": "1772380827000",
    "tv": "py-1.1.0",
    "tna": "shop",
    "aid": "web",
    "p": "srv",
    "uid": "c-6",
    "ue_pr": '{"schema":"iglu:com.acme/order/jsonschema/1-0-0","data":{"total":19.9}}',
}


@pytest.mark.parametrize(
    ("sent", "mapping", "wanted", "flaws"),
    [
        (
            POSTHOG,
            (
                "customer_id=distinct_id,type=event,time=timestamp,id=uuid,properties.total=properties.total,"
                "properties.plan=properties.$set.plan"
            ),
            Interaction("c-6", None, str(POSTHOG["uuid"]), "Order Completed", MADE, {"total": 19.9, "plan": "pro"}, {}),
            {},
        ),
        (
            MIXPANEL,
            (
                "customer_id=properties.distinct_id,type=event,time=properties.time,id=properties.$insert_id,"
                "properties.total=properties.total"
            ),
            Interaction("42", None, "29fc2962f1a5", "Order Completed", MADE, {"total": 19.9}, {}),
            {"time_unit": 1},
        ),
        (
            AMPLITUDE,
            (
                "customer_id=user_id,anonymous_id=device_id,type=event_type,time=time,id=insert_id,"
                "properties.total=event_properties.total,context.library=library"
            ),
            Interaction(
                "c-6", "d-1", "5f0adeff", "Order Completed", MADE, {"total": 19.9}, {"library": AMPLITUDE["library"]}
            ),
            {},
        ),
        (
            SNOWPLOW,
            "customer_id=uid,type='Order Completed',time=dtm,id=eid,context.app=aid",
            Interaction("c-6", None, "b1f0a7d2", "Order Completed", MADE, SNOWPLOW, {"app": "web"}),
            {},
        ),
    ],
    ids=["PostHog", "Mixpanel", "Amplitude", "Snowplow"],
)
def test_an_object_of_another_vendor_is_read_by_a_mapping(
    sent: dict[str, object], mapping: str, wanted: Interaction, flaws: dict[str, int]
) -> None:
    decoder = InteractionDecoder(DEFAULT_READING, ColumnMapping.parse([mapping], complete=False))
    assert decoder.decode(json.dumps(sent).encode(), NOW) == wanted
    assert decoder.take_flaws() == flaws


def test_an_id_of_thirty_digits_keeps_them_by_a_mapping() -> None:
    decoder = InteractionDecoder(DEFAULT_READING, ColumnMapping.parse(["customer_id=u.no,type=e,id=n"], complete=False))
    found = decoder.decode(b'{"u":{"no":%s},"e":"visit","n":%s}' % (LONG.encode(), LONG.encode()), NOW)
    assert isinstance(found, Interaction)
    assert (found.customer_id, found.id) == (LONG, LONG)
