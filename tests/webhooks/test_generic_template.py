"""The template `generic`, read with an independent decoder of CloudEvents."""

from pathlib import Path

import orjson
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event

from stream.codec.stage_changes import ChangeSource, encode, headers
from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.core.stage_change import StageChange, Trigger
from stream.webhooks.template_file import load_template

