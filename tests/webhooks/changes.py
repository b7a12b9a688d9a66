"""Stage changes as they stand on the topic, for tests of what is done with them."""

import json
from typing import Any

from stream.codec.stage_change_reader import SubscribedChange, read_whole_change

AT = 1_767_261_600_000
"""1 January 2026, 10:00 UTC."""


def value_of(**fields: Any) -> dict[str, Any]:
    """The value of a change of customer 42, who became a customer of the shop; `fields` replace its own."""
    whole: dict[str, Any] = {
        "customer_id": "42",
        "identified": True,
        "lifecycle": "shop",
        "version": 1,
        "born": "0-39",
        "sequence": 2,
        "final": True,
        "from": "visitor",
        "to": "customer",
        "at": AT,
        "entered": AT - 86_400_000,
        "trigger": {"kind": "interaction", "id": "e-1", "type": "order", "late": False},
        "transition": "orders >= 1",
        "scores": {"interest": 42.5, "value": 19.9},
        "contributions": {"interest": [{"signal": "looked", "points": 42.5, "count": 9}]},
        "facts": {"orders": 1, "email": "Ada@example.com", "last_order": AT - 1_000, "code": "19.90"},
        "channels": ["email", "push"],
        "actions": ["cross_sell"],
        "source": {"topic": "interactions", "partition": 0, "offset": 40},
    }
    return {name: value for name, value in (whole | fields).items() if value is not ...}


def change_of(value: dict[str, Any]) -> SubscribedChange:
    """The change that this value says."""
    found = read_whole_change(json.dumps(value).encode(), 0, 7)
    assert found is not None
    return found
