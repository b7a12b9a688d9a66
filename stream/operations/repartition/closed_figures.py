"""Rows of figures of days that can no longer change: the topic alone has them, and no changelog. Without I/O.

They keep the partition that they name, which may be one that is no more.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from stream.codec.figures import KEY_FIELDS, day_text
from stream.codec.records import Outgoing
from stream.operations.repartition.figures import Cells

_NONE = {"value": 0, "exact": "0"}


def closed_rows(kept: Iterable[Outgoing], told: Mapping[bytes, bytes], new: Mapping[int, Cells]) -> Iterable[Outgoing]:
    """What is told of `kept`, the rows of old partitions that are no longer in a changelog.

    `new` are the figures of the new partitions, `told` the rows of these: where one stands for the same day and
    partition, it is their sum. From the first day of `new` on its rows say how many customers there are, so no closed
    one does, and whom a partition had that is no more, it has no more.
    """
    first: dict[str, str] = {}
    for cells in new.values():
        for lifecycle, number, _ in cells:
            day = day_text(number)
            first[lifecycle] = min(day, first.get(lifecycle, day))
    ended: dict[bytes, Outgoing] = {}
    for each in kept:
        row: dict[str, Any] = orjson.loads(each.value or b"")
        other = told.get(each.key or b"")
        begin = first.get(row["lifecycle"])
        if row["figure"] == "customers" and begin is not None:
            if row["day"] >= begin:
                continue
            if row["partition"] not in new:
                end = _row({**row, **_NONE, "day": begin})
                ended[end.key or b""] = end
        yield each if other is None else _row(_sum(row, orjson.loads(other)))
    yield from ended.values()


def _sum(row: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    exact = Decimal(row["exact"]) + Decimal(other["exact"])
    return {**other, "value": row["value"] + other["value"], "exact": f"{exact:f}"}


def _row(row: dict[str, Any]) -> Outgoing:
    return Outgoing(orjson.dumps({name: row[name] for name in KEY_FIELDS}), orjson.dumps(row))
