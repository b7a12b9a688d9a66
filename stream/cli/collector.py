"""`lifecycle collector`: takes interactions over HTTP."""

import logging
import os
import sys

from stream.cli.terminal.options import with_settings
from stream.cli.terminal.unknown_variables import unknown_variables
from stream.collector import Collector
from stream.events import Event, report
from stream.logs import configure_logs
from stream.settings import Settings

log = logging.getLogger(__name__)


@with_settings(
    "bootstrap",
    "topic_prefix",
    "interactions",
    "partitions",
    "replication",
    "retention",
    "partitioner",
    "blocked",
    "ids",
    "earliest_time",
    "map",
    "collector_bind",
    "collector_port",
    "collector_max_body",
    "write_keys",
    "collect_ip",
    "trusted_proxies",
    "web_tokens",
    "web_certfile",
    "web_keyfile",
    "log_level",
    "log_format",
    "tracing",
)
def collector(settings: Settings) -> None:
    """Take interactions over HTTP, as Segment's SDKs send them, and write them to Kafka; start as many as you like.

    Answers only once Kafka has what was sent. Topics are created where they are missing. A broker that is away is
    waited for; meanwhile senders are told to come back. SIGTERM and Ctrl-C let it answer what it has, and exit with 0.
    """
    configure_logs(settings)
    for warning in unknown_variables(os.environ):
        report(log.warning, Event.VARIABLE_UNKNOWN, "{warning}", warning=warning)
    sys.exit(Collector(settings).run())
