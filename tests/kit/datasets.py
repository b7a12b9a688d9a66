"""Real data as interactions, and as JSON lines in the native format by ascending time.

They come from the packages of tests/kit/data.txt, which tests/kit/data.sh fetches and unpacks.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyarrow import Table, compute
from pyarrow.parquet import read_table

from stream.codec.interactions import encode_native
from stream.codec.sorting import sort_by_time
from stream.codec.times import parse_time
from stream.core.interaction import Interaction
from tests.kit.real_data import real_data
from tests.kit.shared_data import shared_data


def cdnow(path: Path) -> int:
    """Write the 69,659 purchases of CDNOW, 1997-01-01 to 1998-06-30; return how many."""
    return write_native(path, cdnow_interactions("CDNOW_master.txt"))


def complete_journey(path: Path) -> int:
    """Write a year of a grocer's baskets, coupons and campaigns (164,539); return how many."""
    return write_native(path, complete_journey_interactions())


def snowplow_shop(path: Path) -> int:
    """Write the 832 interactions of a demonstration shop's visitors; return how many."""
    return write_native(path, snowplow_interactions())


def write_native(path: Path, interactions: Iterable[Interaction]) -> int:
    """Write JSON lines in the native format by ascending time; return how many."""
    number = 0
    with path.open("wb") as file:
        for number, interaction in enumerate(sort_by_time(interactions), start=1):  # noqa: B007 - the count
            file.write(encode_native(interaction) + b"\n")
    return number


def cdnow_interactions(name: str) -> Iterator[Interaction]:
    """Yield the purchases of the master file or of the sample of a tenth of its customers.

    The files know the day only: midnight UTC. The line's number is the id, for 255 rows are exactly alike and
    yet purchases of their own.
    """
    with real_data(f"cdnow/{name}").open(encoding="ascii") as file:
        for number, line in enumerate(file, start=1):
            fields = line.split()
            if fields[0] == "customer_id":
                continue
            # The sample has a number of its own in its second column.
            day, discs, dollars = fields[-3:]
            yield Interaction(
                customer_id=fields[0],
                anonymous_id=None,
                id=f"cdnow-{number}",
                name="Order Completed",
                time=_time(f"{day[:4]}-{day[4:6]}-{day[6:]}"),
                properties={"total": float(dollars), "quantity": int(discs)},
                context={},
            )


def complete_journey_interactions() -> Iterator[Interaction]:
    """Yield each basket as one order, each redemption, and each campaign as it reached a household."""
    yield from _baskets()
    for number, row in enumerate(_table("coupon_redemptions").to_pylist(), start=1):
        yield Interaction(
            customer_id=str(row["household_id"]),
            anonymous_id=None,
            id=f"redemption-{number}",
            name="Coupon Applied",
            time=_milliseconds(row["redemption_date"]),
            properties={"coupon_id": str(row["coupon_upc"]), "campaign_id": str(row["campaign_id"])},
            context={},
        )
    campaigns = {row["campaign_id"]: row for row in _table("campaign_descriptions").to_pylist()}
    for row in _table("campaigns").to_pylist():
        campaign = campaigns[row["campaign_id"]]
        yield Interaction(
            customer_id=str(row["household_id"]),
            anonymous_id=None,
            id=f"campaign-{row['campaign_id']}-{row['household_id']}",
            name="email_delivered",
            time=_milliseconds(campaign["start_date"]),
            properties={"campaign_id": str(row["campaign_id"]), "campaign_type": campaign["campaign_type"]},
            context={},
        )


