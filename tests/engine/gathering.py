"""A site whose interactions come on two topics, each with its own mapping, and are gathered."""

import json

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.records import Outgoing
from stream.core.model import model_of
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from stream.settings_sources import load_settings
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka

LIFECYCLE = """
lifecycle: shop
scores: {points: {}}
signals: {any: {each: [Page Viewed, Called], add: {points: 1}}}
stages: {new: {}, known: {}, loyal: {}}
transitions:
  - {from: new, to: known, when: points >= 2}
  - {from: known, to: loyal, when: points >= 20}
"""
QUIET = """
lifecycle: quiet
stages: {new: {}, quiet: {}}
transitions: [{from: new, to: quiet, when: idle >= 6s}]
"""
MODEL = model_of([parse(LIFECYCLE, "shop.yaml").lifecycle])


def settings_of(kafka: SharedKafka, topic_prefix: str, **others: object) -> Settings:
    options = {
        "bootstrap": kafka.bootstrap,
        "app": f"{topic_prefix}app",
        "topic_prefix": topic_prefix,
        "interactions": "web,crm",
        "partitions": "2",
        "map": "crm: customer_id=contact.number, type=what",
        **others,
    }
    return load_settings({key: str(value) for key, value in options.items()}, environment={})


def rig_of(settings: Settings, **others: float) -> Rig:
    topic = settings.topics.interactions
    return Rig(settings, lambda n, of: PartitionMachine(MODEL, settings, SourcePartition(topic, n, *of)), **others)


def web(customer: str, number: int) -> Outgoing:
    value = {"id": f"web-{customer}-{number}", "type": "Page Viewed", "customer_id": customer}
    return Outgoing(customer.encode(), json.dumps(value).encode())


def crm(customer: str, number: int) -> Outgoing:
    return Outgoing(
        customer.encode(), json.dumps({"contact": {"number": customer}, "what": "Called", "n": number}).encode()
    )
