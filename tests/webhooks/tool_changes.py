"""Stage changes as they stand on the topic, for tests of what is made of them."""

from typing import Any, Final

import orjson

from stream.codec.stage_change_reader import SubscribedChange, read_whole_change

AT: Final = 1_767_261_600_000
"""2026-01-01T10:00:00Z."""
_VALUE: Final[dict[str, Any]] = {
    "customer_id": "5",
    "identified": True,
    "lifecycle": "shop",
    "version": 1,
    "born": "0-0",
    "sequence": 2,
    "final": True,
    "from": "lead",
    "to": "customer",
    "at": AT,
    "entered": AT - 86_400_000,
    "trigger": {"kind": "interaction", "id": "e-1", "type": "purchase", "late": False},
    "transition": "orders >= 1",
    "scores": {"engagement": 42.5, "value": 19.0},
    "contributions": {"engagement": [{"signal": "visited", "points": 42.5, "count": 9}], "value": []},
    "facts": {"email": "ada@example.com", "orders": 1, "ac_id": 1, "mautic_id": 7, "last_purchase": AT},
    "channels": ["email", "push"],
    "actions": ["cross_sell"],
    "source": {"topic": "interactions", "partition": 0, "offset": 0},
}


def change(**overrides: Any) -> SubscribedChange:
    """A change from lead to customer; `overrides` with `from_` for `from`."""
    named = {("from" if name == "from_" else name): value for name, value in overrides.items()}
    found = read_whole_change(orjson.dumps({**_VALUE, **named}), 0, 0)
    assert found is not None
    return found
