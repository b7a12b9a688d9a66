"""What is suggested for columns and objects of other names: by whole words, and never what is no person's id."""

import json

import pytest

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.column_guess import guess
from stream.codec.files.column_mapping import ColumnMapping, example, guessed
from stream.codec.interactions import InteractionDecoder


@pytest.mark.parametrize(
    ("columns", "who", "when"),
    [
        ("e,eid,dtm,stm,tv,aid,p,uid", "uid", "dtm"),
        ("message_id,profile_id,name", "profile_id", None),
        ("no,paid,amount,created_at", None, "created_at"),
        ("id,eid,uuid,guid,event_id,insert_id,order_id,product_id,session_id", None, None),
        ("id,aggregateId,type,payload", "aggregateId", None),
        ("distinct_id,event,properties,timestamp,uuid", "distinct_id", "timestamp"),
        ("user_id,device_id,event_type,time,insert_id", "user_id", "time"),
        ("client_ip,user_agent,account_name,sentAt", None, "sentAt"),
        ("clientIp,userId,occurredAt,updateCount", "userId", "occurredAt"),
        ("Contact-ID,Order-Date", "Contact-ID", "Order-Date"),
        ("HTTPStatus,customerID,invoicedate", "customerID", "invoicedate"),
        ("household_key,day", "household_key", "day"),
        ("Bestellnr.,Kundennr.,Name,Bestelldatum,Gesamtbetrag", "Kundennr.", "Bestelldatum"),
        ("Kunde,Rechnungsdatum", "Kunde", "Rechnungsdatum"),
        ("E-Mail,birth_date,Created", "E-Mail", "Created"),
        ("last_update,candidate,lifetime", None, None),
    ],
)
def test_who_and_when_are_told_by_whole_words(columns: str, who: str | None, when: str | None) -> None:
    found = guess(columns.split(","))
    assert (found.customer, found.time) == (who, when)


def test_what_else_there_is() -> None:
    found = guess(["Order ID", "customer", "subtotals", "Gesamtbetrag (EUR)", "prototype", "event_name", "day"])
    assert found == ("customer", "day", "event_name", "Gesamtbetrag (EUR)", "Order ID")
    found = guess(["orderId", "typeface", "pricelist", "values"])
    assert found == (None, None, None, None, "orderId")


def test_nothing_is_offered_for_a_file_that_does_not_tell_whose_rows_they_are() -> None:
    columns = ["no", "paid", "amount", "created_at"]
    assert guessed(columns) is None
    assert example(columns) == (
        "--map \"customer_id=WHO,time=created_at,type='Order Completed',properties.total=amount\""
    )


@pytest.mark.parametrize(
    ("record", "suggested"),
    [
        (
            {"e": "pv", "eid": "u", "dtm": "1795801300000", "stm": "1795801300000", "tv": "py-1.1.0", "uid": "c"},
            "customer_id=uid,time=dtm,type=WHAT",
        ),
        ({"id": 1, "aggregateId": "c", "type": "x", "payload": {}}, "customer_id=aggregateId,time=WHEN,type=type"),
        ({"message_id": 1, "profile_id": "c", "name": "x"}, "customer_id=profile_id,time=WHEN,type=WHAT"),
        ({"event_id": 1, "product_id": 2}, "customer_id=WHO,time=WHEN,type=WHAT"),
    ],
)
def test_for_a_live_object_no_kind_of_event_is_assumed(record: dict[str, object], suggested: str) -> None:
    found = InteractionDecoder().decode(json.dumps(record).encode(), 1_772_380_829_000)
    assert isinstance(found, Rejected)
    assert found.detail.endswith(f'map = "{suggested}"')
    ColumnMapping.parse([suggested])
