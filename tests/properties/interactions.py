"""The interactions of generated histories, as the core has them."""

from collections.abc import Mapping
from typing import Any

from stream.core.interaction import Interaction


def interaction_of(given: Mapping[str, Any]) -> Interaction:
    """The core's interaction of a reference's."""
    return Interaction(
        given.get("customer_id"),
        given.get("anonymous_id"),
        given.get("id"),
        given["type"],
        given["time"],
        given.get("properties") or {},
        given.get("context") or {},
    )