def _baskets() -> Iterator[Interaction]:
    """Yield the baskets in the order of their first lines, summed in whole cents."""
    lines = _table("transactions")
    for name in ("sales_value", "coupon_disc"):
        cents = compute.cast(compute.round(compute.multiply(lines[name], 100)), "int64")
        lines = lines.set_column(lines.column_names.index(name), name, cents)
    # Threads would change the order.
    baskets = lines.group_by("basket_id", use_threads=False).aggregate(
        [
            *((name, "first") for name in ("household_id", "store_id", "transaction_timestamp")),
            *((name, "sum") for name in ("sales_value", "quantity", "coupon_disc")),
            ("product_id", "count"),
        ]
    )
    for basket in baskets.to_pylist():
        yield Interaction(
            customer_id=str(basket["household_id_first"]),
            anonymous_id=None,
            id=f"basket-{basket['basket_id']}",
            name="Order Completed",
            time=_milliseconds(basket["transaction_timestamp_first"]),
            properties={
                "order_id": str(basket["basket_id"]),
                "total": basket["sales_value_sum"] / 100,
                "quantity": basket["quantity_sum"],
                "lines": basket["product_id_count"],
                "discount": basket["coupon_disc_sum"] / 100,
                "store_id": str(basket["store_id_first"]),
            },
            context={},
        )


def _table(name: str) -> Table:
    return read_table(real_data(f"complete_journey/{name}.parquet"))


def _milliseconds(moment: datetime) -> int:
    """The tables name no zone: theirs is taken as UTC. They know whole seconds at most."""
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1000


_ECOMMERCE: Final = "com_snowplowanalytics_snowplow_ecommerce"
_ACTION: Final = f"unstruct_event_{_ECOMMERCE}_snowplow_ecommerce_action_1_0_0"
_NAMES: Final = {
    # The older tracker's events reached the table without their action; of these only the page is sure.
    None: "page_view",
    "product_view": "Product Viewed",
    "list_view": "Product List Viewed",
    "list_click": "Product Clicked",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "checkout_step": "Checkout Step Viewed",
    "transaction": "Order Completed",
    "refund": "Order Refunded",
    "promo_view": "Promotion Viewed",
    "promo_click": "Promotion Clicked",
}


def snowplow_interactions() -> Iterator[Interaction]:
    """Yield the events of the demonstration shop.

    The customer is the user of the e-commerce context, the visitor the cookie's id; of the person's e-mail
    address and network nothing is taken over.
    """
    path = shared_data() / "snowplow_ecommerce" / "snowplow_ecommerce_events.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            action = json.loads(row[_ACTION] or "{}")
            user = _first(row, "user")
            yield Interaction(
                customer_id=row["user_id"] or _text(user.get("id")),
                anonymous_id=row["domain_userid"] or None,
                id=row["event_id"],
                name=_NAMES[action.get("type")],
                time=_time(row["derived_tstamp"] or row["collector_tstamp"]),
                properties=_shop_properties(row, action),
                context={"platform": row["platform"], "location": {"country": row["geo_country"]}},
            )


def _shop_properties(row: dict[str, str], action: dict[str, object]) -> dict[str, object]:
    order = action.get("type") == "transaction"
    transaction = _first(row, "transaction") if order else {}
    cart = _first(row, "cart")
    checkout = _first(row, "checkout_step")
    products = _entities(row, "product")
    product = products[0] if products else {}
    properties = {
        "path": row["page_urlpath"] or None,
        "page_type": _first(row, "page").get("type"),
        "list": action.get("name"),
        "order_id": transaction.get("transaction_id"),
        "total": _number(transaction.get("revenue")),
        "shipping": _number(transaction.get("shipping")),
        "payment_method": transaction.get("payment_method"),
        "currency": transaction.get("currency") or cart.get("currency") or product.get("currency"),
        "cart_total": _number(cart.get("total_value")),
        "step": _number(checkout.get("step")),
        "account_type": checkout.get("account_type"),
        "product_id": product.get("id"),
        "category": product.get("category"),
        "brand": product.get("brand"),
        "price": _number(product.get("price")),
        "products": len(products) or None,
    }
    return {name: value for name, value in properties.items() if value is not None}


def _entities(row: dict[str, str], name: str) -> list[dict[str, object]]:
    entities: list[dict[str, object]] = json.loads(row[f"contexts_{_ECOMMERCE}_{name}_1_0_0"] or "[]")
    return entities


def _first(row: dict[str, str], name: str) -> dict[str, object]:
    return next(iter(_entities(row, name)), {})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> float | int | None:
    """A number that the source writes as text in some rows, whole where it is."""
    if value is None:
        return None
    number = float(str(value))
    return int(number) if number.is_integer() else number


def _time(text: str) -> int:
    time = parse_time(text)
    assert time is not None, text
    return time
