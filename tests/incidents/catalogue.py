"""All incidents, in the order in which they happen, and the alerts that none of them brings about."""

from typing import Final

from tests.incidents import of_kafka, of_processes, of_traffic, of_webhooks
from tests.incidents.incident import CATALOGUE, Incident

MODULES: Final = (of_kafka, of_processes, of_traffic, of_webhooks)
"""Whose import puts their incidents into the catalogue."""
NOT_BROUGHT_ABOUT: Final = {
    "LifecycleChangelogLarge": "a changelog with a million records a partition, not compacted, takes hours to make",
    "LifecycleChangelogDisk": "needs KMinion beside Kafka, and 10 GB",
    "LifecycleKafkaDiskFull": "needs Kubernetes, or a volume of its own with Prometheus' node exporter",
}
"""Alerts that no incident makes fire, and why."""
_FIRST: Final = ("tool-fails", "flood", "no-traffic")
"""What failed at the tool is tried again five minutes later; the other two are held against the two minutes before."""


def incidents() -> list[Incident]:
    """All of them."""
    return sorted(CATALOGUE, key=lambda each: _FIRST.index(each.name) if each.name in _FIRST else len(_FIRST))
