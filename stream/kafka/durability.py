"""How many brokers hold what is acknowledged: what we ask of a topic, and what a cluster can give.

Exactly once is worth what Kafka keeps. With three replicas, of which two must have a record before it is acknowledged,
one broker may be lost, disk and all, and nothing stops or is missing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stream.settings import Settings

REPLICAS = 3
IN_SYNC = 2


class Advice(NamedTuple):
    """What is not as it should be, and what to do about it."""

    problem: str
    remedy: str


def replication_for(settings: Settings, brokers: int) -> int:
    """Replicas of each topic that we create: as set, else three, or as many as the cluster has brokers."""
    if settings.replication is not None:
        return settings.replication
    return max(1, min(REPLICAS, brokers))


def durable_configs(replication: int) -> dict[str, str]:
    """The settings of a topic with so many replicas."""
    return {"min.insync.replicas": str(IN_SYNC)} if replication >= REPLICAS else {}


def few_brokers(settings: Settings, brokers: int) -> str | None:
    """What topics that we create lack here; None where they lack nothing, or somebody chose their replication."""
    if settings.replication is not None or brokers >= REPLICAS:
        return None
    return (
        f"the cluster has {_count(brokers, 'broker')}: new topics get replication {max(1, brokers)}, and what is "
        f"acknowledged can be lost with a disk; in a cluster of {REPLICAS} they get replication {REPLICAS} and "
        f"min.insync.replicas {IN_SYNC}, as production wants it"
    )


def check_durability(
    settings: Settings, brokers: int, replication: int | None, configs: Mapping[str, str]
) -> Advice | None:
    """Of an existing topic, with the least replication of its partitions, where that is known."""
    wanted = min(replication_for(settings, brokers), brokers)
    if replication is None:
        return None
    if replication < wanted:
        return Advice(
            f"its records are on {_count(replication, 'broker')} of {brokers}, and can be lost with "
            f"{'its disk' if replication == 1 else 'their disks'}",
            "give it more replicas: lifecycle topics --reassignment > replicas.json && kafka-reassign-partitions.sh "
            f"--bootstrap-server {settings.bootstrap} --reassignment-json-file replicas.json --execute",
        )
    if replication >= REPLICAS and configs.get("min.insync.replicas") == "1":
        return Advice(
            f"min.insync.replicas is 1: with {replication} replicas a record is acknowledged that only one of them "
            "has, and can be lost with its disk",
            f"min.insync.replicas={IN_SYNC}",
        )
    return None


def reassignment(
    settings: Settings, brokers: Sequence[int], replicas: Mapping[str, Sequence[Sequence[int]]]
) -> dict[str, object]:
    """What `kafka-reassign-partitions.sh` takes, for those of these topics that have too few replicas.

    `brokers` and `replicas`, by topic and partition, are Kafka's numbers of brokers. Replicas stay where they are, the
    leader first; those that are added go around the cluster, so that every broker gets its share.
    """
    wanted = min(replication_for(settings, len(brokers)), len(brokers))
    partitions = [
        {"topic": topic, "partition": partition, "replicas": _more(list(held), sorted(brokers), wanted, partition)}
        for topic, parts in sorted(replicas.items())
        if min(map(len, parts), default=wanted) < wanted
        for partition, held in enumerate(parts)
    ]
    return {"version": 1, "partitions": partitions}


def _more(held: list[int], brokers: list[int], wanted: int, start: int) -> list[int]:
    around = [brokers[(start + step) % len(brokers)] for step in range(len(brokers))]
    free = [broker for broker in around if broker not in held]
    return held + free[: max(0, wanted - len(held))]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
