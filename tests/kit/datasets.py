"""The real data of `shared/data` as interactions, and as JSON lines in the native format by ascending time.

What the sources hold, and where they come from, is in the SOURCE.txt of each.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

from stream.codec.interactions import encode_native
from stream.codec.sorting import sort_by_time
from stream.codec.times import parse_time
from stream.core.interaction import Interaction
from tests.kit.shared_data import shared_data


def cdnow(path: Path) -> int:
    """Write the 69,659 purchases of CDNOW, 1997-01-01 to 1998-06-30; return how many."""
    return write_native(path, cdnow_interactions("CDNOW_master.txt"))


def complete_journey(path: Path) -> int:
    """Write a year of a grocer's baskets, coupons and campaigns (164,539); return how many."""
    return write_native(path, complete_journey_interactions())


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
    with (shared_data() / "cdnow" / name).open(encoding="ascii") as file:
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


class _Basket(TypedDict):
    customer_id: str
    store_id: str
    time: int
    total: Decimal
    quantity: int
    lines: int
    discount: Decimal


def complete_journey_interactions() -> Iterator[Interaction]:
    """Yield each basket as one order, each redemption, and each campaign as it reached a household."""
    folder = shared_data() / "completejourney"
    yield from _baskets(folder / "transactions.csv.gz")
    with (folder / "coupon_redemptions.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            yield Interaction(
                customer_id=row["household_id"],
                anonymous_id=None,
                id=f"redemption-{number}",
                name="Coupon Applied",
                time=_time(row["redemption_date"]),
                properties={"coupon_id": row["coupon_upc"], "campaign_id": row["campaign_id"]},
                context={},
            )
    with (folder / "campaign_descriptions.csv").open(encoding="utf-8", newline="") as file:
        campaigns = {row["campaign_id"]: row for row in csv.DictReader(file)}
    with (folder / "campaigns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            campaign = campaigns[row["campaign_id"]]
            yield Interaction(
                customer_id=row["household_id"],
                anonymous_id=None,
                id=f"campaign-{row['campaign_id']}-{row['household_id']}",
                name="email_delivered",
                time=_time(campaign["start_date"]),
                properties={"campaign_id": row["campaign_id"], "campaign_type": campaign["campaign_type"]},
                context={},
            )


def _baskets(path: Path) -> Iterator[Interaction]:
    baskets: dict[str, _Basket] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            basket = baskets.get(row["basket_id"])
            if basket is None:
                basket = baskets[row["basket_id"]] = _Basket(
                    customer_id=row["household_id"],
                    store_id=row["store_id"],
                    time=_time(row["transaction_timestamp"]),
                    total=Decimal(0),
                    quantity=0,
                    lines=0,
                    discount=Decimal(0),
                )
            basket["total"] += Decimal(row["sales_value"])
            basket["quantity"] += int(row["quantity"])
            basket["lines"] += 1
            basket["discount"] += Decimal(row["coupon_disc"])
    for basket_id, basket in baskets.items():
        yield Interaction(
            customer_id=basket["customer_id"],
            anonymous_id=None,
            id=f"basket-{basket_id}",
            name="Order Completed",
            time=basket["time"],
            properties={
                "order_id": basket_id,
                "total": _cents(basket["total"]),
                "quantity": basket["quantity"],
                "lines": basket["lines"],
                "discount": _cents(basket["discount"]),
                "store_id": basket["store_id"],
            },
            context={},
        )


def _cents(amount: Decimal) -> float:
    return float(round(amount, 2))


def _time(text: str) -> int:
    time = parse_time(text)
    assert time is not None, text
    return time
